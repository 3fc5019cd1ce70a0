"""Slurm jobs: their stays in the queue and on nodes, and the tasks that they belong to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lute.jid.status import JobStatus
from lute.slurm.states import JOB_STATUS, SlurmState, parse_state
from simulators.timeline.entries import Entry
from simulators.timeline.history import FINAL_STATES

_UNFINISHED = SlurmState.RUNNING


@dataclass
class Stay:
    """One stay: from being queued to the end.

    Attributes:
        started_s: None if the job never ran in this stay.
        stopped_s: when its processes had ended and its nodes were not free yet.
        outcome: the state that ended it, None while there is none.
        reasons: why it waited, and what was told of its end.
    """

    queued_s: float
    started_s: float | None = None
    stopped_s: float | None = None
    ended_s: float | None = None
    outcome: SlurmState | None = None
    nodes: tuple[str, ...] = ()
    reasons: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The look of the time on its nodes: how it ended."""
        return f"job:{self.outcome or _UNFINISHED}"

    def waited_s(self, now_s: float) -> float:
        """Return how long it was in the queue; `now_s` counts for what has not happened yet."""
        return (
            next(at_s for at_s in (self.started_s, self.ended_s, now_s) if at_s is not None) - self.queued_s
        )

    def ran_s(self, now_s: float) -> float | None:
        """Return how long it ran, None if it never did."""
        if self.started_s is None:
            return None
        return (
            next(at_s for at_s in (self.stopped_s, self.ended_s, now_s) if at_s is not None) - self.started_s
        )


@dataclass(frozen=True)
class Job:
    """A job with all its stays, the first one first.

    Attributes:
        task: the label of the task that it was submitted for, its name if the trace does not tell.
    """

    number: str
    name: str
    task: str
    cpus: str
    stays: tuple[Stay, ...]

    @property
    def queued_s(self) -> float:
        """When it was submitted."""
        return self.stays[0].queued_s


def read_jobs(entries_of: Mapping[str, list[Entry]]) -> list[Job]:
    """Return the jobs in the order of their submission."""
    jobs = []
    for number, entries in entries_of.items():
        if stays := _stays(entries):
            name, task, cpus = (_last(entries, key) for key in ("name", "task", "cpus"))
            jobs.append(Job(number, name or "(no name)", task or name, cpus, tuple(stays)))
    return sorted(jobs, key=lambda job: job.queued_s)


def _last(entries: list[Entry], key: str) -> str:
    return next((text for entry in reversed(entries) if (text := entry.text(key))), "")


def _stays(entries: list[Entry]) -> list[Stay]:
    stays: list[Stay] = []
    for entry in entries:
        state = parse_state(entry.text("state"))
        if state is None:
            continue
        if not stays or (stays[-1].outcome and JOB_STATUS[state].is_active):
            stays.append(Stay(entry.at_s))
        _advance(stays[-1], state, entry)
    return stays


def _advance(stay: Stay, state: SlurmState, entry: Entry) -> None:
    stay.nodes = entry.texts("nodes") or stay.nodes
    reason = entry.text("reason")
    if reason not in ("", "None", *stay.reasons):
        stay.reasons.append(reason)
    if not JOB_STATUS[state].is_active:
        stay.ended_s, stay.outcome = entry.at_s, state
    elif state is SlurmState.COMPLETING:
        stay.stopped_s = entry.at_s
    elif JOB_STATUS[state] is JobStatus.RUNNING and stay.started_s is None:
        stay.started_s = entry.at_s


def owner_of(job: Job, tasks: Mapping[tuple[str, str, str], list[Entry]]) -> tuple[str, str, str] | None:
    """Return the one task that a job can belong to, None if there is none or more than one.

    It is the one that the trace names, or has the job's name, or is a mapped one of that name, and was at
    work when the job was submitted.
    """
    for names in (_same, _mapped):
        found = [
            key
            for key, entries in tasks.items()
            if names(job.task, key[2]) and _at_work(entries, job.queued_s)
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _at_work(entries: list[Entry], at_s: float) -> bool:
    has_ended = entries[-1].text("state") in FINAL_STATES
    return entries[0].at_s <= at_s and (not has_ended or at_s <= entries[-1].at_s)


def _same(name: str, label: str) -> bool:
    return name == label


def _mapped(name: str, label: str) -> bool:
    return label.startswith(f"{name}[")


def packed(spans: Iterable[tuple[float, float]]) -> list[int]:
    """Return a row for each span, given in the order of their starts, so that no two overlap in a row."""
    ends: list[float] = []
    rows = []
    for start_s, end_s in spans:
        row = next((row for row, taken_s in enumerate(ends) if taken_s <= start_s), len(ends))
        ends[row : row + 1] = [end_s]
        rows.append(row)
    return rows
