"""Job ids as users write them: `12`, `12_3`, `12_[1-3]`."""

import re
from dataclasses import dataclass

from simulators.slurm.controller import UnknownJobError
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster


@dataclass(frozen=True)
class JobId:
    """A job, or one task of an array."""

    number: int
    task: int | None = None

    def __str__(self) -> str:
        return str(self.number) if self.task is None else f"{self.number}_{self.task}"


def parse_id(word: str) -> JobId | None:
    """Return the id that `word` is, None if it is none."""
    match = re.fullmatch(r"([0-9]{1,10})(?:_([0-9]{1,7}))?", word, re.ASCII)
    if match is None:
        return None
    return JobId(int(match[1]), int(match[2]) if match[2] else None)


def find_jobs(cluster: Cluster, wanted: JobId) -> list[Job]:
    """Return the jobs in memory that an id stands for: all records of an array, or the one of its task.

    Raises:
        UnknownJobError: there is none.
    """
    number = wanted.number
    first = cluster.jobs.get(number)
    if first is not None and first.array is None:
        found = [first] if wanted.task is None else []
    else:
        found = [
            job
            for job in cluster.jobs.values()
            if job.array is not None and (job.array.job_id == number or job.id == number)
        ]
        if wanted.task is not None:
            found = [
                job
                for job in found
                if job.array and (job.array.task_id == wanted.task or wanted.task in job.array.waiting)
            ]
        elif first is not None and first.array is not None and first.array.job_id != number:
            found = [first]  # the own number of one task
    if not found:
        raise UnknownJobError(str(wanted))
    return found
