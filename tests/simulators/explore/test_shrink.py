"""Shrinking leaves what it takes to break an invariant, within its number of runs."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.checkers.all import Broken
from simulators.explore.cases import keep_case
from simulators.explore.shrink import Shrunk, shrink
from simulators.faults.kinds import parse_fault
from simulators.faults.model import Fault
from simulators.kernel.trace import Trace
from simulators.scenario.result import Result
from simulators.scenario.schema import ClusterModel, Scenario, TaskModel

PLAIN = Scenario()
Breaks = Callable[[Scenario], bool]


def fault(number: int) -> Fault:
    return parse_fault({"what": "cancel", "at_s": float(number)})


def numbers(scenario: Scenario) -> set[int]:
    return {int(found.at_s) for found in scenario.faults}  # type: ignore[attr-defined]


def scenario(count: int, **more: Any) -> Scenario:
    return Scenario(faults=tuple(fault(number) for number in range(count)), **more)


def result(broken: list[Broken]) -> Result:
    return Result(
        workflow="test", scenario="s", seed=1, run_state="success", exit_codes=[0], tasks={}, tries={},
        jobs={}, output="", broken=broken, unexpected=[], idle_faults=[], faults=[], duration_s=1.0,
        exchanges=1, ended=True, trace=Trace(),
    )  # fmt: skip


def shrunk(given: Scenario, breaks: Breaks, most_runs: int = 1000) -> tuple[Shrunk, int]:
    """Shrink with a world in which `breaks` tells what goes wrong; return how many runs there were, too."""
    runs = itertools.count()

    def run(candidate: Scenario, _seed: int) -> Result:
        next(runs)
        return result([Broken("it", "text")] if breaks(candidate) else [Broken("other", "text")])

    small = shrink(given, 1, "it", run, most_runs=most_runs)
    return small, next(runs)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(0, n - 1))))))
def test_only_the_faults_that_it_takes_are_left(given: tuple[int, set[int]]) -> None:
    count, needed = given
    needed &= set(range(count))
    small, runs = shrunk(scenario(count), lambda one: needed <= numbers(one))
    assert numbers(small.scenario) == needed
    assert small.runs == runs


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 8), st.data())
def test_none_of_the_faults_that_are_left_can_go(count: int, data: st.DataObject) -> None:
    table = data.draw(st.sets(st.frozensets(st.integers(0, count - 1))))
    whole = frozenset(range(count))

    def breaks(one: Scenario) -> bool:
        return frozenset(numbers(one)) in table | {whole}

    small, _ = shrunk(scenario(count), breaks)
    left = frozenset(numbers(small.scenario))
    assert left in table | {whole}
    assert not [number for number in left if left - {number} in table]


@pytest.mark.parametrize("most_runs", [1, 2, 5, 17])
def test_it_stops_after_so_many_runs_with_the_best_so_far(most_runs: int) -> None:
    small, runs = shrunk(scenario(40), lambda one: 3 in numbers(one), most_runs)
    assert runs == small.runs == min(most_runs, runs)
    assert 3 in numbers(small.scenario)
    assert any(found.checker == "it" for found in small.result.broken)


def test_everything_else_becomes_plain_if_it_may() -> None:
    special = scenario(
        2,
        slurm_args=("-n3",),
        retries=2,
        retry_delay_s=7.0,
        launches=3,
        cluster=ClusterModel(min_job_age_s=2.0),
        tasks={"Tester": (TaskModel(exit_code=1),), "*": (TaskModel(),)},
    )
    small, _ = shrunk(special, lambda _: True)
    assert small.scenario == PLAIN
    kept, _ = shrunk(special, lambda one: one.retries == 2 and "Tester" in one.tasks)
    assert (kept.scenario.retries, list(kept.scenario.tasks), kept.scenario.launches) == (2, ["Tester"], 1)
    assert kept.scenario.cluster == PLAIN.cluster


def test_a_smaller_case_that_crashes_the_world_is_no_smaller_case() -> None:
    def run(candidate: Scenario, _seed: int) -> Result:
        if len(candidate.faults) < 2:
            raise ZeroDivisionError
        return result([Broken("it", "text")])

    small = shrink(scenario(5), 1, "it", run)
    assert len(small.scenario.faults) == 2


def test_what_does_not_happen_again_is_left_as_it_was_and_said() -> None:
    small, _ = shrunk(scenario(3), lambda _: False)
    assert small.scenario == scenario(3)
    assert "not broken once more" in keep_case(small, "it", None)["text"]
