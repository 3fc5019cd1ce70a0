"""DAGs whose runs end at once, and one whose runs last."""

from datetime import UTC, datetime

from airflow import DAG
from airflow.providers.common.compat.sdk import BaseOperator

from lute.seams import current_runtime

VALUES = {
    "text": "two\nlines, 'é' \"q\"",
    "json_text": '{"a": 1}',
    "object": {"a": 1, "b": [1.5, None, True]},
    "list": ["x", 2],
    "number": 3,
    "fraction": 2.5,
    "truth": True,
    "nothing": None,
    "a/b": "slash",
}


class Push(BaseOperator):
    """Pushes XComs of all kinds that JSON has."""

    def execute(self, context):
        """Push them."""
        for key, value in VALUES.items():
            context["ti"].xcom_push(key=key, value=value)
        return "done"


class Wait(BaseOperator):
    """Runs for ten minutes."""

    def execute(self, context):
        """Sleep, in the time of the world that it runs in."""
        clock = current_runtime().clock
        for _ in range(600):
            clock.sleep(1.0)

    def on_kill(self):
        """End `execute`: 3.3 does not end it by itself."""
        raise RuntimeError("killed")


START = datetime(2024, 1, 1, tzinfo=UTC)

with DAG("contract_push", schedule=None, start_date=START):
    Push(task_id="push")

for name in ("contract_wait", "contract_gate"):
    with DAG(name, schedule=None, start_date=START):
        Wait(task_id="wait") >> Wait(task_id="after")
