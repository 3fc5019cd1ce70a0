"""The lanes of Slurm: its jobs, its controller, its nodes."""

from collections.abc import Iterable

from lute.slurm.states import SlurmState
from simulators.timeline.entries import Entry, clock_text, span_text, until_next
from simulators.timeline.history import History
from simulators.timeline.jobs import Job, Stay, owner_of, packed
from simulators.timeline.model import Bar, Group, Lane, Mark

_SINGLE_OTHERS = 8
"""So many jobs of no task get lanes of their own; more share one, lest they push the rest away."""
_FIT = frozenset({"", "up", "idle", "mixed", "allocated", "completing"})


def job_lanes(jobs: list[Job], history: History) -> Iterable[Lane]:
    """Yield a lane per job, and one for all that belong to no task if they are many."""
    others = [job for job in jobs if owner_of(job, history.tasks) is None]
    shared = others if len(others) > _SINGLE_OTHERS else []
    numbers = {job.number for job in shared}
    for job in jobs:
        if job.number not in numbers:
            lane = Lane(Group.JOB, f"{job.number} {job.name}")
            for stay in job.stays:
                nodes = ", ".join(stay.nodes)
                _add_stay(lane, job, stay, history.end_s, (f"on {nodes}", nodes))
            lane.marks.extend(_bad_ends(job, history.end_s))
            yield lane
    if shared:
        yield _shared_lane(shared, history.end_s)


def _shared_lane(jobs: list[Job], end_s: float) -> Lane:
    lane = Lane(Group.JOB, f"{len(jobs)} other jobs")
    stays = sorted(((job, stay) for job in jobs for stay in job.stays), key=lambda pair: pair[1].queued_s)
    rows = packed((stay.queued_s, _end_s(stay, end_s)) for _, stay in stays)
    for (job, stay), row in zip(stays, rows, strict=True):
        _add_stay(lane, job, stay, end_s, _names(job), row)
    return lane


def _bad_ends(job: Job, end_s: float) -> Iterable[Mark]:
    """Yield a mark per end that is no success; only the last one has room for its state."""
    for stay in job.stays:
        if stay.outcome not in (None, SlurmState.COMPLETED):
            label = str(stay.outcome) if stay is job.stays[-1] else ""
            yield Mark(_end_s(stay, end_s), "job-end", job_hover(job, stay, end_s), label=label)


def _names(job: Job) -> tuple[str, ...]:
    return f"{job.number} {job.name}", job.number


def _end_s(stay: Stay, end_s: float) -> float:
    return end_s if stay.ended_s is None else stay.ended_s


def _add_stay(
    lane: Lane, job: Job, stay: Stay, end_s: float, labels: tuple[str, ...], level: int = 0
) -> None:
    until_s = _end_s(stay, end_s)
    started_s = until_s if stay.started_s is None else stay.started_s
    hover = job_hover(job, stay, end_s)
    lane.bars.append(Bar(stay.queued_s, started_s, "job:PENDING", ("waiting",), hover, level))
    if stay.started_s is not None:
        lane.bars.append(Bar(started_s, until_s, stay.kind, labels, hover, level))


def job_hover(job: Job, stay: Stay, end_s: float) -> str:
    """Return all that is known of a job's stay."""
    ran_s = stay.ran_s(end_s)
    lines = [
        f"Slurm job {job.number} {job.name}: {stay.outcome or 'not ended in this record'}",
        f"on {', '.join(stay.nodes)}, {job.cpus or '?'} cores" if stay.nodes else "on no node",
        f"queued {clock_text(stay.queued_s)}, waited {span_text(stay.waited_s(end_s))}",
        "never ran"
        if ran_s is None
        else f"started {clock_text(stay.started_s or 0.0)}, ran {span_text(ran_s)}",
        f"reason: {', '.join(stay.reasons)}" if stay.reasons else "",
    ]
    return "\n".join(line for line in lines if line)


def node_lanes(jobs: list[Job], history: History) -> Iterable[Lane]:
    """Yield a lane per node that had a job or was out of order, in the order of their names."""
    ran = [(job, stay) for job in jobs for stay in job.stays if stay.started_s is not None]
    for node in sorted({*history.nodes, *(node for _, stay in ran for node in stay.nodes)}):
        here = sorted(
            (pair for pair in ran if node in pair[1].nodes), key=lambda pair: pair[1].started_s or 0.0
        )
        spans = [(stay.started_s or 0.0, _end_s(stay, history.end_s)) for _, stay in here]
        bars = _outages(node, history.nodes.get(node, []), history.end_s)
        for (job, stay), (start_s, stop_s), row in zip(here, spans, packed(spans), strict=True):
            hover = job_hover(job, stay, history.end_s)
            bars.append(Bar(start_s, stop_s, stay.kind, _names(job), hover, row))
        if bars:
            yield Lane(Group.NODE, node, bars)


def controller_lane(history: History) -> Iterable[Lane]:
    """Yield the controller's lane if it was ever down."""
    if bars := _outages("Slurm controller", history.controller, history.end_s):
        yield Lane(Group.NODE, "Slurm controller", bars)


def _outages(name: str, entries: list[Entry], end_s: float) -> list[Bar]:
    bars = []
    for entry, until_s in until_next(entries, end_s):
        state = entry.text("state").lower()
        if state not in _FIT:
            took = f"{clock_text(entry.at_s)} to {clock_text(until_s)} ({span_text(until_s - entry.at_s)})"
            bars.append(Bar(entry.at_s, until_s, "outage", (state,), f"{name}: {state}\n{took}", None))
    return bars
