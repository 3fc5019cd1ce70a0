"""No job is left behind."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker

GRACE_S = 45.0
"""A task notices its end within a heartbeat of 5 s, and Slurm ends a job within KillWait and a little."""


@checker
def no_job_left(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """No Slurm job lives on after its DAG run has ended."""
    for job in history.jobs.values():
        run = history.run_of(job.task)
        if run is None or run.end_s is None:
            continue
        end_s = job.end_s if job.end_s is not None else history.end_s
        if end_s > run.end_s + GRACE_S:
            yield f"job {job.job_id} of {job.task} lived {end_s - run.end_s:.0f} s longer than its DAG run"
