"""A task that was ended takes its job with it."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker
from simulators.checkers.no_job_left import GRACE_S

_ENDED = frozenset(["success", "failed", "up_for_retry", "skipped"])


@checker
def no_job_after_task(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """No Slurm job lives on after the try that submitted it has ended."""
    for job in history.jobs.values():
        task = history.task_of(job)
        if task is None:
            continue
        ends = [
            time_s
            for time_s, state, number in task.states
            if state in _ENDED and number == job.number and time_s >= job.submit_s
        ]
        end_s = job.end_s if job.end_s is not None else history.end_s
        if ends and end_s > ends[0] + GRACE_S:
            yield f"job {job.job_id} of {job.task} lived {end_s - ends[0]:.0f} s longer than its try"
