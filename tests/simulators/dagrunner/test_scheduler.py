"""The scheduler: limits, order, pauses, the end of a run."""

from dataclasses import replace

import pytest

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.version import AIRFLOW_3
from tests.simulators.dagrunner.running import BOTH, NewAirflow, new_airflow, only, states

__all__ = ["new_airflow"]

FIVE = """
for number in range(5):
    Act(task_id=f"t{number}", script="sleep 100"POOL)
"""


@BOTH
def test_tasks_wait_for_those_before_them_and_all_else_runs_at_once(
    conf: object, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        """
first = Act(task_id="first", script="sleep 10")
first >> [Act(task_id="left", script="sleep 10"), Act(task_id="right", script="sleep 10")]
""",
        conf=conf,
    )
    run = airflow.run()
    assert str(run.state) == "success"
    left, right = airflow.times("left", "running")[0], airflow.times("right", "running")[0]
    assert left > airflow.times("first", "success")[0]
    assert abs(left - right) < 2.0
    assert airflow.most_running == 2


def test_a_pool_limits_how_many_run_at_once(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(FIVE.replace("POOL", ", pool='small'"))
    airflow.instance.state.pools["small"] = 2
    run = airflow.run()
    assert str(run.state) == "success"
    assert airflow.most_running == 2


def test_a_task_may_take_several_slots_of_its_pool(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(FIVE.replace("POOL", ", pool='small', pool_slots=2"))
    airflow.instance.state.pools["small"] = 5
    airflow.run()
    assert airflow.most_running == 2


def test_a_task_that_fits_no_pool_waits_for_ever(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', pool='small', pool_slots=3)\nAct(task_id='b', pool='missing')")
    airflow.instance.state.pools["small"] = 2
    run = airflow.trigger()
    airflow.pass_time(10_000)
    assert states(run) == {"a": "scheduled", "b": "scheduled"}


def test_the_instance_limits_how_many_run_at_once(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(FIVE.replace("POOL", ""), conf=replace(AIRFLOW_3, parallelism=3))
    airflow.run()
    assert airflow.most_running == 3


def test_a_dag_limits_how_many_of_its_tasks_run_at_once(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(FIVE.replace("POOL", ""), dag="max_active_tasks=1")
    airflow.run()
    assert airflow.most_running == 1


def test_deferred_tasks_take_no_slot(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "for number in range(3):\n    Defer(task_id=f'd{number}', seconds=100.0)", dag="max_active_tasks=1"
    )
    run = airflow.trigger()
    airflow.pass_time(60)
    assert states(run) == dict.fromkeys(["d0", "d1", "d2"], "deferred")


def test_a_dag_limits_how_many_of_its_runs_are_active(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', script='sleep 100')", dag="max_active_runs=1")
    first, second = airflow.trigger("first"), airflow.trigger("second")
    airflow.pass_time(50)
    assert (first.state, second.state) == (RunState.RUNNING, RunState.QUEUED)
    airflow.end(second)
    assert first.state is RunState.SUCCESS
    assert first.end is not None
    assert second.start is not None
    assert second.start >= first.end


def test_what_weighs_most_runs_first(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
for number, weight in enumerate([1, 5, 3]):
    Act(task_id=f"t{number}", priority_weight=weight, weight_rule="absolute", script="sleep 10")
""",
        dag="max_active_tasks=1",
    )
    airflow.run()
    starts = {airflow.times(f"t{number}", "running")[0]: number for number in range(3)}
    assert [starts[start] for start in sorted(starts)] == [1, 2, 0]


def test_by_default_what_has_more_behind_it_weighs_more(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
Act(task_id="alone", script="sleep 10")
Act(task_id="long", script="sleep 10") >> Act(task_id="x") >> Act(task_id="y")
""",
        dag="max_active_tasks=1",
    )
    run = airflow.run()
    assert only(run, "long").priority_weight == 3
    assert airflow.times("long", "running") < airflow.times("alone", "running")


@BOTH
def test_runs_of_a_paused_dag_stay_queued_until_it_goes_on(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a')", conf=conf)
    airflow.instance.set_paused("d", is_paused=True)
    run = airflow.trigger()
    airflow.pass_time(3600)
    assert run.state is RunState.QUEUED
    assert states(run) == {"a": "none"}
    airflow.instance.set_paused("d", is_paused=False)
    airflow.end(run, 60)
    assert run.state is RunState.SUCCESS


def test_pausing_lets_running_tasks_end_and_starts_none(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', script='sleep 100') >> Act(task_id='b')")
    run = airflow.trigger()
    airflow.until(only(run, "a"), TaskState.RUNNING)
    airflow.instance.set_paused("d", is_paused=True)
    airflow.pass_time(3600)
    assert states(run)["a"] == "success"
    assert states(run)["b"] in ("none", "scheduled")
    airflow.instance.set_paused("d", is_paused=False)
    airflow.end(run, 60)


@BOTH
def test_without_a_scheduler_running_tasks_end_and_nothing_begins(
    conf: object, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Act(task_id='a', script='sleep 100') >> Act(task_id='b')", conf=conf)
    run = airflow.trigger()
    airflow.until(only(run, "a"), TaskState.RUNNING)
    airflow.instance.scheduler.stop()
    airflow.pass_time(3600)
    assert states(run) == {"a": "success", "b": "none"}
    assert run.state is RunState.RUNNING
    airflow.instance.scheduler.start()
    airflow.end(run, 60)
    assert run.state is RunState.SUCCESS


def test_retries_that_came_due_without_a_scheduler_are_not_lost(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "Act(task_id='a', script=('fail', 'succeed'), retries=1, retry_delay=timedelta(minutes=1))"
    )
    run = airflow.trigger()
    airflow.until(only(run, "a"), TaskState.UP_FOR_RETRY)
    airflow.instance.scheduler.stop()
    airflow.pass_time(600)
    assert states(run) == {"a": "up_for_retry"}
    airflow.instance.scheduler.start()
    airflow.end(run, 60)
    assert only(run, "a").try_number == 2


@pytest.mark.parametrize(
    ("tasks", "state"),
    [
        ("Act(task_id='a') >> Act(task_id='b')", "success"),
        ("Act(task_id='a', script='fail') >> Act(task_id='b')", "failed"),
        ("Act(task_id='a', script='skip') >> Act(task_id='b')", "success"),
        ("Act(task_id='a', script='fail') >> Act(task_id='b', trigger_rule='all_done')", "success"),
        ("Act(task_id='a', script='fail') >> Act(task_id='b', trigger_rule='one_success')", "failed"),
        ("Act(task_id='a', script='fail')\nAct(task_id='b')", "failed"),
    ],
)
def test_a_run_is_as_good_as_its_last_tasks(new_airflow: NewAirflow, tasks: str, state: str) -> None:
    assert str(new_airflow(tasks).run().state) == state


def test_a_run_ends_only_after_all_its_tasks(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', script='fail')\nAct(task_id='b', script='sleep 1000')")
    run = airflow.trigger()
    airflow.pass_time(500)
    assert (run.state, states(run)["a"]) == (RunState.RUNNING, "failed")
    airflow.end(run)
    assert run.state is RunState.FAILED


@BOTH
def test_rescheduled_tasks_come_again_within_the_same_try(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', script='reschedule 2')", conf=conf)
    run = airflow.run()
    assert only(run, "a").try_number == 1
    pauses = zip(airflow.times("a", "up_for_reschedule"), airflow.times("a", "running")[1:], strict=True)
    assert [5.0 <= start - end < 8.0 for end, start in pauses] == [True, True]


def test_a_dag_without_tasks_that_run_needs_no_worker(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
try:
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow.operators.empty import EmptyOperator
EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")
"""
    )
    run = airflow.run()
    assert states(run) == {"a": "success", "b": "success"}
    assert airflow.most_running == 0
    assert [only(run, name).try_number for name in "ab"] == [1, 1]
