"""The table at the end of a run: a line for each step, and why the failed ones failed."""

from collections.abc import Iterable
from datetime import UTC, datetime

from lute.airflow_api.models import TaskState
from lute.launch.causes import exit_code, likely_cause
from lute.launch.steps import Step

_HEAD = ("step", "state", "tries", "Slurm job", "wait", "run", "start (UTC)", "end (UTC)", "exit")
_TO_THE_RIGHT = frozenset({"tries", "Slurm job", "wait", "run"})


def table_lines(steps: Iterable[Step]) -> list[str]:
    """Return the table, without the reasons."""
    rows = [_HEAD, *(_row(step) for step in steps)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [
        "  ".join(
            cell.rjust(width) if name in _TO_THE_RIGHT else cell.ljust(width)
            for name, cell, width in zip(_HEAD, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def reasons(steps: Iterable[Step]) -> list[str]:
    """Return, for each step that failed, why, and the last lines of its log again."""
    lines: list[str] = []
    for step in steps:
        if step.state is TaskState.FAILED:
            cause = likely_cause(step) or "see its log"
            lines.append(f"{step.label} failed; likely cause: {cause}")
            lines += [f"  {line}" for line in step.last_lines.splitlines()]
            if step.job.log_file_path:
                lines.append(f"  all of it: {step.job.log_file_path}")
        elif step.contradiction:
            lines.append(
                f"WARNING: {step.label} is a success in Airflow, but its Slurm job {step.job.tool_id}"
                f" ended as {step.contradiction}"
            )
    return lines


def duration(seconds: float | None) -> str:
    """Return a duration for people: `7 s`, `12:03`, `3:00:00`; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def _row(step: Step) -> tuple[str, ...]:
    instance = step.instance
    return (
        step.label,
        str(step.state),
        str(instance.try_number or ""),
        step.job.tool_id,
        duration(step.wait_s),
        duration(step.run_s),
        _clock_time(instance.started),
        _clock_time(instance.ended),
        exit_code(step),
    )


def _clock_time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%d %b %H:%M:%S")
