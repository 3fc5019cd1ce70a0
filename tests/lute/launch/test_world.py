"""The launcher's last deeds, in the virtual world: whatever happens, no job and no second run is left."""

import signal
from typing import Any

import pytest

from lute.seams.commands import CommandTimeout
from simulators.dagrunner.installed import MAJOR
from simulators.facility import Facility
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario
from simulators.virtual.commands import WaitingCommands

LONG: dict[str, Any] = {"Tester": {"duration_s": 7200}}
DEAD_WORKER = {
    "what": "worker_killed",
    "whole": "host",
    "after": "remembered",
    "delay_s": 10,
    "task": "Tester",
}


def run(*faults: dict[str, Any], seed: int = 1, **more: Any) -> Result:
    return run_scenario(Scenario.model_validate({"faults": faults, "tasks": LONG} | more), seed=seed)


def ends(result: Result, job: int = 1) -> list[float]:
    start_s = result.entries[0]["t"]
    return [
        entry["t"] - start_s
        for entry in result.entries
        if entry["event"] == "job" and entry["job"] == job and entry["state"] == "CANCELLED"
    ]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_an_interrupted_launcher_cancels_what_nobody_else_does(name: str) -> None:
    """Its worker's host has died, so that no operator sees that its run was marked failed."""
    result = run(DEAD_WORKER, {"what": "launcher_signal", "signal": name, "at_s": 60})
    assert result.broken == []
    (end_s,) = ends(result)
    assert 60 <= end_s <= 65
    assert "Slurm job 1 of Tester was left by this run: cancelled" in result.output


def test_a_launcher_at_its_time_limit_does_that_before_it_is_killed() -> None:
    result = run(DEAD_WORKER, {"what": "launcher_time_limit", "at_s": 60})
    assert (result.exit_codes, result.broken) == ([143], [])
    assert ends(result)[0] <= 65


def test_an_airflow_that_does_not_answer_does_not_keep_it_from_that() -> None:
    silent = {"what": "timeout", "where": "airflow.*", "at_s": 59, "for_s": 600, "direction": "before"}
    result = run(DEAD_WORKER, silent, {"what": "launcher_time_limit", "at_s": 60})
    assert result.exit_codes == [143], "and not killed"
    assert ends(result)[0] <= 60 + 30


def test_a_slurm_that_does_not_answer_is_told_of_in_time() -> None:
    down = {"what": "controller_down", "at_s": 50, "for_s": 600}
    result = run(down, {"what": "launcher_time_limit", "at_s": 60})
    assert result.exit_codes == [143], "and not killed"
    assert "if a job of this run is left: squeue" in result.output


def test_jobs_of_others_are_left_alone() -> None:
    with Facility(Scenario.model_validate({"tasks": LONG}), seed=1) as world:
        world.begin()
        world.submit_other("mine", duration_s=300, exit_code=0)
        world.agenda.advance(world.start_s + 60)
        world.send_signal(world.launches[0], signal.SIGTERM)
        world.finish()
        states = {job.request.name: str(job.state) for job in world.slurm.cluster.jobs.values()}
    assert states == {"Tester": "CANCELLED", "mine": "COMPLETED"}


def test_a_run_that_succeeded_waits_for_nothing() -> None:
    result = run(tasks={})
    ended = {entry["event"]: entry["t"] for entry in result.entries if entry["event"] in ("run", "end")}
    assert ended["end"] - ended["run"] < 8


@pytest.mark.skipif(MAJOR != 2, reason="Airflow 3 does not delete a run that goes on")
def test_a_run_that_was_deleted_before_it_was_seen_is_not_started_again() -> None:
    result = run(
        {"what": "reset", "where": "airflow.trigger", "direction": "after"},
        {"what": "refused", "where": "airflow.get_run", "calls": 6},
        {"what": "delete_run", "at_s": 5},
        tasks={},
    )
    assert result.exit_codes == [1]
    assert "it never was, or somebody deleted it" in result.output
    started = [entry for entry in result.entries if entry["event"] == "run" and entry["state"] == "queued"]
    assert len(started) == 1
    assert result.broken == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_of_airflow_that_is_refused_in_the_middle_is_renewed(status: int) -> None:
    fault = {"what": "http_error", "where": "airflow.list_task_instances", "status": status, "call": 5}
    result = run(fault, tasks={})
    assert (result.exit_codes, result.broken, result.idle_faults) == ([0], [], [])
    logins = [entry for entry in result.entries if entry.get("endpoint") == "airflow.login"]
    assert len(logins) == (2 if MAJOR == 3 else 0)


def test_whoever_waits_for_slurm_waits_as_long_as_it_takes() -> None:
    with Facility(Scenario()) as world:
        world.slurm.is_down = True
        took: list[float] = []

        def ask() -> None:
            commands = WaitingCommands(world.slurm, world.clock)
            start_s = world.clock.monotonic()
            with pytest.raises(CommandTimeout):
                commands.run(["squeue"], timeout_s=5.0)
            took.append(world.clock.monotonic() - start_s)

        world.actors.spawn("asker", ask)
        world.agenda.advance(world.start_s + 60)
    assert took == [5.0]
