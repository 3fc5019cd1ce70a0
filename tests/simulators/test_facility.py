"""A world leaves nothing behind, reports its own crashes, and does not grow."""

import gc
import os
import sys
import warnings
import weakref
from pathlib import Path
from typing import Any

import psutil
import pytest
from greenlet import greenlet

from lute.errors import ConfigError
from lute.seams import SystemClock, current_runtime
from simulators import environ
from simulators.explore.explorer import Search, run_seeds
from simulators.facility import START_S, Facility
from simulators.faults.swarm import MAKERS
from simulators.kernel.clock import VirtualClock
from simulators.scenario.runner import begin, run_scenario
from simulators.scenario.schema import Scenario

DAGS = Path(__file__).parent / "virtual" / "dags"


def greenlets() -> int:
    """Return how many greenlets have a stack."""
    gc.collect()
    return sum(issubclass(type(found), greenlet) and bool(found) for found in gc.get_objects())


class Left:
    """What a process has that a world might leave behind."""

    def __init__(self) -> None:
        self.environ = dict(os.environ)
        self.files = {file.path for file in psutil.Process().open_files()}
        self.connections = len(psutil.Process().net_connections())
        self.threads = psutil.Process().num_threads()
        self.greenlets = greenlets()
        self.clock = type(current_runtime().clock)
        self.profile = sys.getprofile()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Left) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def half_way(scenario: Scenario | None = None) -> None:
    """Leave a world while everything in it waits for something."""
    with Facility(scenario or Scenario(launches=2)) as world:
        begin(world)
        world.agenda.advance(world.start_s + 40)
        assert len(world.actors.running) > 2


def failing() -> None:
    with pytest.raises(ZeroDivisionError), Facility(Scenario()) as world:
        begin(world)
        world.agenda.advance(world.start_s + 10)
        raise ZeroDivisionError


def waiting_in_a_trigger() -> None:
    with Facility(Scenario(workflow="waits"), dags=DAGS) as world:
        begin(world)
        world.agenda.advance(world.start_s + 20)


def with_dead_launcher() -> None:
    run_scenario(
        Scenario.model_validate({"faults": [{"what": "launcher_signal", "signal": "SIGKILL", "at_s": 20}]})
    )


@pytest.mark.parametrize(
    "leave",
    [lambda: run_scenario(Scenario()), half_way, failing, waiting_in_a_trigger, with_dead_launcher],
    ids=["ended", "half way", "failing", "in a trigger", "dead launcher"],
)
def test_a_world_leaves_nothing_behind(leave: Any) -> None:
    leave()  # what is imported and cached once, stays
    before = Left()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        leave()
    assert vars(Left()) == vars(before)
    assert before.clock is SystemClock


def test_a_closed_world_is_freed() -> None:
    with Facility(Scenario()) as world:
        begin(world)
        world.agenda.advance(world.start_s + 40)
    found = weakref.ref(world)
    del world
    gc.collect()
    assert found() is None


def test_a_world_is_the_process_s_only_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.delenv("LUTE_SITE", raising=False)
    with Facility(Scenario()) as world:
        assert isinstance(current_runtime().clock, VirtualClock)
        assert os.environ["LOGNAME"] != "somebody"
        assert world.agenda.now_s == START_S
    assert os.environ["LOGNAME"] == "somebody"
    assert "LUTE_SITE" not in os.environ
    assert isinstance(current_runtime().clock, SystemClock)


def test_variables_are_put_back_also_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(ZeroDivisionError), environ.changed({"ONE": "x", "TWO": "y"}):
        assert (os.environ["ONE"], os.environ["TWO"]) == ("x", "y")
        del os.environ["ONE"]
        raise ZeroDivisionError
    assert os.environ["ONE"] == "1"
    assert "TWO" not in os.environ
    with pytest.raises(ZeroDivisionError), environ.without("ONE", "TWO"):
        assert "ONE" not in os.environ
        raise ZeroDivisionError
    assert os.environ["ONE"] == "1"


def test_a_workflow_that_is_not_there_is_refused_with_the_closest_name() -> None:
    with pytest.raises(ConfigError, match=r"there is no workflow 'tset': .*test"):
        Facility(Scenario(workflow="tset"))


def test_a_workflow_that_cannot_be_imported_is_refused_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("from airflow import DAG\nimport no_such_module\n")
    with pytest.raises(ConfigError, match="no_such_module") as caught:
        Facility(Scenario(workflow="broken"), dags=tmp_path)
    assert str(file) in str(caught.value)


def test_a_crash_of_the_world_in_an_actor_is_raised_and_not_lost() -> None:
    def crash() -> None:
        raise ZeroDivisionError("the world is broken")

    with Facility(Scenario()) as world:
        begin(world)
        world.actors.spawn("part", crash)
        with pytest.raises(RuntimeError, match=r"part crashed: .*the world is broken") as caught:
            world.finish()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_crash_of_the_world_is_reported_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: Any) -> None:
        raise ZeroDivisionError("the world is broken")

    monkeypatch.setattr("simulators.dagrunner.executor.Executor._report", crash)
    report = run_seeds(Search("test", ()), range(3, 5))
    assert [seed for seed, _ in report.crashes] == [3, 4]
    assert "the world is broken" in report.crashes[0][1]


def test_three_hundred_worlds_take_no_more_memory_than_a_few() -> None:
    search = Search("test", tuple(MAKERS))

    def live(seeds: range) -> int:
        for seed in seeds:
            search.run(seed)
        gc.collect()
        return psutil.Process().memory_info().rss

    live(range(60))
    objects = len(gc.get_objects())
    before = live(range(60, 100))
    grown_mib = (live(range(100, 300)) - before) / 1024 / 1024
    assert grown_mib < 20
    # Caches of the standard library and of Airflow grow for a while, but not by what a world consists of.
    assert len(gc.get_objects()) - objects < 5000
