"""Job arrays: `--array=1-10:2%4`, and how the tasks that wait are written."""

import re
from collections.abc import Sequence

from simulators.slurm.job import ArrayPlace, Job
from simulators.slurm.request import ArraySpec

MAX_ARRAY_SIZE = 1001
"""Slurm's default: task ids go up to 1000 (manual page)."""


def parse_array(text: str) -> ArraySpec:
    """Read the value of `--array`.

    Raises:
        ValueError: it is none, or a task id is too large.
    """
    listed, percent, throttle = text.partition("%")
    if percent and not re.fullmatch("[0-9]{1,6}", throttle):
        raise ValueError(text)
    tasks: set[int] = set()
    step = 1
    for part in listed.split(","):
        match = re.fullmatch(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([0-9]{1,7}))?)?", part)
        if match is None:
            raise ValueError(text)
        first, last = int(match[1]), int(match[2] or match[1])
        step = int(match[3] or 1)
        if last < first or step < 1 or last >= MAX_ARRAY_SIZE:
            raise ValueError(text)
        tasks.update(range(first, last + 1, step))
    return ArraySpec(text, tuple(sorted(tasks)), int(throttle or 0), step)


def new_place(job_id: int, spec: ArraySpec | None) -> ArrayPlace | None:
    """Return the place of a new job's record in its array, None for a job that is none."""
    return None if spec is None else ArrayPlace(job_id, None, list(spec.tasks))


def shown_id(job: Job) -> str:
    """Return the id as squeue does: `150`, `150_3`, or `150_[1-3%2]` for tasks that wait together."""
    if job.array is None:
        return str(job.id)
    if job.array.task_id is not None:
        return f"{job.array.job_id}_{job.array.task_id}"
    return f"{job.array.job_id}_[{waiting_list(job)}]"


def waiting_list(job: Job) -> str:
    """Return `1-3%2`: the tasks that wait together, and how many may run."""
    if job.array is None or job.request.array is None:
        return ""
    throttle = job.request.array.throttle
    return _ranges(job.array.waiting) + (f"%{throttle}" if throttle else "")


def _ranges(numbers: Sequence[int]) -> str:
    """Return `1-3,7` (measured: a step is written out, `1,3,5`)."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
