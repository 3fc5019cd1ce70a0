"""Six steps of two seconds, four of them one after the other: what upstream's `lute_test` looks like."""

from datetime import UTC, datetime

from airflow import DAG
from airflow.providers.common.compat.sdk import TaskGroup

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id="lute_two_seconds",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    schedule=None,
    description=__doc__,
    catchup=False,
)


def step(name: str) -> JIDSlurmOperator:
    """Return one step."""
    with TaskGroup(name, dag=dag):
        return JIDSlurmOperator(task_id="Tester", dag=dag)


first = step("first")
first >> step("second") >> step("third") >> step("fourth")
first >> [step("beside"), step("beside_too")]
