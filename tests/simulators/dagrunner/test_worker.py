"""One try as a process: what it reports, how it is ended."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from simulators.dagrunner.installed import (
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    TaskDeferred,
)
from simulators.dagrunner.version import AIRFLOW_2, AIRFLOW_3, AirflowConf
from simulators.dagrunner.worker import Outcome, Try
from simulators.kernel.actors import Actors
from simulators.kernel.events import Agenda
from tests.simulators.dagrunner.running import BOTH

LIMIT = timedelta(seconds=10)


class Process:
    """A try whose code is a function, and what it reported."""

    def __init__(self, conf: AirflowConf, limit: timedelta | None = None) -> None:
        self.agenda = Agenda()
        self.actors = Actors(self.agenda)
        self.conf = conf
        self.kills: list[float] = []
        self.on_kill: Callable[[], None] = lambda: None
        self.reports: list[tuple[Outcome, Any]] = []
        self.operator = SimpleNamespace(execution_timeout=limit, on_kill=self._on_kill)

    def start(self, code: Callable[[], object], used_s: float = 0.0) -> Try:
        self.running = Try(
            "t",
            self.actors,
            self.conf,
            self.operator,
            lambda limited: limited(code, used_s),
            lambda outcome, value: self.reports.append((outcome, value)),
        )
        self.agenda.advance(self.agenda.now_s + 0.001)
        return self.running

    def raising(self, error: BaseException) -> Outcome:
        """Return the outcome of code that raises."""

        def code() -> None:
            raise error

        self.start(code)
        [(outcome, value)] = self.reports
        assert value is error
        return outcome

    def _on_kill(self) -> None:
        self.kills.append(self.agenda.now_s)
        self.on_kill()


@pytest.fixture
def process(request: pytest.FixtureRequest, conf: AirflowConf) -> Iterator[Process]:
    made = Process(conf)
    yield made
    made.actors.close()


@BOTH
def test_what_it_returns_is_reported_once(process: Process) -> None:
    process.start(lambda: 42)
    assert process.reports == [(Outcome.SUCCESS, 42)]


@BOTH
@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AirflowException("x"), Outcome.FAILED_TRY),
        (ValueError("x"), Outcome.FAILED_TRY),
        (KeyboardInterrupt(), Outcome.FAILED_TRY),
        (AirflowTaskTimeout("x"), Outcome.FAILED_TRY),
        (AirflowFailException("x"), Outcome.FAILED),
        (AirflowSensorTimeout("x"), Outcome.FAILED),
        (AirflowSkipException("x"), Outcome.SKIPPED),
        (AirflowRescheduleException(datetime(2027, 1, 1, tzinfo=UTC)), Outcome.RESCHEDULED),
        (TaskDeferred(trigger=None, method_name="m"), Outcome.DEFERRED),
        (SystemExit(3), Outcome.FAILED_TRY),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_what_it_raises_decides_the_outcome(process: Process, error: BaseException, outcome: Outcome) -> None:
    assert process.raising(error) is outcome


@pytest.mark.parametrize(
    ("conf", "terminated", "exits"),
    [(AIRFLOW_2, Outcome.FAILED_TRY, Outcome.SUCCESS), (AIRFLOW_3, Outcome.FAILED, Outcome.FAILED_TRY)],
    ids=["2.11", "3.3"],
)
def test_where_the_versions_differ(conf: AirflowConf, terminated: Outcome, exits: Outcome) -> None:
    assert Process(conf).raising(AirflowTaskTerminated("x")) is terminated
    for code in (None, 0):
        process = Process(conf)
        error = SystemExit(code)

        def leave(error: SystemExit = error) -> None:
            raise error

        process.start(leave)
        assert [outcome for outcome, _ in process.reports] == [exits]


@BOTH
def test_the_time_limit_calls_on_kill_and_may_be_tried_again(conf: AirflowConf) -> None:
    process = Process(conf, LIMIT)
    process.start(lambda: process.actors.sleep(60))
    process.agenda.advance(9.9)
    assert process.reports == []
    process.agenda.advance(10.1)
    [(outcome, value)] = process.reports
    assert outcome is Outcome.FAILED_TRY
    assert isinstance(value, AirflowTaskTimeout)
    assert process.kills == [10.0]


@BOTH
def test_within_its_time_limit_nothing_happens(conf: AirflowConf) -> None:
    process = Process(conf, LIMIT)
    process.start(lambda: process.actors.sleep(9))
    process.agenda.advance(60)
    assert process.reports == [(Outcome.SUCCESS, None)]
    assert process.kills == []


@BOTH
def test_of_a_time_limit_that_is_used_up_nothing_is_left(conf: AirflowConf) -> None:
    process = Process(conf, LIMIT)
    process.start(lambda: process.actors.sleep(5), used_s=7.0)
    process.agenda.advance(3.1)
    assert [outcome for outcome, _ in process.reports] == [Outcome.FAILED_TRY]
    late = Process(conf, LIMIT)
    late.start(lambda: late.reports.append((Outcome.SUCCESS, "it ran")), used_s=10.0)
    assert [outcome for outcome, _ in late.reports] == [Outcome.FAILED_TRY]
    assert late.kills == [0.0]


@BOTH
def test_code_that_swallows_exceptions_does_not_swallow_its_time_limit(conf: AirflowConf) -> None:
    process = Process(conf, LIMIT)

    def stubborn() -> None:
        for _ in range(10):
            with contextlib.suppress(Exception):  # as bad code does; AirflowTaskTimeout is none
                process.actors.sleep(30)

    process.start(stubborn)
    process.agenda.advance(11)
    assert [outcome for outcome, _ in process.reports] == [Outcome.FAILED_TRY]


@BOTH
def test_sigterm_calls_on_kill_once(process: Process) -> None:
    running = process.start(lambda: process.actors.sleep(1000))
    process.agenda.advance(5)
    running.terminate()
    running.terminate()
    process.agenda.advance(500)
    assert process.kills == [5.0]
    assert running.actor.is_over


@pytest.mark.parametrize("conf", [AIRFLOW_2], ids=["2.11"])
def test_on_2_11_sigterm_raises_in_the_task(process: Process) -> None:
    seen: list[str] = []

    def code() -> None:
        try:
            process.actors.sleep(1000)
        except AirflowTaskTerminated:
            seen.append("terminated")
            raise

    process.start(code).terminate()
    assert seen == ["terminated"]
    assert [outcome for outcome, _ in process.reports] == [Outcome.FAILED_TRY]


@pytest.mark.parametrize("conf", [AIRFLOW_3], ids=["3.3"])
def test_on_3_3_the_task_goes_on_for_five_seconds(process: Process) -> None:
    seen: list[float] = []

    def code() -> None:
        while True:
            process.actors.sleep(1.0)
            seen.append(process.agenda.now_s)

    running = process.start(code)
    process.agenda.advance(2.5)
    running.terminate()
    process.agenda.advance(60)
    assert seen == pytest.approx([1, 2, 3, 4, 5, 6, 7], abs=0.01)
    assert running.actor.is_killed
    assert process.reports == []


@BOTH
def test_on_kill_may_take_as_long_as_the_limit(process: Process) -> None:
    done: list[float] = []

    def slow() -> None:
        process.actors.sleep(20)
        done.append(process.agenda.now_s)

    process.on_kill = slow
    running = process.start(lambda: process.actors.sleep(1000))
    running.terminate()
    process.agenda.advance(100)
    assert done == ([pytest.approx(20.0, abs=0.01)] if process.conf is AIRFLOW_2 else [])
    assert running.actor.is_killed == (process.conf is AIRFLOW_3)


@BOTH
def test_what_on_kill_raises_comes_out_of_the_task(process: Process) -> None:
    def bad() -> None:
        raise RuntimeError("from on_kill")

    process.on_kill = bad
    process.start(lambda: process.actors.sleep(1000)).terminate()
    [(outcome, value)] = process.reports
    assert outcome is Outcome.FAILED_TRY
    assert str(value) == "from on_kill"


@BOTH
def test_sigkill_reports_nothing_and_calls_nothing(process: Process) -> None:
    running = process.start(lambda: process.actors.sleep(1000))
    running.kill()
    process.agenda.advance(2000)
    assert process.reports == []
    assert process.kills == []
