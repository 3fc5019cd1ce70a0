"""Every run ends."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def ends_in_time(history: History, facts: Facts) -> Iterator[str]:
    """Every launcher, run and job has ended by the deadline."""
    if facts.ended:
        return
    left = [launcher.name for launcher in history.launchers.values() if launcher.end_s is None]
    left += [f"run {run.run_id} ({run.state})" for run in history.runs.values() if run.end_s is None]
    left += [f"job {job.job_id} of {job.task}" for job in history.jobs.values() if job.end_s is None]
    yield f"after {facts.deadline_s:.0f} s not ended: {', '.join(left) or 'a process of Airflow'}"
