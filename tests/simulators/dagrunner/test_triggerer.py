"""The triggerer: deferred tasks, and what ends their triggers."""

import pytest

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.version import AIRFLOW_2, AIRFLOW_3, AirflowConf
from tests.simulators.dagrunner.running import (
    BOTH,
    Airflow,
    NewAirflow,
    journal,
    new_airflow,
    only,
    states,
)

__all__ = ["new_airflow"]


def deferred(airflow: Airflow) -> tuple[DagRun, TaskInstance]:
    """Run the DAG until the trigger of its task `d` has run for a while."""
    run = airflow.trigger()
    airflow.until(only(run, "d"), TaskState.DEFERRED)
    airflow.pass_time(20)
    assert journal("d") == ["execute 1", "trigger"]
    return run, only(run, "d")


@BOTH
def test_a_deferred_task_goes_on_with_what_the_trigger_gives(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=600.0)", conf=conf)
    run = airflow.run()
    assert states(run) == {"d": "success"}
    assert journal("d") == ["execute 1", "trigger", "trigger cleanup", "execute_complete 1 {'after': 600.0}"]
    record = only(run, "d")
    assert record.xcoms == {"before": "d", "return_value": [600.0, "d"]}
    assert record.try_number == 1
    assert record.start is not None
    assert record.start.timestamp() == airflow.times("d", "running")[0] + 1_800_000_000.0
    assert 600 < airflow.times("d", "running")[1] - airflow.times("d", "deferred")[0] < 606


@BOTH
def test_what_execute_left_on_the_operator_is_gone_afterwards(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        """
class Leaves(Defer):
    def execute(self, context):
        self.left = True
        super().execute(context)

    def execute_complete(self, context, event):
        return hasattr(self, "left")

Leaves(task_id="d")
""",
        conf=conf,
    )
    assert only(airflow.run(), "d").xcoms["return_value"] is False


@BOTH
def test_many_deferred_tasks_share_one_loop(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "Defer.partial(task_id='d').expand(seconds=[float(number) for number in range(100, 300)])", conf=conf
    )
    run = airflow.run()
    assert set(states(run).values()) == {"success"}
    assert len(run.tasks) == 200


@BOTH
@pytest.mark.parametrize(
    ("mode", "said"), [("error", "told to fail"), ("nothing", "Trigger exited without sending an event")]
)
def test_a_trigger_that_fails_fails_the_try(
    conf: AirflowConf, mode: str, said: str, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        f"Defer(task_id='d', mode='{mode}', retries=1, retry_delay=timedelta(minutes=1))", conf=conf
    )
    run = airflow.run()
    assert states(run) == {"d": "failed"}
    assert only(run, "d").try_number == 2
    assert journal("d") == [
        "execute 1",
        "trigger",
        "trigger cleanup",
        "execute 2",
        "trigger",
        "trigger cleanup",
    ]
    if mode == "nothing":
        assert "Trigger failure" in airflow.logs("d")


@BOTH
def test_a_deferral_that_takes_too_long_fails_the_try(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=1000.0, limit_s=60)", conf=conf)
    run = airflow.run()
    assert states(run) == {"d": "failed"}
    assert 60 <= airflow.times("d", "scheduled")[1] - airflow.times("d", "deferred")[0] < 75
    assert "Trigger timeout" in airflow.logs("d")
    airflow.pass_time(2000)
    assert journal("d") == ["execute 1", "trigger", "trigger cancelled", "trigger cleanup"]


@BOTH
def test_a_time_limit_that_is_not_reached_does_nothing(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=50.0, limit_s=60)", conf=conf)
    assert states(airflow.run()) == {"d": "success"}


@pytest.mark.parametrize(
    ("conf", "kill"),
    [(AIRFLOW_2, []), (AIRFLOW_3, ["trigger on_kill"])],
    ids=["2.11", "3.3"],
)
@pytest.mark.parametrize("what", ["task", "run"])
def test_a_deferred_task_that_a_user_ends(
    conf: AirflowConf, kill: list[str], what: str, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=1000.0, retries=2)", conf=conf)
    run, record = deferred(airflow)
    if what == "task":
        airflow.instance.set_task_state(run, [record], TaskState.FAILED)
    else:
        airflow.instance.set_run_state(run, RunState.FAILED)
    airflow.pass_time(conf.triggerer_poll_s + 0.1)
    assert journal("d")[2:] == ["trigger cancelled", *kill, "trigger cleanup"]
    airflow.pass_time(2000)
    assert (record.state, record.try_number) == (TaskState.FAILED, 1)
    assert "on_kill" not in journal("d"), "the operator's own is for running tasks"


@BOTH
def test_the_next_triggerer_makes_the_trigger_anew(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=100.0)", conf=conf)
    run, record = deferred(airflow)
    airflow.instance.triggerer.stop()
    airflow.pass_time(0)
    assert journal("d")[2:] == ["trigger cancelled", "trigger cleanup"]
    airflow.pass_time(5000)
    assert record.state is TaskState.DEFERRED
    airflow.instance.triggerer.start()
    started_s = airflow.passed_s
    airflow.end(run)
    assert run.state is RunState.SUCCESS
    assert 110.9 < airflow.times("d", "scheduled")[1] - started_s < 115
    assert journal("d").count("trigger") == 2
    assert "trigger on_kill" not in journal("d")


@BOTH
def test_a_task_that_defers_without_a_triggerer_waits_for_one(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=10.0)", conf=conf)
    airflow.instance.triggerer.stop()
    run = airflow.trigger()
    airflow.pass_time(600)
    assert states(run) == {"d": "deferred"}
    assert journal("d") == ["execute 1"]
    airflow.instance.triggerer.start()
    airflow.end(run, 60)
    assert run.state is RunState.SUCCESS


@BOTH
def test_a_deferral_times_out_although_no_triggerer_runs(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=1000.0, limit_s=60)", conf=conf)
    run, _ = deferred(airflow)
    airflow.instance.triggerer.stop()
    airflow.end(run, 120)
    assert run.state is RunState.FAILED


@pytest.mark.parametrize(("conf", "kills"), [(AIRFLOW_2, 0), (AIRFLOW_3, 1)], ids=["2.11", "3.3"])
def test_a_cleared_deferred_task_starts_anew_while_its_old_trigger_ends(
    conf: AirflowConf, kills: int, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Defer(task_id='d', seconds=100.0)", conf=conf)
    run, record = deferred(airflow)
    airflow.instance.clear(run, [record])
    airflow.end(run)
    assert (record.state, record.try_number) == (TaskState.SUCCESS, 2)
    said = journal("d")
    assert said.count("trigger on_kill") == kills
    assert said.count("trigger cancelled") == 1
    assert said.count("execute 2") == 1
    assert said.count("trigger") == 2
    assert said[-1] == "execute_complete 2 {'after': 100.0}"


@BOTH
def test_a_trigger_that_cannot_be_made_fails_the_try(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
from contract_parts import Tick

class Odd(Tick):
    def serialize(self):
        return "no_such_module.Odd", {}

class DefersOddly(Defer):
    def execute(self, context):
        self.defer(trigger=Odd("d", 1.0, "event"), method_name="execute_complete")

DefersOddly(task_id="d")
""",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == {"d": "failed"}
    assert "TaskDeferralError" in airflow.logs("d")
