"""A virtual run never reads the machine's clock: what it did would depend on the moment, or on the load."""

import contextlib
import datetime
import gc
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

import lute.launch.workflow
from simulators import environ
from simulators.dagrunner.load import load_folder
from simulators.explore.explorer import Search
from simulators.facility import WORKFLOWS
from simulators.faults.swarm import EARLY_PURGE, MAKERS
from simulators.scenario.catalogue import library
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario, TaskModel
from tests.simulators.virtual import steps

ROOT = Path(__file__).resolve().parents[2]
DAGS = Path(__file__).parent / "virtual" / "dags"
WAITS = Scenario(workflow="waits")

_NAMES = (
    *("time", "monotonic", "perf_counter", "thread_time", "clock_gettime"),
    *("time_ns", "monotonic_ns", "perf_counter_ns", "thread_time_ns", "clock_gettime_ns"),
    *("sleep", "gmtime", "localtime", "ctime", "asctime", "strftime"),
)
CLOCK_FUNCTIONS = {*(getattr(time, name) for name in _NAMES), select.select}
"""The calendar functions read it only if they are given no moment, which nobody can see from outside."""
DATE_METHODS = {"now", "utcnow", "today"}


@pytest.fixture(autouse=True, scope="module")
def dags_are_read() -> None:
    """Read the DAG files first, as each process does once: Airflow 2 notes in `DAG.last_loaded` when."""
    for deferrable in ("False", "True"):
        with environ.changed({"AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE": deferrable}):
            for folder in (WORKFLOWS, DAGS):
                load_folder(folder)


class ClockGuard:
    """Notes every call of a C function that reads the machine's clock or waits by it, in every greenlet.

    It sees the call itself, so no way of importing or renaming a function escapes it. What Python code never
    calls, C code reading the clock for itself, it cannot see.

    Attributes:
        reads: what was called and from where, in order.
    """

    def __init__(self) -> None:
        self.reads: list[str] = []

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        """Take an event of `sys.setprofile`."""
        if event == "c_call" and self._reads_clock(called):
            code = frame.f_code
            if f"{os.sep}sqlalchemy{os.sep}" in code.co_filename:
                return  # 2.11's Variables: it notes how long its own work takes, which nobody looks at
            self.reads.append(f"{called.__name__} in {code.co_filename}:{frame.f_lineno} ({code.co_name})")

    @staticmethod
    def _reads_clock(called: Any) -> bool:
        owner = getattr(called, "__self__", None)
        if isinstance(owner, type) and issubclass(owner, datetime.date):
            return called.__name__ in DATE_METHODS
        return called in CLOCK_FUNCTIONS

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread; what test tools do at each garbage collection is none of the world's."""
        before, callbacks = sys.getprofile(), gc.callbacks[:]
        gc.callbacks.clear()
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(before)
            gc.callbacks[:] = callbacks


def guarded(scenario: Scenario, seed: int = 1, **options: Any) -> tuple[Result, list[str]]:
    """Run a scenario and return every look at the clock."""
    guard = ClockGuard()
    with guard.watching():
        result = run_scenario(scenario, seed=seed, **options)
    return result, guard.reads


class Moment(datetime.datetime):
    """A subclass of `datetime`, as pendulum's and freezegun's."""


class Waiting:
    """A clock of the standard library's own that reads the time far from its caller."""

    def __call__(self) -> None:
        condition = threading.Condition()
        with condition:
            condition.wait_for(lambda: False, timeout=0)


renamed = time.time
READS: dict[str, Callable[[], object]] = {
    "time": lambda: time.time(),
    "time, renamed": lambda: renamed(),
    "time_ns": lambda: time.time_ns(),
    "monotonic": lambda: time.monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "clock_gettime": lambda: time.clock_gettime(time.CLOCK_REALTIME),
    "sleep": lambda: time.sleep(0),
    "localtime": lambda: time.localtime(),
    "datetime.now": lambda: datetime.datetime.now(),  # noqa: DTZ005
    "datetime.now(UTC)": lambda: datetime.datetime.now(datetime.UTC),
    "datetime.utcnow": lambda: datetime.datetime.utcnow(),  # noqa: DTZ003
    "datetime.today": lambda: datetime.datetime.today(),  # noqa: DTZ002
    "date.today": lambda: datetime.date.today(),  # noqa: DTZ011
    "now of a subclass": lambda: Moment.now(),
    "select": lambda: select.select([], [], [], 0),
    "a condition": Waiting(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_the_guard_sees_a_read_in_the_hub_and_in_greenlets(read: Callable[[], object]) -> None:
    hub = getcurrent()

    def live() -> None:
        hub.switch()
        read()

    older = greenlet(live)
    older.switch()
    for call in (read, older.switch, greenlet(read).switch):
        guard = ClockGuard()
        with guard.watching():
            call()
        assert guard.reads


def test_the_guard_sees_nothing_where_nothing_is_read() -> None:
    guard = ClockGuard()
    with guard.watching():
        datetime.datetime.fromtimestamp(0, datetime.UTC).isoformat()
        datetime.date(2027, 1, 15).strftime("%H")
        threading.Event().is_set()
    assert guard.reads == []


def into_operator(read: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steps, "IN_OPERATOR", [read])


def into_trigger(read: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steps, "IN_TRIGGER", [read])


def into_launcher(read: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    find = lute.launch.workflow.find_workflow

    def slow(*arguments: Any) -> str:
        read()
        return find(*arguments)

    patch.setattr(lute.launch.workflow, "find_workflow", slow)


@pytest.mark.parametrize("plant", [into_operator, into_trigger, into_launcher])
@pytest.mark.parametrize("name", ["time, renamed", "monotonic", "perf_counter", "sleep", "datetime.utcnow"])
def test_a_planted_read_is_seen(plant: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(READS[name], monkeypatch)
    result, reads = guarded(WAITS, dags=DAGS)
    assert result.run_state == "success"
    assert len(reads) == 1
    assert __file__ in reads[0]


def test_a_deferred_task_reads_no_clock() -> None:
    result, reads = guarded(WAITS, dags=DAGS)
    assert result.run_state == "success"
    assert "deferred" in [entry.get("state") for entry in result.entries]
    assert reads == []


def test_no_scenario_of_the_library_reads_the_clock() -> None:
    found = {name: guarded(scenario)[1] for name, scenario in library().items()}
    assert {name: reads for name, reads in found.items() if reads} == {}


def test_no_trouble_makes_anybody_read_the_clock() -> None:
    search = Search("test", (*MAKERS, EARLY_PURGE))
    acted: set[str] = set()
    for seed in range(60):
        result, reads = guarded(search.scenario(seed), seed)
        acted |= {str(entry["what"]) for entry in result.faults}
        assert (seed, reads) == (seed, [])
    assert len(acted) > 10


def test_jobs_that_report_their_counters_read_no_clock() -> None:
    model = TaskModel(reports_counters=True)
    result, reads = guarded(Scenario(tasks={"*": (model,)}))
    assert "jid.replace_counters" in {entry.get("endpoint") for entry in result.entries}
    assert reads == []


DIGESTS = """
from simulators.explore.explorer import Search
from simulators.faults.swarm import EARLY_PURGE, MAKERS
from simulators.scenario.loader import find_scenario
from simulators.scenario.runner import run_scenario

search = Search("test", (*MAKERS, EARLY_PURGE))
for seed in range(10):
    print(seed, run_scenario(search.scenario(seed), seed=seed).digest)
for name in ("job_time_limit", "two_launches_same_moment", "elog_counters_fail"):
    print(name, run_scenario(find_scenario(name), seed=7).digest)
"""

SURROUNDINGS: dict[str, dict[str, str]] = {
    "plain": {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C.UTF-8", "USER": "one", "LOGNAME": "one"},
    "odd": {
        "PYTHONHASHSEED": "4242",
        "TZ": "Asia/Kathmandu",
        "LANG": "C",
        "LC_ALL": "C",
        "USER": "r2d2",
        "LOGNAME": "r2d2",
        "HOME": "/nowhere",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "EXPERIMENT": "other",
        "Authorization": "Bearer other",
        "COLUMNS": "20",
    },
}


def test_a_seed_has_one_digest_whatever_the_surroundings(tmp_path: Path) -> None:
    folder = tmp_path / "with a space, é"
    folder.mkdir()
    said = []
    for name, env in SURROUNDINGS.items():
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", DIGESTS],
            cwd=ROOT if name == "plain" else folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    assert len(said[0]) == 13
    assert said[0] == said[1]
