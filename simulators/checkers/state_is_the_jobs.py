"""Airflow tells the truth about the job."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def success_only_when_done(history: History, facts: Facts) -> Iterator[str]:
    """A task succeeds only if its last Slurm job completed, unless somebody marked it."""
    marked = {entry["target"] for entry in history.faults if entry["what"] == "mark_task"}
    for task in history.tasks.values():
        name = history.name_of(task)
        if task.state != "success" or name in marked:
            continue
        jobs = [job for job in history.jobs.values() if job.task == name]
        if jobs and jobs[-1].state != "COMPLETED":
            yield f"{name} is a success, its job {jobs[-1].job_id} ended as {jobs[-1].state}"
        elif not jobs and task.label in facts.steps:
            yield f"{name} is a success and had no job"


@checker
def failed_only_for_a_reason(history: History, facts: Facts) -> Iterator[str]:
    """A task whose last Slurm job completed fails only if something else than its log went wrong."""
    if any(not entry["where"].startswith("log.") for entry in history.faults) or facts.forgets_soon:
        return
    for task in history.tasks.values():
        name = history.name_of(task)
        jobs = [job for job in history.jobs.values() if job.task == name]
        if task.state == "failed" and jobs and jobs[-1].state == "COMPLETED":
            yield f"{name} failed, its job {jobs[-1].job_id} completed and nothing else went wrong"
