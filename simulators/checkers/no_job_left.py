"""No job is left behind."""

from collections.abc import Iterator

from simulators.checkers.history import History, JobFacts
from simulators.checkers.model import Facts, checker

CLIENT_PAUSE_S = 60.0
"""The longest pause of a client that waits for Slurm to answer again."""
GRACE_S = 45.0
"""A task notices its end within a heartbeat of 5 s, and Slurm ends a job within KillWait and a little."""


def lived_on_s(history: History, job: JobFacts, end_s: float) -> float:
    """Return for how long a job lived after a moment, apart from the time in which nobody could end it.

    That is the time in which Slurm was down, or Airflow out of the launcher's reach: a task that was ended
    before its trigger ran, or while its submission was under way, has its job ended by the launcher's sweep
    alone (Airflow tells no trigger that it does not run yet). What is back still has clients that wait
    before they ask again.
    """
    job_end_s = job.end_s if job.end_s is not None else history.end_s
    down_s = history.slurm_down_s(end_s, job_end_s) + history.airflow_hidden_s(end_s, job_end_s)
    patience_s = CLIENT_PAUSE_S if down_s else 0.0
    return job_end_s - end_s - down_s - patience_s


@checker
def no_job_left(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """No Slurm job lives on after its DAG run has ended."""
    for job in history.jobs.values():
        run = history.run_of(job.task)
        if run is None or run.end_s is None:
            continue
        too_long_s = lived_on_s(history, job, run.end_s)
        if too_long_s > GRACE_S:
            yield f"job {job.job_id} of {job.task} lived {too_long_s:.0f} s longer than its DAG run"
