"""Job dependencies: `afterok:12:13,afterany:14`, `singleton`."""

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from lute.slurm.states import SlurmState
from simulators.slurm.job import Job

_CLAUSE = re.compile(r"(after|afterok|afterany|afternotok)((?::[0-9]{1,10})+)|singleton")


class Verdict(Enum):
    """What a dependency says of a job now."""

    GO = "met"
    WAIT = "unfulfilled"
    NEVER = "failed"


def is_valid(text: str) -> bool:
    """True if every clause is of a kind that this cluster knows."""
    return all(_CLAUSE.fullmatch(clause) for clause in text.split(",")) if text else True


def judge(job: Job, jobs: Mapping[int, Job]) -> Verdict:
    """Return what the dependency of `job` says, given the jobs in memory.

    A job that is unknown or already purged counts as met (measured).
    """
    return _worst(
        [_judge_clause(clause, job, jobs) for clause in job.request.dependency.split(",") if clause]
    )


def show(job: Job, jobs: Mapping[int, Job]) -> str:
    """Return what is left of the dependency as scontrol does: `afterok:135(unfulfilled)` or `(null)`."""
    parts = []
    for clause in job.request.dependency.split(","):
        kind, *ids = clause.split(":")
        for number in ids:
            verdict = _judge_id(kind, int(number), jobs)
            if verdict is not Verdict.GO:
                parts.append(f"{kind}:{number}({verdict.value})")
        if clause == "singleton" and _judge_clause(clause, job, jobs) is Verdict.WAIT:
            parts.append("singleton(unfulfilled)")
    return ",".join(parts) or "(null)"


def _judge_clause(clause: str, job: Job, jobs: Mapping[int, Job]) -> Verdict:
    kind, *ids = clause.split(":")
    if kind == "singleton":
        same = (
            other
            for other in jobs.values()
            if other.id < job.id
            and other.request.name == job.request.name
            and other.request.person.uid == job.request.person.uid
        )
        return Verdict.WAIT if any(not other.state.is_final for other in same) else Verdict.GO
    return _worst([_judge_id(kind, int(number), jobs) for number in ids])


def _judge_id(kind: str, number: int, jobs: Mapping[int, Job]) -> Verdict:
    """Judge a job, or all tasks of an array."""
    other = jobs.get(number)
    if other is not None and (other.array is None or other.array.job_id != number):
        return _judge_one(kind, other)
    # the record with the array's own id is that of its last task, and may be forgotten before others end
    tasks = [task for task in jobs.values() if task.array and task.array.job_id == number]
    return _worst([_judge_one(kind, task) for task in tasks])


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.NEVER in verdicts:
        return Verdict.NEVER
    return Verdict.WAIT if Verdict.WAIT in verdicts else Verdict.GO


def _judge_one(kind: str, other: Job) -> Verdict:
    if kind == "after":
        return Verdict.WAIT if other.state is SlurmState.PENDING else Verdict.GO
    if not other.state.is_final:
        return Verdict.WAIT
    succeeded = other.state is SlurmState.COMPLETED
    if kind == "afterany" or succeeded is (kind == "afterok"):
        return Verdict.GO
    return Verdict.NEVER
