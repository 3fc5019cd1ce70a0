"""Airflow tells the truth about the job."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def success_only_when_done(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """A task succeeds only if its last Slurm job completed, unless somebody marked it."""
    marked = {entry["target"] for entry in history.faults if entry["what"] == "mark_task"}
    for (run_id, label), task in history.tasks.items():
        if task.state != "success" or label in marked:
            continue
        run = history.runs.get(run_id)
        name = label if run is None or run.number == 1 else f"{label}#{run.number}"
        jobs = [job for job in history.jobs.values() if job.task == name]
        if jobs and jobs[-1].state != "COMPLETED":
            yield f"{label} is a success, its job {jobs[-1].job_id} ended as {jobs[-1].state}"
