"""The executor: tries, and what ends them from outside."""

import pytest

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.version import AIRFLOW_2, AIRFLOW_3, AirflowConf
from tests.simulators.dagrunner.running import BOTH, NewAirflow, journal, new_airflow, only, states

__all__ = ["new_airflow"]

RETRIED = "Kill(task_id='k', retries=1, retry_delay=timedelta(minutes=1))"


@BOTH
@pytest.mark.parametrize("what", ["task failed", "task success", "run failed", "run success", "deleted"])
def test_on_kill_is_called_once_whoever_ends_a_running_task(
    conf: AirflowConf, what: str, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Kill(task_id='k', retries=3) >> Act(task_id='behind')", conf=conf)
    instance = airflow.instance
    run = airflow.trigger()
    record = only(run, "k")
    airflow.until(record, TaskState.RUNNING)
    airflow.pass_time(30)
    asked_s = airflow.passed_s
    subject, _, state = what.partition(" ")
    if subject == "task":
        instance.set_task_state(run, [record], TaskState(state))
    elif subject == "run":
        instance.set_run_state(run, RunState(state))
    else:
        instance.delete_run(run)
    airflow.pass_time(600)
    assert journal("k").count("on_kill") == 1
    assert journal("k").count("execute 1") == 1
    assert "execute 2" not in journal("k")
    assert str(record.state) == (state or "failed")
    assert record.try_number == 1
    assert instance.executor.tries == {}
    noticed = [e["t"] for e in airflow.trace.entries if "SIGTERM" in str(e.get("text"))]
    assert 0 <= noticed[0] - 1_800_000_000.0 - asked_s <= conf.heartbeat_s


def test_2_11_ends_execute_by_an_exception(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k')", conf=AIRFLOW_2)
    run = airflow.trigger()
    airflow.until(only(run, "k"), TaskState.RUNNING)
    airflow.instance.set_task_state(run, [only(run, "k")], TaskState.FAILED)
    airflow.pass_time(600)
    assert journal("k") == ["execute 1", "on_kill", "on_kill ends", "raises AirflowTaskTerminated"]


def test_3_3_lets_execute_go_on_for_five_seconds(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k')", conf=AIRFLOW_3)
    run = airflow.trigger()
    airflow.until(only(run, "k"), TaskState.RUNNING)
    airflow.instance.set_task_state(run, [only(run, "k")], TaskState.FAILED)
    airflow.pass_time(600)
    first, *rest = journal("k")
    assert [first, *rest[:2]] == ["execute 1", "on_kill", "on_kill ends"]
    assert rest[2:] == ["goes on 1"] * 5


@pytest.mark.parametrize(
    ("conf", "ends"),
    [(AIRFLOW_2, ["on_kill", "on_kill ends"]), (AIRFLOW_3, ["on_kill"])],
    ids=["2.11", "3.3"],
)
def test_an_on_kill_that_takes_20_s(conf: AirflowConf, ends: list[str], new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k', kill='20')", conf=conf)
    run = airflow.trigger()
    airflow.until(only(run, "k"), TaskState.RUNNING)
    airflow.instance.set_task_state(run, [only(run, "k")], TaskState.FAILED)
    airflow.pass_time(600)
    assert [line for line in journal("k") if line.startswith("on_kill")] == ends


@BOTH
def test_what_on_kill_raises_ends_execute(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k', kill='raise')", conf=conf)
    run = airflow.trigger()
    airflow.until(only(run, "k"), TaskState.RUNNING)
    airflow.instance.set_task_state(run, [only(run, "k")], TaskState.FAILED)
    airflow.pass_time(600)
    assert journal("k") == ["execute 1", "on_kill", "raises RuntimeError"]
    assert states(run) == {"k": "failed"}


@BOTH
def test_a_task_that_ends_before_anybody_notices_keeps_the_mark(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Act(task_id='a', script='sleep 1', retries=2)", conf=conf)
    run = airflow.trigger()
    record = only(run, "a")
    airflow.until(record, TaskState.RUNNING)
    airflow.pass_time(0.99)
    airflow.instance.set_task_state(run, [record], TaskState.FAILED)
    airflow.pass_time(600)
    assert states(run) == {"a": "failed"}
    assert run.state is RunState.FAILED


@BOTH
def test_a_task_marked_before_it_starts_never_starts(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a')", conf=conf)
    run = airflow.trigger()
    airflow.until(only(run, "a"), TaskState.QUEUED)
    airflow.instance.set_task_state(run, [only(run, "a")], TaskState.FAILED)
    airflow.pass_time(600)
    assert journal("a") == []
    assert run.state is RunState.FAILED


def test_on_2_11_clearing_a_running_task_has_no_effect(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k')", conf=AIRFLOW_2)
    run = airflow.trigger()
    airflow.until(only(run, "k"), TaskState.RUNNING)
    airflow.instance.clear(run, [only(run, "k")])
    airflow.pass_time(300)
    assert journal("k") == ["execute 1"]
    assert (only(run, "k").state, only(run, "k").try_number) == (TaskState.RUNNING, 1)


def test_on_3_3_a_cleared_task_is_ended_and_runs_again(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Kill(task_id='k', retries=2)", conf=AIRFLOW_3)
    run = airflow.trigger()
    record = only(run, "k")
    airflow.until(record, TaskState.RUNNING)
    airflow.instance.clear(run, [record])
    cleared_s = airflow.passed_s
    airflow.pass_time(60)
    assert (record.state, record.try_number, record.max_tries) == (TaskState.RUNNING, 2, 3)
    said = [line for line in journal("k") if not line.startswith("goes on")]
    assert said == ["execute 1", "on_kill", "on_kill ends", "execute 2"]
    assert 5.0 < airflow.times("k", "running")[1] - cleared_s < 14.0


@BOTH
def test_a_cleared_task_that_had_ended_runs_again_with_those_behind_it(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow("Act(task_id='a', script=('fail', 'succeed')) >> Act(task_id='b')", conf=conf)
    run = airflow.run()
    assert states(run) == {"a": "failed", "b": "upstream_failed"}
    airflow.instance.clear(run, list(run.tasks.values()))
    airflow.instance.set_run_state(run, RunState.QUEUED)
    airflow.end(run)
    assert states(run) == {"a": "success", "b": "success"}
    assert (only(run, "a").try_number, only(run, "b").try_number) == (2, 1)


@BOTH
def test_a_dead_process_is_a_failed_try(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(RETRIED, conf=conf)
    run = airflow.trigger()
    record = only(run, "k")
    airflow.until(record, TaskState.RUNNING)
    airflow.pass_time(10)
    assert airflow.instance.executor.kill_process(record)
    airflow.pass_time(5)
    assert record.state is TaskState.UP_FOR_RETRY
    airflow.until(record, TaskState.RUNNING, 70)
    assert record.try_number == 2
    airflow.pass_time(1)
    assert airflow.instance.executor.kill_process(record)
    airflow.pass_time(5)
    assert run.state is RunState.FAILED
    assert not airflow.instance.executor.kill_process(record), "there is nothing left to kill"
    assert journal("k") == ["execute 1", "execute 2"]


@BOTH
def test_a_dead_host_is_noticed_when_its_heartbeats_are_missed(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(RETRIED, conf=conf)
    run = airflow.trigger()
    record = only(run, "k")
    airflow.until(record, TaskState.RUNNING)
    airflow.pass_time(1)
    assert airflow.instance.executor.kill_worker(record)
    killed_s = airflow.passed_s
    airflow.pass_time(299)
    assert record.state is TaskState.RUNNING
    airflow.until(record, TaskState.UP_FOR_RETRY, 20)
    assert 300 <= airflow.passed_s - killed_s <= 311
    airflow.until(record, TaskState.RUNNING, 70)
    airflow.pass_time(1)
    airflow.instance.executor.kill_worker(record)
    airflow.until(record, TaskState.FAILED, 400)
    assert journal("k") == ["execute 1", "execute 2"]


@BOTH
def test_a_dead_hosts_task_that_was_marked_meanwhile_stays_marked(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(RETRIED, conf=conf)
    run = airflow.trigger()
    record = only(run, "k")
    airflow.until(record, TaskState.RUNNING)
    airflow.instance.executor.kill_worker(record)
    airflow.pass_time(100)
    airflow.instance.set_task_state(run, [record], TaskState.SUCCESS)
    airflow.pass_time(1000)
    assert (record.state, record.try_number) == (TaskState.SUCCESS, 1)


@BOTH
def test_an_operator_that_cannot_be_made_fails_its_element(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        """
class Picky(Act):
    def __init__(self, *, number=0, **kwargs):
        super().__init__(**kwargs)
        if number == 2:
            raise ValueError("not two")

Picky.partial(task_id="p").expand(number=[1, 2])
""",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == {"p[0]": "success", "p[1]": "failed"}
    assert "not two" in airflow.logs("p[1]")


@BOTH
def test_a_value_that_airflow_cannot_store_fails_the_try(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
class Gives(Act):
    def execute(self, context):
        return object() if context["ti"].try_number == 1 else 5

Gives(task_id="g", retries=1)
""",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == {"g": "success"}
    assert only(run, "g").try_number == 2
    assert only(run, "g").xcoms == {"return_value": 5}


@BOTH
def test_each_try_has_a_fresh_operator_and_no_xcoms_of_the_one_before(
    conf: AirflowConf, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        """
class Counts(Act):
    seen = 0

    def execute(self, context):
        self.seen += 1
        context["ti"].xcom_push(key=f"seen{context['ti'].try_number}", value=self.seen)
        if context["ti"].try_number == 1:
            raise ValueError

Counts(task_id="c", retries=1)
""",
        conf=conf,
    )
    run = airflow.run()
    assert only(run, "c").xcoms == {"seen2": 1}


@BOTH
def test_time_limits_end_a_try_that_may_be_tried_again(conf: AirflowConf, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
limit = timedelta(seconds=9)
Act(task_id="a", script=("sleep 100", "succeed"), retries=1, execution_timeout=limit)
""",
        conf=conf,
    )
    run = airflow.run()
    assert states(run) == {"a": "success"}
    assert journal("a") == ["execute 1 sleep", "on_kill", "execute 2 succeed"]
    assert airflow.times("a", "up_for_retry")[0] - airflow.times("a", "running")[0] == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("conf", "state"), [(AIRFLOW_2, "failed"), (AIRFLOW_3, "success")], ids=["2.11", "3.3"]
)
def test_only_2_11_counts_the_deferred_time(conf: AirflowConf, state: str, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "Defer(task_id='d', seconds=99.0, execution_timeout=timedelta(minutes=1))", conf=conf
    )
    run = airflow.run()
    assert states(run) == {"d": state}


@pytest.mark.parametrize(("conf", "is_there"), [(AIRFLOW_2, True), (AIRFLOW_3, False)], ids=["2.11", "3.3"])
def test_a_run_without_a_logical_date_has_none_on_3_3(
    conf: AirflowConf, is_there: bool, new_airflow: NewAirflow
) -> None:
    airflow = new_airflow(
        """
class Looks(Act):
    def execute(self, context):
        return [name in context for name in ("ds", "ts", "logical_date")]

Looks(task_id="a")
""",
        conf=conf,
    )
    assert only(airflow.run(), "a").xcoms == {"return_value": [is_there] * 3}
