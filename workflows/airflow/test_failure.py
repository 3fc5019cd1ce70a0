"""Workflow `test_failure`: as `test`, and one managed Task that fails on purpose with a step behind it."""

from datetime import datetime
from pathlib import Path

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id=f"lute_{Path(__file__).stem}",
    start_date=datetime(2024, 3, 18),
    schedule=None,
    description="Run a managed Task that fails; the step behind it must not run",
)

tester = JIDSlurmOperator(task_id="Tester", dag=dag)
binary_tester = JIDSlurmOperator(task_id="BinaryTester", max_cores=8, dag=dag)
binary_err_tester = JIDSlurmOperator(task_id="BinaryErrTester", dag=dag)
socket_tester = JIDSlurmOperator(task_id="SocketTester", dag=dag)
write_tester = JIDSlurmOperator(task_id="WriteTester", dag=dag)
read_tester = JIDSlurmOperator(task_id="ReadTester", dag=dag)

tester >> binary_tester
tester >> binary_err_tester >> socket_tester
tester >> write_tester >> read_tester
