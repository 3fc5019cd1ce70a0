"""Airflow tells the truth about the job."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def success_only_when_done(history: History, facts: Facts) -> Iterator[str]:
    """A task succeeds only after its last Slurm job completed, unless somebody marked it."""
    marked = {entry["target"] for entry in history.faults if entry["what"] == "mark_task"}
    for task in history.tasks.values():
        name = history.name_of(task)
        if task.state != "success" or name in marked:
            continue
        success_s = task.states[-1][0]
        jobs = [job for job in history.jobs.values() if job.task == name and job.submit_s <= success_s]
        if jobs and jobs[-1].state != "COMPLETED":
            yield f"{name} is a success, its job {jobs[-1].job_id} ended as {jobs[-1].state}"
        elif jobs and (jobs[-1].end_s or 0.0) > success_s:
            later_s = (jobs[-1].end_s or 0.0) - success_s
            yield f"{name} is a success, its job {jobs[-1].job_id} ran on for {later_s:.1f} s"
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
