"""No step runs twice."""

from collections.abc import Iterator
from itertools import combinations

from simulators.checkers.history import History, JobFacts
from simulators.checkers.model import Facts, checker


@checker
def one_live_job_per_try(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """A task never has two live Slurm jobs, and a try never submits a second one."""
    by_task: dict[str, list[JobFacts]] = {}
    for job in history.jobs.values():
        by_task.setdefault(job.task, []).append(job)
    for task, jobs in by_task.items():
        for first, second in combinations(jobs, 2):
            if first.number == second.number:
                yield f"{task} try {first.number} submitted jobs {first.job_id} and {second.job_id}"
            elif first.end_s is None or first.end_s > second.submit_s:
                yield f"{task} try {second.number} submitted job {second.job_id} beside job {first.job_id}"
