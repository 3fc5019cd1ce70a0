"""When the faults of a plan act: counted calls, windows, runs, moments."""

from typing import Any

import pytest

from simulators.facility import Facility
from simulators.faults.plan import Plan
from simulators.net.exchange import Exchange
from simulators.net.messages import HttpRequest
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario


def planned(*faults: dict[str, Any], seed: int = 1) -> tuple[Plan, Facility]:
    world = Facility(Scenario.model_validate({"faults": faults}), seed=seed)
    return world.plan, world


def hits(plan: Plan, client: str = "Tester", times: int = 10, endpoint: str = "jid.start_job") -> list[int]:
    """Return which of some requests were hit, from 1."""
    found = []
    for number in range(1, times + 1):
        exchange = Exchange(client, endpoint, HttpRequest("POST", "http://x/y", {}), number)
        plan.before(exchange)
        if exchange.faults:
            found.append(number)
    return found


REFUSED = {"what": "refused", "where": "jid.start_job"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, [1]),
        ({"call": 3}, [3]),
        ({"call": 3, "calls": 2}, [3, 4]),
        ({"calls": None}, list(range(1, 11))),
        ({"call": 9, "calls": None}, [9, 10]),
        ({"for_s": 60.0}, list(range(1, 11))),
        ({"for_s": 60.0, "call": 8}, [8, 9, 10]),
        ({"at_s": 1.0}, []),
        ({"task": "Tester"}, [1]),
        ({"task": "Other"}, []),
        ({"task": "Tester#2"}, []),
        ({"where": "jid.*"}, [1]),
        ({"where": "airflow.*"}, []),
    ],
)
def test_a_fault_hits_the_calls_that_it_names(given: dict[str, Any], wanted: list[int]) -> None:
    plan, _ = planned(REFUSED | given)
    assert hits(plan) == wanted
    assert plan.acted[0] == len(wanted)
    assert (plan.idle == []) is bool(wanted)


def test_calls_are_counted_from_its_time_on_and_of_its_task_alone() -> None:
    plan, world = planned(REFUSED | {"task": "Tester", "call": 2, "at_s": 10.0})
    assert hits(plan, times=5) == []
    world.agenda.advance(world.start_s + 10.0)
    assert hits(plan, "Other", times=5) == []
    assert hits(plan, times=5) == [2]


def test_a_window_has_a_first_and_no_last_moment() -> None:
    plan, world = planned(REFUSED | {"at_s": 10.0, "for_s": 5.0, "calls": None})
    for at_s, is_hit in ((9.999, False), (10.0, True), (14.999, True), (15.0, False)):
        world.agenda.advance(world.start_s + at_s)
        assert bool(hits(plan, times=1)) is is_hit


def test_a_label_means_the_task_in_every_run_and_a_name_in_one() -> None:
    plan, _ = planned(REFUSED | {"task": "Tester", "calls": 2}, REFUSED | {"task": "Tester#2"})
    assert hits(plan, "Tester", 1) == [1]
    assert hits(plan, "Tester#2", 2) == [1]
    assert (plan.acted[0], plan.acted[1]) == (2, 1)


def test_chance_comes_from_the_seed() -> None:
    def drawn(seed: int) -> list[int]:
        return hits(planned(REFUSED | {"probability": 0.3, "calls": None}, seed=seed)[0], times=300)

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 < len(drawn(1)) < 120


def test_two_faults_may_act_on_one_request() -> None:
    plan, _ = planned(REFUSED, {"what": "slow", "where": "jid.*", "delay_s": 3})
    exchange = Exchange("Tester", "jid.start_job", HttpRequest("POST", "http://x/y", {}), 1)
    plan.before(exchange)
    assert exchange.faults == [0, 1]
    assert not exchange.arrives


def run(*faults: dict[str, Any], **more: Any) -> Result:
    return run_scenario(Scenario.model_validate({"faults": faults, **more}), seed=1)


def struck(result: Result) -> list[tuple[float, str]]:
    start_s = result.entries[0]["t"]
    return [(round(entry["t"] - start_s, 3), entry["target"]) for entry in result.faults]


def first(result: Result, **wanted: object) -> float:
    entry = next(
        entry for entry in result.entries if all(entry.get(name) == value for name, value in wanted.items())
    )
    return round(entry["t"] - result.entries[0]["t"], 3)


def test_a_moment_and_a_delay() -> None:
    result = run({"what": "cancel", "task": "Tester", "after": "job_running", "delay_s": 2.5})
    (found,) = struck(result)
    assert found == (pytest.approx(first(result, job=1, state="RUNNING") + 2.5, abs=0.002), "Tester")


def test_a_time_of_the_clock() -> None:
    assert struck(run({"what": "cancel", "task": "Tester", "at_s": 7.0})) == [(7.0, "Tester")]


def test_the_nth_time_and_only_that() -> None:
    models = {"*": {"duration_s": 5}}
    fault = {"what": "cancel", "after": "job_running", "nth": 3}
    result = run(fault, tasks=models)
    (found,) = struck(result)
    assert found[1] in ("BinaryTester", "SocketTester")
    third = sorted(
        entry["t"] for entry in result.entries if entry["event"] == "job" and entry["state"] == "RUNNING"
    )[2]
    assert found[0] == pytest.approx(third - result.entries[0]["t"], abs=0.002)


def test_a_moment_of_the_second_run_alone() -> None:
    fault = {"what": "cancel", "after": "job_running", "task": "Tester#2"}
    result = run(fault, launches=2)
    ((_, target),) = struck(result)
    assert target == "Tester#2"
    ends = {entry["job"]: entry["state"] for entry in result.entries if entry["event"] == "job"}
    assert ends[result.jobs["Tester"][0]] == "COMPLETED"
    assert ends[result.jobs["Tester#2"][0]] == "CANCELLED"


@pytest.mark.parametrize("nth", [1, 2])
def test_a_label_waits_for_the_task_in_any_run(nth: int) -> None:
    result = run({"what": "cancel", "after": "submitted", "task": "Tester", "nth": nth}, launches=2)
    jobs = sorted(
        (entry["t"], entry["task"])
        for entry in result.entries
        if entry["event"] == "job" and entry.get("name") == "Tester" and "task" in entry
    )
    assert [target for _, target in struck(result)] == [jobs[nth - 1][1]]


@pytest.mark.parametrize("task", ["Tester", "Tester#2"])
def test_a_mark_hits_the_task_of_the_run_that_it_names(task: str) -> None:
    result = run({"what": "mark_task", "after": "job_running", "task": task}, launches=2)
    marked = [found for _, found in struck(result)]
    failed = {
        entry["run_id"] for entry in result.entries if entry["event"] == "task" and entry["state"] == "failed"
    }
    assert len(failed) == 1
    order = [
        entry["run_id"] for entry in result.entries if entry["event"] == "run" and entry["state"] == "queued"
    ]
    assert order.index(failed.pop()) == int((marked[0] + "#1").split("#")[1]) - 1


def test_a_fault_that_finds_nothing_to_strike_is_reported_as_idle() -> None:
    result = run(
        {"what": "cancel", "task": "Tester", "at_s": 3000.0},
        {"what": "cancel", "task": "Tester", "after": "job_ended"},
        {"what": "refused", "where": "elog.*"},
    )
    assert result.faults == []
    assert result.idle_faults == ["cancel at slurm.job", "cancel at slurm.job", "refused at elog.*"]
