"""One task that defers itself, and one that does what a test tells it, in a way that only the test knows."""

from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from tests.simulators.virtual.steps import Deferring, Told

with DAG(dag_id="lute_waits", start_date=datetime(2024, 1, 1), schedule=None):  # noqa: DTZ001
    Deferring(task_id="Waiter") >> Told(task_id="Doer")
