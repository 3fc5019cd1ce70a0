"""Paused DAGs: their runs stay queued."""

from datetime import UTC, datetime, timedelta

from airflow import DAG
from airflow.providers.common.compat.sdk import BaseOperator


class Nothing(BaseOperator):
    """Does nothing."""

    def execute(self, context):
        """Return at once."""


START = datetime(2024, 1, 1, tzinfo=UTC)

with DAG(
    "contract_idle",
    schedule=None,
    start_date=START,
    is_paused_upon_creation=True,
    description="never runs",
    tags=["one", "other"],
):
    first = Nothing(task_id="a")
    second = Nothing(task_id="b", retries=2, retry_delay=timedelta(seconds=30))
    third = Nothing(task_id="c", trigger_rule="all_done", execution_timeout=timedelta(minutes=5))
    first >> [second, third]

with DAG("contract_many", schedule=None, start_date=START, is_paused_upon_creation=True):
    for number in range(120):
        Nothing(task_id=f"t{number:03}")
