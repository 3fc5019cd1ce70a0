"""DAGs about outcomes and tries."""

from datetime import UTC, datetime, timedelta

from airflow import DAG
from airflow.providers.common.compat.sdk import TaskGroup
from contract_parts import Act

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow.operators.empty import EmptyOperator

START = datetime(2024, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=5)

with DAG("c_chain", schedule=None, start_date=START):
    Act(task_id="a", value=1) >> Act(task_id="b") >> EmptyOperator(task_id="c") >> Act(task_id="d")

with DAG("c_broken_chain", schedule=None, start_date=START):
    Act(task_id="a") >> Act(task_id="b", script="fail") >> Act(task_id="c") >> EmptyOperator(task_id="d")

with DAG("c_skipped_chain", schedule=None, start_date=START):
    Act(task_id="a", script="skip") >> Act(task_id="b") >> Act(task_id="c", trigger_rule="none_failed")

with DAG("c_failure_in_the_middle", schedule=None, start_date=START):
    Act(task_id="a", script="fail") >> Act(task_id="b", trigger_rule="all_done")

with DAG("c_retries", schedule=None, start_date=START, default_args={"retry_delay": SOON}):
    Act(task_id="second_time", script=("fail", "succeed"), retries=2)
    Act(task_id="third_time", script=("error", "exit 1", "succeed"), retries=2)
    Act(task_id="never", script="fail", retries=2)
    Act(task_id="skips_then", script=("fail", "skip"), retries=2)
    Act(task_id="for_good", script="fail_for_good", retries=2)
    Act(task_id="then_for_good", script=("fail", "fail_for_good"), retries=2)
    Act(task_id="no_retries", script=("fail", "succeed"))
    Act(task_id="grows", script=("fail", "fail", "succeed"), retries=3, retry_exponential_backoff=True)
    flaky = Act(task_id="flaky", script=("fail", "succeed"), retries=1)
    flaky >> Act(task_id="behind_flaky")

with DAG("c_ends", schedule=None, start_date=START, default_args={"retry_delay": SOON}):
    Act(task_id="error", script="error")
    Act(task_id="exit", script="exit")
    Act(task_id="exit_0", script="exit 0")
    Act(task_id="exit_3", script="exit 3")
    Act(task_id="terminated", script=("terminated", "succeed"), retries=1)
    Act(task_id="exit_again", script=("exit 1", "exit 0"), retries=1)

with DAG("c_groups", schedule=None, start_date=START):
    first = Act(task_id="first")
    with TaskGroup("outer") as outer:
        Act(task_id="x") >> Act(task_id="y", script="fail")
        with TaskGroup("inner"):
            Act(task_id="z", script="skip")
    first >> outer >> Act(task_id="last", trigger_rule="all_done")
    outer >> Act(task_id="strict")

with DAG("c_time_limits", schedule=None, start_date=START, default_args={"retry_delay": SOON}):
    limit = timedelta(seconds=5)
    Act(task_id="late", script="sleep 60", execution_timeout=limit)
    Act(task_id="in_time", script="sleep 3", execution_timeout=limit)
    Act(task_id="better", script=("sleep 60", "succeed"), execution_timeout=limit, retries=1)
    Act(task_id="none_left", execution_timeout=timedelta(0))

with DAG("c_rescheduled", schedule=None, start_date=START):
    Act(task_id="pokes", script="reschedule 3")
    Act(task_id="pokes_again", script=("fail", "reschedule 2"), retries=1, retry_delay=SOON)


def told(what):
    """Return a callback that notes its call."""

    def callback(context):
        from contract_parts import label_of, note

        note(label_of(context["ti"]), what)

    return callback


class Hooked(Act):
    """Has code before and behind `execute`."""

    def pre_execute(self, context):
        """Note it."""
        told("pre_execute")(context)

    def post_execute(self, context, result=None):
        """Note it."""
        told("post_execute")(context)


CALLBACKS = {
    f"on_{what}_callback": told(f"on_{what}")
    for what in ("execute", "success", "failure", "retry", "skipped")
}
with DAG("c_hooks", schedule=None, start_date=START, default_args=CALLBACKS | {"retry_delay": SOON}):
    Hooked(task_id="good")
    Hooked(task_id="bad", script="fail")
    Hooked(task_id="better", script=("fail", "succeed"), retries=1)
    Hooked(task_id="skipped", script="skip")
    EmptyOperator(task_id="empty")
