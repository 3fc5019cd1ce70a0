"""Workflow `test`: runs one managed Task of each kind; all of them succeed."""

from datetime import datetime
from pathlib import Path

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id=f"lute_{Path(__file__).stem}",
    start_date=datetime(2024, 3, 18),
    schedule=None,
    description="Run one managed Task of each kind, in sequence and in parallel",
)

tester = JIDSlurmOperator(task_id="Tester", dag=dag)
binary_tester = JIDSlurmOperator(task_id="BinaryTester", max_cores=8, dag=dag)
socket_tester = JIDSlurmOperator(task_id="SocketTester", dag=dag)
write_tester = JIDSlurmOperator(task_id="WriteTester", dag=dag)
read_tester = JIDSlurmOperator(task_id="ReadTester", dag=dag)

tester >> binary_tester
tester >> socket_tester >> write_tester >> read_tester
