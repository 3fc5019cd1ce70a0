"""What is shown while a run goes on."""

import builtins
import io
import re
from typing import Any

import pytest

from lute.airflow_api.models import TaskInstance, TaskState
from lute.launch.progress import LiveTable, SignsOfLife, progress, summary
from lute.launch.steps import Steps
from tests.fakes import START, FakeClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def steps() -> Steps:
    found = Steps()
    found.update(
        [
            TaskInstance("Tester", -1, TaskState.SUCCESS, 1, START, START),
            TaskInstance("Mapped", 3, TaskState.RUNNING, 2, START),
            TaskInstance("Left", -1, TaskState.NONE, 0),
        ]
    )
    return found


def test_a_batch_log_has_a_sign_of_life_every_half_hour() -> None:
    clock, stream, lines = FakeClock(), io.StringIO(), list[str]()
    shown, output = progress(steps(), clock, stream, lines.append)
    assert isinstance(shown, SignsOfLife)
    for _ in range(60 * 60):
        clock.sleep(1.0)
        shown.poll()
    output.line("last")
    shown.close()
    assert [line[9:] for line in lines[:2]] == [
        "1 of 3 steps have ended; Mapped[3] runs for 30:00",
        "1 of 3 steps have ended; Mapped[3] runs for 1:00:00",
    ]
    assert lines[2:] == ["last"]


def test_a_terminal_has_a_table_below_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    clock, terminal = FakeClock(), Terminal()
    shown, output = progress(steps(), clock, terminal, print)
    assert isinstance(shown, LiveTable)
    clock.sleep(75.0)
    shown.poll()
    output.line("[bold]a line of a log[/bold] :smile:")
    output.news("x" * 300)
    shown.poll()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())  # whatever this terminal can
    assert "Mapped[3]" in drawn
    assert "1:15" in drawn
    assert "[bold]a line of a log[/bold] :smile:" in drawn
    assert "x" * 300 in drawn, "the terminal breaks lines itself"
    shown.close()
    rows = set(re.findall(r"│ (\S+) +│ (\S+) +│ (\S*) +│ (\S*|0 s) +│", drawn))
    assert rows == {
        ("Tester", "success", "1", "0 s"),
        ("Mapped[3]", "running", "2", "1:15"),
        ("Left", "none", "", ""),
    }
    assert re.search(r"┃ step +┃ state +┃ try +┃ for +┃", drawn)
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1, "the cursor"


def test_a_terminal_that_never_drew_is_left_alone() -> None:
    terminal = Terminal()
    progress(steps(), FakeClock(), terminal, print)[0].close()
    assert terminal.getvalue() == ""


def test_without_rich_a_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", importing)
    shown, _ = progress(steps(), FakeClock(), Terminal(), print)
    assert isinstance(shown, SignsOfLife)


def test_a_summary_names_some_of_many() -> None:
    found = Steps()
    found.update([TaskInstance("M", number, TaskState.DEFERRED, 1) for number in range(8)])
    assert summary(found, FakeClock()).endswith("M[4] runs; and 3 more")
