"""A step, 48 beside each other, and one that waits for all of them."""

from datetime import UTC, datetime

from airflow import DAG
from airflow.providers.common.compat.sdk import TaskGroup

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id="lute_fan_out",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    schedule=None,
    description=__doc__,
    catchup=False,
)
first = JIDSlurmOperator(task_id="Tester", max_cores=4, dag=dag)
last = JIDSlurmOperator(task_id="ReadTester", max_cores=4, dag=dag)
for number in range(48):
    with TaskGroup(f"part_{number:02}", dag=dag):
        first >> JIDSlurmOperator(task_id="BinaryTester", max_cores=4, dag=dag) >> last
