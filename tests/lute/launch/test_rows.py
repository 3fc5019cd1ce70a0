"""Rows among the eLog's counters: ours are there at the end, and so are those of others."""

from collections.abc import Mapping
from typing import Any

import pytest

from lute.airflow_api.models import TaskInstance, TaskState
from lute.arp.counters import CountersError
from lute.launch.output import Output
from lute.launch.rows import ProgressRows
from lute.launch.steps import Steps
from tests.fakes import FakeClock


class Stage:
    """Counters in memory, with others that write to them."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {"Other": 1}
        self.fails = False
        self.reads = self.writes = 0
        self.clock = FakeClock()
        self.lines: list[str] = []
        self.steps = Steps()
        self.rows = ProgressRows(self, self.steps, self.clock, Output(self.clock, self.lines.append))  # type: ignore[arg-type]

    def read(self) -> dict[str, Any]:
        self.reads += 1
        if self.fails:
            raise CountersError("HTTP 500")
        return dict(self.there)

    def update(self, rows: Mapping[str, Any]) -> None:
        self.writes += 1
        self.there |= rows

    def poll(self, state: TaskState, after_s: float = 20.0) -> dict[str, Any]:
        self.steps.update([TaskInstance("Tester", -1, state, 1)])
        self.clock.sleep(after_s)
        self.rows.poll()
        return self.there


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_before_the_first_step_the_elog_is_not_asked(stage: Stage) -> None:
    stage.rows.poll()
    assert stage.reads == 0


def test_a_word_that_is_there_already_is_not_written_again(stage: Stage) -> None:
    stage.there["Tester status"] = "COMPLETED"
    stage.poll(TaskState.SUCCESS)
    assert stage.writes == 0


def test_a_step_has_its_row_from_its_start_to_its_end(stage: Stage) -> None:
    assert stage.poll(TaskState.NONE) == {"Other": 1}
    assert stage.poll(TaskState.RUNNING) == {"Other": 1, "Tester status": "SUBMITTED"}
    assert stage.poll(TaskState.SUCCESS) == {"Other": 1, "Tester status": "COMPLETED"}


def test_what_the_job_says_itself_stays_until_the_end(stage: Stage) -> None:
    stage.there["Tester status"] = "RUNNING"
    assert stage.poll(TaskState.RUNNING)["Tester status"] == "RUNNING"
    assert stage.writes == 0
    assert stage.poll(TaskState.FAILED)["Tester status"] == "FAILED"


def test_rows_that_somebody_has_overwritten_are_put_back(stage: Stage) -> None:
    stage.poll(TaskState.RUNNING)
    stage.there = {"New": 2}
    assert stage.poll(TaskState.RUNNING) == {"New": 2, "Other": 1, "Tester status": "SUBMITTED"}


def test_nothing_is_asked_while_nothing_changes(stage: Stage) -> None:
    stage.poll(TaskState.RUNNING)
    for _ in range(10):
        stage.poll(TaskState.RUNNING)
    assert (stage.reads, stage.writes) == (2, 1), "one look more, whether the row is still there"


def test_many_changes_make_few_requests(stage: Stage) -> None:
    for _ in range(30):
        stage.poll(TaskState.RUNNING, 0.5)
        stage.poll(TaskState.UP_FOR_RETRY, 0.5)
    assert stage.reads <= 3


def test_an_elog_that_fails_is_told_of_once_and_left_alone(stage: Stage) -> None:
    stage.fails = True
    for state in (TaskState.RUNNING, TaskState.UP_FOR_RETRY) * 4:
        stage.poll(state)
    stage.rows.finish()
    assert stage.reads == 1
    assert len(stage.lines) == 1
    assert "could not be reported to the eLog" in stage.lines[0]
    stage.fails = False
    assert stage.poll(TaskState.RUNNING, 300.0)["Tester status"] == "SUBMITTED"


def test_at_the_end_nothing_waits(stage: Stage) -> None:
    stage.poll(TaskState.RUNNING)
    stage.steps.update([TaskInstance("Tester", -1, TaskState.SUCCESS, 1)])
    stage.rows.finish()
    assert stage.there["Tester status"] == "COMPLETED"
