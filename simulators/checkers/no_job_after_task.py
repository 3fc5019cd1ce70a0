"""A task that was ended takes its job with it."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker
from simulators.checkers.no_job_left import GRACE_S, lived_on_s

_ENDED = frozenset(["success", "failed", "skipped"])
"""A try that is followed by another may leave its job to it."""


@checker
def no_job_after_task(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """No Slurm job lives on after its task has ended."""
    for job in history.jobs.values():
        task = history.task_of(job)
        if task is None:
            continue
        ends = [
            time_s
            for time_s, state, number in task.states
            if state in _ENDED and number >= job.number and time_s >= job.submit_s
        ]
        if ends and (too_long_s := lived_on_s(history, job, ends[0])) > GRACE_S:
            yield f"job {job.job_id} of {job.task} lived {too_long_s:.0f} s longer than its task"
