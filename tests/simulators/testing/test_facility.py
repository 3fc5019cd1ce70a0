"""The fixtures, used as a user uses them: on this repository's own workflow `test`."""

import os
import re
from datetime import UTC, datetime

import pytest

from lute.errors import ConfigError
from lute.seams import SystemClock, current_runtime
from simulators.dagrunner.installed import MAJOR
from simulators.scenario.runner import run_scenario
from simulators.testing import (
    ClockHandle,
    Expected,
    FacilityHandle,
    JidHandle,
    Scenario,
    SlurmHandle,
    TaskModel,
)

SLOW = {"Tester": TaskModel(duration_s=100), "*": TaskModel(duration_s=1)}
NODE = "sdfmilan001"


@pytest.fixture
def live(facility: FacilityHandle) -> FacilityHandle:
    """A world 10 s after the launch; Tester runs."""
    facility.use(tasks=SLOW, retries=1).launch()
    facility.clock.sleep(10)
    return facility


def test_without_a_mark_the_usual_workflow_runs(facility: FacilityHandle) -> None:
    result = facility.run()
    assert (result.workflow, result.run_state, result.tasks["ReadTester"]) == ("test", "success", "success")
    assert facility.result is result
    assert facility.output == result.output
    assert facility.tasks == result.tasks


def test_what_is_not_said_stays_as_it_is(facility: FacilityHandle) -> None:
    facility(workflow="lute_test_failure", seed=4, retries=2)
    facility.use(tasks={"Tester": TaskModel(exit_code=1)}, retry_delay_s=0)
    result = facility.run(seed=5)
    assert (result.workflow, result.seed, result.tries["Tester"]) == ("test_failure", 5, 3)
    assert [run.world.seeds.seed for run in facility.runs] == [5]


def test_each_run_is_a_world_of_its_own(facility: FacilityHandle) -> None:
    digests = {facility.run(seed=seed).digest for seed in (1, 2, 1)}
    assert (len(facility.runs), len(digests)) == (3, 2)


@pytest.mark.scenario("lost_start_job_reply", workflow="pyalgos_sfx", check=False)
def test_a_scenario_of_another_workflow_befalls_this_one(facility: FacilityHandle) -> None:
    (fault,) = facility.run().faults
    assert (fault["what"], fault["target"]) == ("reset", "PeakFinderPyAlgos")


@pytest.mark.scenario("jid_down_5_min", Scenario(name="plain", workflow="test"), "step_fails")
def test_several_scenarios_are_one_test_each(
    facility: FacilityHandle, request: pytest.FixtureRequest
) -> None:
    assert request.node.name.endswith(f"[{facility.run().scenario}]")


@pytest.mark.scenario(airflow=5 - MAJOR)
def test_a_scenario_for_the_other_airflow_is_skipped(facility: FacilityHandle) -> None:
    with pytest.raises(pytest.skip.Exception, match=f"for Airflow {5 - MAJOR}, installed is {MAJOR}"):
        facility.run()


def test_time_passes_when_the_clock_says_so(live: FacilityHandle, clock: ClockHandle) -> None:
    assert clock.elapsed_s == 10
    assert clock.now() == datetime(2027, 1, 15, 8, 0, 10, tzinfo=UTC)
    assert live.tasks == dict.fromkeys(live.tasks, "none") | {"Tester": "running"}
    clock.advance_to(60)
    clock.wait_until(lambda: live.tasks["Tester"] == "success")
    assert 100 < clock.elapsed_s < 115
    with pytest.raises(ValueError, match="time cannot go back"):
        clock.advance_to(60)
    with pytest.raises(TimeoutError, match="not so after 5 s of virtual time"):
        clock.wait_until(lambda: live.tasks["ReadTester"] == "success", timeout_s=5)
    assert live.finish().run_state == "success"


def test_a_test_sees_requests_jobs_and_logs(live: FacilityHandle, jid: JidHandle, slurm: SlurmHandle) -> None:
    (job,) = slurm.jobs("Tester")
    assert (job.job_id, job.state, slurm.jobs("ReadTester")) == (1, "RUNNING", [])
    assert "Tester" in slurm.queue()
    assert slurm.run("scontrol", "show", "job", "1").stdout.startswith("JobId=1 ")
    assert (slurm.log("Tester"), slurm.log("ReadTester")) == ("simulated Tester, job 1\n", "")
    first = next(request for request in jid.requests if request.endpoint == "start_job")
    assert (first.client, first.endpoint, first.status, first.failure) == ("Tester", "start_job", 200, "")
    assert 0 < first.time_s < 2
    live.finish()
    assert {job.task for job in slurm.jobs()} == set(live.tasks)


def test_the_jid_goes_wrong_from_now_on(live: FacilityHandle, jid: JidHandle, clock: ClockHandle) -> None:
    jid.down(for_s=20)
    clock.sleep(40)
    refused = [request.time_s for request in jid.requests if request.failure == "refused"]
    assert refused
    assert all(10 <= time_s < 30 for time_s in refused)
    jid.fail_next("job_statuses", status=503, times=2)
    jid.slow_down(for_s=15, delay_s=3)
    clock.sleep(40)
    assert [request.status for request in jid.requests if request.time_s > 30].count(503) == 2
    jid.fail_next("start_job", status=400, task="WriteTester")
    result = live.finish()
    failed = [request for request in jid.requests if request.status == 400]
    assert [(request.client, request.endpoint) for request in failed] == [("WriteTester", "start_job")]
    assert (result.tasks["WriteTester"], result.tasks["BinaryTester"]) == ("failed", "success")
    assert {entry["what"] for entry in result.faults} == {"refused", "http_error", "slow"}


def test_a_reply_is_lost_after_its_effect(
    facility: FacilityHandle, jid: JidHandle, slurm: SlurmHandle
) -> None:
    jid.lose_next_reply("start_job", task="Tester")  # before the launch: with it
    facility.use(check=False).launch()
    facility.finish()
    asked = [request.failure for request in jid.requests if request.endpoint == "start_job"]
    assert asked[:2] == ["reset", ""], "asked again"
    assert len(slurm.jobs("Tester")) == 1


def test_slurm_goes_wrong_from_now_on(live: FacilityHandle, slurm: SlurmHandle, clock: ClockHandle) -> None:
    slurm.fail_node(NODE, for_s=60)
    assert slurm.jobs("Tester")[0].state == "COMPLETING", "at once, before any time passes"
    clock.wait_until(lambda: slurm.jobs("Tester")[0].state == "RUNNING")
    slurm.preempt("Tester")
    clock.wait_until(lambda: slurm.jobs("Tester")[0].state == "RUNNING")
    slurm.down(for_s=30)
    assert "Unable to contact slurm controller" in slurm.run("squeue").stderr
    clock.sleep(31)
    slurm.cancel("Tester")
    result = live.finish()
    assert [state for _, state in slurm.jobs("Tester")[0].states][-1] == "CANCELLED"
    assert result.tries["Tester"] == 2
    assert [entry["what"] for entry in result.faults] == ["node_down", "preempt", "controller_down", "cancel"]


def test_faults_for_a_moment_count_it_from_now_on(live: FacilityHandle, slurm: SlurmHandle) -> None:
    slurm.cancel("Tester")
    live.inject("cancel", task="Tester", after="job_running")
    assert live.finish().tries["Tester"] == 2
    assert [job.state for job in slurm.jobs("Tester")] == ["CANCELLED", "CANCELLED"]


def test_what_strikes_later_is_planned(live: FacilityHandle) -> None:
    live.inject("cancel", task="Tester", at_s=20)
    (struck,) = live.finish().faults
    assert struck["t"] - live.world.start_s == 30


def test_a_steered_run_is_what_its_scenario_alone_does(
    live: FacilityHandle, jid: JidHandle, slurm: SlurmHandle
) -> None:
    """So a report may give the scenario, and `lute-sim` goes the same way."""
    slurm.fail_node(NODE)
    jid.down(for_s=60)
    live.clock.sleep(150)
    jid.fail_next("job_statuses")
    live.inject("log", content="missing", task="WriteTester")
    live.inject("reset", where="airflow.*", probability=0.5, calls=None, for_s=100)
    steered = live.finish()
    alone = run_scenario(live.runs[0].scenario)
    assert len(steered.faults) > 5
    assert alone.entries[1:-1] == steered.entries[1:-1]


def test_a_broken_invariant_can_be_asked_for_while_it_runs(live: FacilityHandle) -> None:
    live.check()
    live.world.trace.note(live.world.agenda.now_s, "Tester", "log", level="INFO", text=live.world.secrets[0])
    with pytest.raises(AssertionError, match=r"^no_secret: "):
        live.check()
    live.world.trace.entries.pop()


def test_why_a_test_must_not_pass(facility: FacilityHandle) -> None:
    facility.run(expect=Expected(run="failed", tasks={"Tester": "success"}))
    assert facility.end() == "not as expected: the run is success, expected failed"
    facility.runs[0].setup = facility.use(check=False)._setup
    assert facility.end() == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"scenario": "jid_dwon_5_min"},
            "there is no scenario 'jid_dwon_5_min': did you mean jid_down_5_min",
        ),
        ({"scenario": "cases/none.yaml"}, "cases/none.yaml: cannot be read"),
        ({"workflow": "tset"}, "there is no workflow 'tset': did you mean test"),
        ({"tasks": {"Testre": TaskModel()}}, "workflow test has no task 'Testre': did you mean Tester"),
        ({"retires": 2}, "the scenario: retires: Extra inputs are not permitted"),
        ({"dags": "nowhere"}, "there is no folder of DAG files "),
    ],
)
def test_what_is_wrong_is_told(facility: FacilityHandle, changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        facility.run(**changes)  # type: ignore[arg-type]
    assert not facility.is_launched


def test_what_is_wrong_is_told_while_a_world_runs(live: FacilityHandle, slurm: SlurmHandle) -> None:
    for fields, said in (
        ({"what": "preemt", "task": "Tester"}, "unknown fault 'preemt': did you mean preempt"),
        ({"what": "preempt", "task": "Testre"}, "no task 'Testre': did you mean Tester"),
        ({"what": "preempt", "tusk": "Tester"}, "the fault preempt: tusk: Extra inputs"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            live.inject(**fields)
    with pytest.raises(ConfigError, match=r"no node 'sdfmilan01': did you mean sdfmilan001"):
        slurm.fail_node("sdfmilan01")
    with pytest.raises(ValueError, match="dag_paused holds from the beginning"):
        live.inject("dag_paused")
    with pytest.raises(RuntimeError, match="has not ended"):
        _ = live.result
    with pytest.raises(RuntimeError, match="a world goes on already"):
        live.launch()


def test_nothing_can_be_seen_before_the_launch(facility: FacilityHandle, jid: JidHandle) -> None:
    for look in (
        lambda: jid.requests,
        lambda: facility.tasks,
        lambda: facility.clock.sleep(1),
        facility.finish,
    ):
        with pytest.raises(RuntimeError, match="nothing was launched"):
            look()


def test_a_world_leaves_nothing_behind(facility: FacilityHandle) -> None:
    before = dict(os.environ)
    facility.launch()
    assert os.environ["LUTE_SITE"] != before.get("LUTE_SITE")
    assert current_runtime().clock is facility.world.clock
    actors = facility.world.actors
    facility.clock.sleep(5)
    assert actors.running
    facility.close()
    assert dict(os.environ) == before
    assert isinstance(current_runtime().clock, SystemClock)
    assert not actors.running
