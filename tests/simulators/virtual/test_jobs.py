"""Whose jobs are whose, which model they have, and what is told of them."""

from typing import Any

import pytest

from simulators.facility import Facility
from simulators.scenario.result import Result
from simulators.scenario.runner import begin, conclude, run_scenario
from simulators.scenario.schema import Scenario


def run(**scenario: Any) -> Result:
    return run_scenario(Scenario.model_validate(scenario), seed=3)


def first_entries(result: Result) -> list[tuple[int, str, int, str]]:
    return [
        (entry["job"], entry["task"], entry["try"], entry["name"])
        for entry in result.entries
        if entry["event"] == "job" and "task" in entry
    ]


def test_each_job_belongs_to_the_task_and_the_try_that_submitted_it() -> None:
    result = run(retries=1, retry_delay_s=1, tasks={"Tester": [{"exit_code": 1}, {}]})
    assert first_entries(result)[:2] == [(1, "Tester", 1, "Tester"), (2, "Tester", 2, "Tester")]
    assert result.jobs["Tester"] == [1, 2]


def test_jobs_of_two_runs_are_told_apart_and_have_the_tries_of_their_own_run() -> None:
    models = {"Tester": [{"duration_s": 5, "exit_code": 1}, {"duration_s": 5}], "*": {"duration_s": 5}}
    result = run(launches=2, retries=1, retry_delay_s=40, tasks=models)
    of_tester = [entry for entry in first_entries(result) if entry[3] == "Tester"]
    assert {(task, number) for _, task, number, _ in of_tester} == {
        ("Tester", 1),
        ("Tester", 2),
        ("Tester#2", 1),
        ("Tester#2", 2),
    }
    assert result.broken == []


def test_models_follow_the_tries_and_the_last_one_stays() -> None:
    models = [{"exit_code": 1}, {"exit_code": 2}, {"exit_code": 3}]
    result = run(retries=3, retry_delay_s=1, tasks={"Tester": models, "*": {"duration_s": 1}})
    states = [
        entry["state"] for entry in result.entries if entry["event"] == "job" and entry["name"] == "Tester"
    ]
    assert states.count("FAILED") == 4
    assert result.tries["Tester"] == 4


def test_a_model_may_be_given_for_all_or_for_one() -> None:
    result = run(tasks={"*": {"duration_s": 7}, "ReadTester": {"duration_s": 3}})
    lasted = {
        name: ended["t"] - started["t"]
        for name in ("Tester", "ReadTester")
        for started in result.entries
        if started["event"] == "job" and started["name"] == name and started["state"] == "RUNNING"
        for ended in result.entries
        if ended["event"] == "job" and ended["name"] == name and ended["state"] == "COMPLETED"
    }
    assert lasted["Tester"] == pytest.approx(7, abs=1)
    assert lasted["ReadTester"] == pytest.approx(3, abs=1)


def test_the_books_are_empty_at_the_end() -> None:
    with Facility(Scenario()) as world:
        begin(world)
        told: list[str] = []
        world.agenda.advance(world.start_s + 5)
        (live,) = world.jobs.live
        assert world.last_job("Tester") == live
        world.when_job_ends(live, lambda: told.append("ended"))
        conclude(world, ended=world.finish())
        assert told == ["ended"]
        assert (world.jobs.live, world.jobs.on_end) == (set(), {})
        assert world.last_job("nobody") is None


def test_a_task_is_found_by_its_name_in_its_own_run() -> None:
    with Facility(Scenario(launches=2)) as world:
        begin(world)
        world.agenda.advance(world.start_s + 5)
        first, second = world.airflow_task("Tester"), world.airflow_task("Tester#2")
        assert first is not None
        assert second is not None
        assert [first[0], second[0]] == list(world.airflow.state.runs.values())
        assert world.airflow_task("Tester#3") is None
        assert world.airflow_task("Nobody") is None
        started = world.airflow_task(None)
        assert started is not None
        assert started[0] is second[0]
