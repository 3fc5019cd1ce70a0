"""How a play went."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.recording.divergence import Divergence
from simulators.recording.model import End
from simulators.scenario.result import ExitCode

_TIME_OF_DAY = re.compile(r"^\d\d:\d\d:\d\d ", re.MULTILINE)
_TABLE = re.compile(r"^step +state +tries .*?(?=^\{time\} Workflow )", re.MULTILINE | re.DOTALL)
"""The table of the steps, and why they failed: a recording has no Slurm that could be asked."""
_TOKEN_LASTS = re.compile(r"(?<=The token lasts )[^;\n]*")


@dataclass
class PlayResult:
    """One play of a recording.

    Attributes:
        run_state: of the DAG run whose operators ran here.
        launcher: the launcher's exit code; None if the play ended before.
        tasks: label -> state, of that run.
        recorded_tasks: label -> state that Airflow told at last in the recording.
        output: what the launcher printed; `recorded_output` then, None if that is not known. Times and names
            that differ from run to run are written with common words in both.
        divergences: where the run left the recording.
        duration_s: virtual seconds from start to end.
        exchanges: how many requests there were.
        ended: whether everything had ended by its deadline.
        digest: of the trace.
        entries: the trace.
    """

    recording: Path
    workflow: str
    seed: int
    run_state: str
    launcher: int | None
    tasks: dict[str, str]
    recorded_tasks: dict[str, str]
    output: str
    recorded_output: str | None
    divergences: list[Divergence]
    duration_s: float
    exchanges: int
    ended: bool
    digest: str
    entries: list[dict[str, Any]] = field(repr=False)

    @property
    def exit_code(self) -> ExitCode:
        """What `lute-sim run --recording` ends with."""
        if self.divergences:
            return ExitCode.DIFFERENT
        if not self.ended:
            return ExitCode.NO_VERDICT
        good = self.run_state == "success" and self.launcher == 0
        return ExitCode.SUCCESS if good else ExitCode.FAILED

    @property
    def output_diff(self) -> list[str]:
        """The lines that the launcher prints in another way now. Words alone are no divergence."""
        if self.recorded_output is None:
            return []
        before, now = self.recorded_output.splitlines(), self.output.splitlines()
        found = difflib.unified_diff(before, now, n=0, lineterm="")
        return [line for line in found if not line.startswith(("---", "+++", "@@"))]

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without the trace."""
        return {
            "recording": str(self.recording),
            "workflow": self.workflow,
            "seed": self.seed,
            "run": self.run_state,
            "exit_code": int(self.exit_code),
            "launcher": self.launcher,
            "tasks": self.tasks,
            "recorded_tasks": self.recorded_tasks,
            "divergences": [
                {"line": found.line, "what": found.what, "diff": list(found.diff)}
                for found in self.divergences
            ],
            "output_diff": self.output_diff,
            "virtual_s": round(self.duration_s, 3),
            "requests": self.exchanges,
            "digest": self.digest,
        }

    def report(self) -> str:
        """Return it as a few lines to read."""
        lines = [f"divergence: {found}" for found in self.divergences]
        if not self.divergences and not self.ended:
            lines.append("not ended by its deadline")
        if self.ended and (changed := self.output_diff):
            lines += ["the launcher's output is not as recorded:", *(f"    {line}" for line in changed)]
        verdict = "as recorded" if not self.divergences and self.ended else "not as recorded"
        lines.append(
            f"{self.recording.name}: workflow {self.workflow} {self.run_state}, {verdict}"
            f" ({self.exchanges} requests, {self.duration_s:.0f} virtual s)"
        )
        return "\n".join(lines)


def masked_output(text: str, named: Callable[[str], str]) -> str:
    """Return a launcher's output without what differs from run to run, and without what Slurm tells it."""
    return _TABLE.sub("", _TOKEN_LASTS.sub("{how long}", _TIME_OF_DAY.sub("{time} ", named(text))))


def end_divergences(result: PlayResult, end: End, *, tasks_from: Divergence) -> list[Divergence]:
    """Return where the end is not the recorded one.

    Args:
        tasks_from: names the exchange that told the tasks' last states.
    """
    found = []
    for label in sorted(result.tasks.keys() | result.recorded_tasks.keys()):
        now, then = result.tasks.get(label, "not there"), result.recorded_tasks.get(label, "not there")
        if now != then and result.recorded_tasks:
            found.append(Divergence(tasks_from.file, tasks_from.line, f"{label} is {now}, recorded {then}"))
    if end.launcher is not None and end.launcher.exit_code != result.launcher:
        what = f"the launcher's exit code is {result.launcher}, recorded {end.launcher.exit_code}"
        found.append(Divergence(tasks_from.file, end.exchanges + 2, what))
    return found
