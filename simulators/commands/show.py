"""What `lute-sim run` and `replay` print for people."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulators.checkers.history import FINAL_JOB, History, read_history
from simulators.scenario.result import ExitCode, Result

_STYLES = {"success": "green", "failed": "red", "upstream_failed": "dark_orange", "skipped": "magenta"}
_VERDICTS = {
    ExitCode.SUCCESS: ("the workflow succeeded", "bold green"),
    ExitCode.FAILED: ("the workflow failed", "bold red"),
    ExitCode.BROKEN: ("an invariant was broken", "bold red"),
    ExitCode.NO_VERDICT: ("not ended in time", "bold red"),
}


def show_result(result: Result, console: Console, *, expects: bool) -> None:
    """Print a run: its tasks, its faults, what it broke, its verdict.

    Args:
        expects: whether its scenario says how it should end.
    """
    console.print(_tasks(result))
    first = [entry for entry in result.faults if entry["event"] == "fault"]
    for entry in first[:_MOST_FAULTS]:
        target = f" ({entry['target']})" if entry["target"] else ""
        at = _clock(entry["t"] - result.entries[0]["t"])
        console.print(
            Text(f"fault at {at}: {entry['what']}, {entry['detail']}{target}{_again(entry, result)}")
        )
    if len(first) > _MOST_FAULTS:
        console.print(f"... and {len(first) - _MOST_FAULTS} more")
    for name in result.idle_faults:
        console.print(Text(f"this fault never acted: {name}", style="yellow"))
    for found in result.broken:
        console.print(Text(f"broken: {found.checker}: {found.text}", style="red"))
    for text in result.unexpected:
        console.print(Text(f"not as expected: {text}", style="red"))
    if expects and result.is_as_expected:
        console.print(Text("everything as the scenario expects", style="green"))
    words, style = _VERDICTS[result.exit_code]
    console.print(
        Text.assemble(
            (words, style),
            f": {result.workflow}, scenario {result.scenario}, seed {result.seed};"
            f" {_clock(result.duration_s)} of virtual time, {result.exchanges} requests,"
            f" digest {result.digest[:12]}",
        )
    )


_MOST_FAULTS = 12


def _again(entry: Mapping[str, Any], result: Result) -> str:
    """Say how often a fault that lasts acted once more."""
    times = sum(
        other["event"] == "hit" and (other["what"], other["where"]) == (entry["what"], entry["where"])
        for other in result.faults
    )
    return f", and {times} times more" if times else ""


def _tasks(result: Result) -> Table:
    history = read_history(result.entries)
    table = Table("step", "state", "tries", "Slurm jobs", "waited", "ran", box=None, pad_edge=False)
    for label, state in result.tasks.items():
        waited_s, ran_s = _times(history, result.jobs.get(label, []))
        table.add_row(
            Text(label),
            Text(state, style=_STYLES.get(state, "")),
            str(result.tries[label]),
            " ".join(str(job) for job in result.jobs.get(label, [])) or "-",
            "-" if waited_s is None else f"{waited_s:.0f} s",
            "-" if ran_s is None else f"{ran_s:.0f} s",
        )
    return table


def _times(history: History, jobs: list[int]) -> tuple[float | None, float | None]:
    """Return how long the last job waited and ran, in seconds."""
    job = history.jobs.get(jobs[-1]) if jobs else None
    if job is None:
        return None, None
    starts = [time_s for time_s, state in job.states if state == "RUNNING"]
    ends = [time_s for time_s, state in job.states if state in FINAL_JOB or state == "COMPLETING"]
    waited_s = starts[-1] - job.submit_s if starts else None
    return waited_s, (ends[-1] - starts[-1] if starts and ends else None)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
