"""From all that is known of a Task's end to its status."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from lute.errors import LuteError
from lute.execution.messages import Result
from lute.execution.supervision import STOP_GRACE_S, Ending, Stop
from lute.io.header import Header
from lute.tasks.result import TaskResult, TaskStatus
from lute.tasks.third_party import COMMAND_LINE

_MOST_WORDS = 400
_SIGNALS_FROM, _SIGNALS_TO = 128, 128 + signal.NSIG
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_UNIT = re.compile(r"(.+) \((\S+)\)")
"""The name of a figure with its unit, as in `indexing rate (%)`."""


@dataclass
class Received:
    """What a Task has said.

    Attributes:
        reports_result: False where its exit code is its result.
        result: its result, or what the files that it wrote have to show.
        problem: what it sent that was no message.
        last_words: how its output ends.
    """

    reports_result: bool = True
    result: Result | TaskResult | None = None
    problem: LuteError | None = None
    last_words: str = ""

    def summary(self, message: str) -> str | Mapping[str, str | int | float]:
        """Return the Task's own summary, or `message` where it gave none."""
        return self.result.summary if self.result else message

    def figures(self) -> Mapping[str, str | int | float]:
        """Return the figures of the Task's summary; none where it is a sentence."""
        summary = self.summary("")
        return {} if isinstance(summary, str) else summary

    def payload(self) -> dict[str, object]:
        """Return the Task's results by name."""
        return dict(self.result.payload) if self.result else {}


def judge(
    task: str,
    ending: Ending,
    received: Received,
    header: Header,
    out_files: Mapping[str, str],
    signal_received: signal.Signals | None,
) -> tuple[TaskStatus, str]:
    """Return the status of a Task that has ended, and a sentence that says why.

    Success needs all of: it ended by itself with exit code 0, said so if it is one that does, and the
    files that it was to write are there.

    Args:
        task: its name.
        ending: how its process ended.
        received: what it said.
        header: the header of the configuration.
        out_files: paths of the files that it was to write, by parameter.
        signal_received: the signal that asked to stop, if there was one.
    """
    if ending.stop is Stop.CANCELLED and signal_received:
        return TaskStatus.CANCELLED, f"{task} was stopped by {signal_received.name}{_force(ending)}"
    if failure := _failure(task, ending, received, header, out_files):
        return TaskStatus.FAILED, failure
    summary = received.summary(f"{task} ended with exit code 0")
    return TaskStatus.COMPLETED, summary if isinstance(summary, str) else figures_text(summary)


def _failure(
    task: str, ending: Ending, received: Received, header: Header, out_files: Mapping[str, str]
) -> str | None:
    """Return why a Task failed, the first cause first; None where it did not fail."""
    result = received.result
    if ending.stop is Stop.TIMEOUT:
        return f"{task} was stopped after the {header.task_timeout:g} s of 'task_timeout'{_force(ending)}"
    if ending.return_code < 0:
        return f"{task} was ended by {_signal_text(-ending.return_code)}"
    if result and result.status is not TaskStatus.COMPLETED:
        return str(received.summary("")) or f"{task} failed"
    if ending.return_code:
        said = f": {received.last_words}" if received.last_words else ""
        return f"{task} ended with exit code {_exit_text(ending.return_code)}{said}"
    if received.problem:
        return f"{task} sent what is no message: {received.problem.what}"
    if received.reports_result and result is None:
        return f"{task} ended without a result"
    for name, path in out_files.items():
        if not (header.work_dir / path).exists():
            return f"{task} ended with exit code 0 but did not write '{name}', {path}"
    return None


def _exit_text(code: int) -> str:
    """Return an exit code, with the signal that a shell or `mpirun` passes on by it: 128 and its number."""
    return f"{code} ({_signal_text(code - 128)})" if _SIGNALS_FROM < code < _SIGNALS_TO else str(code)


def _signal_text(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        name = f"signal {number}"
    return f"{name}: out of memory?" if number == signal.SIGKILL else name


def last_words(tail: bytes) -> str:
    """Return the last line that a program wrote, with the indented ones that follow it, as one line.

    Args:
        tail: the end of its output.
    """
    words: list[str] = []
    for line in reversed(tail.decode(errors="replace").splitlines()):
        text = "".join(char if char.isprintable() else " " for char in _COLOUR.sub("", line)).strip()
        if text:
            words.insert(0, text)
            if not line.startswith((" ", "\t")):
                break
    said = " ".join(words)
    return "" if said.startswith(COMMAND_LINE) else said[:_MOST_WORDS]


def figures_text(figures: Mapping[str, str | int | float]) -> str:
    """Return figures on one line, each with its unit behind: `frames 100, indexing rate 81.0 %`."""
    named = [(_UNIT.fullmatch(name), name, value) for name, value in figures.items()]
    return ", ".join(
        f"{unit[1]} {value} {unit[2]}" if unit else f"{name} {value}" for unit, name, value in named
    )


def _force(ending: Ending) -> str:
    return f" and killed because it was still running {STOP_GRACE_S:g} s later" if ending.was_killed else ""
