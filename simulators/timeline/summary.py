"""What the page says in words and tables."""

from collections.abc import Iterator, Mapping

from simulators.timeline.entries import Entry, clean, clock_text, span_text
from simulators.timeline.history import History, has_failed
from simulators.timeline.jobs import Job, owner_of
from simulators.timeline.model import Instant, JobLine, TaskRow

_IN_TITLE = frozenset({"t", "actor", "event", "format", "workflow", "scenario", "seed", "replay"})
_WORDS = {"success": "succeeded", "failed": "failed", "none": "no run was started"}
_AS_EXPECTED, _NOT_AS_EXPECTED = "as expected", "not as expected"
_MOST_OTHERS = 20


def title(history: History) -> str:
    """Return which run it is."""
    header = history.header
    workflow, seed = header.text("workflow"), header.text("seed")
    whole = header.fields.get("scenario")
    scenario = clean(whole.get("name")) if isinstance(whole, Mapping) else clean(whole)
    parts = [f"Workflow {workflow or '(unnamed)'}"]
    parts += [f"scenario {scenario}"] if scenario else []
    parts += [f"seed {seed}"] if seed else []
    return ", ".join(parts)


def judged(history: History) -> tuple[bool | None, str]:
    """Return whether the run went as it should, and the verdict in words."""
    if history.verdict is None:
        return None, "no verdict: the record ends before one"
    verdict, expected = (history.verdict.text(key) for key in ("verdict", "expected"))
    is_good = expected in (verdict, _AS_EXPECTED) if expected else verdict == "success"
    words = _WORDS.get(verdict, verdict)
    if expected:
        words += f", {_AS_EXPECTED}" if is_good else f", {_unexpected(expected)}"
    if history.broken:
        words += f"; {_count(len(history.broken), 'rule')} broken"
    return is_good and not history.broken, words


def _unexpected(expected: str) -> str:
    return expected if expected == _NOT_AS_EXPECTED else f"but expected was: {_WORDS.get(expected, expected)}"


def summary(history: History, jobs: list[Job]) -> str:
    """Return the run in numbers."""
    states = [entries[-1].text("state") for entries in history.tasks.values()]
    requests = [e for entries in history.clients.values() for e in entries if e.text("event") == "http"]
    bad = sum(map(has_failed, requests))
    fired = sum(1 for entry in history.faults if entry.text("event") == "fault")
    return ". ".join(
        (
            f"{span_text(history.end_s)} of virtual time",
            f"{states.count('success')} of {_count(len(states), 'task')} succeeded",
            _count(len(jobs), "Slurm job"),
            f"{_count(len(requests), 'request')}, {bad} failed",
            f"{_count(fired, 'fault')} injected",
            f"{_count(len(history.broken), 'rule')} broken.",
        )
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def facts(history: History) -> tuple[tuple[str, str], ...]:
    """Return what the header says beyond the title."""
    header = history.header
    beyond = [
        key for key, value in header.fields.items() if key not in _IN_TITLE or isinstance(value, Mapping)
    ]
    return tuple((clean(key), header.text(key)) for key in beyond)


def faults(history: History) -> tuple[Instant, ...]:
    """Return the faults that fired, each with its end if it has one."""
    ends = [entry for entry in history.faults if entry.text("event") == "fault_end"]
    found = []
    for entry in history.faults:
        if entry.text("event") == "fault":
            end = next((e for e in ends if e.at_s >= entry.at_s and _identity(e) == _identity(entry)), None)
            if end is not None:
                ends.remove(end)
            found.append(_fault(entry, end))
    return tuple(found)


def _identity(entry: Entry) -> tuple[str, str, str]:
    return entry.text("where"), entry.text("what"), entry.text("target")


def _fault(entry: Entry, end: Entry | None) -> Instant:
    where, what, target = _identity(entry)
    what = what.replace("_", " ")
    label = f"{what}: {where}" + (f" of {target}" if target else "")
    until = clock_text(end.at_s) if end else ""
    detail = entry.text("detail")
    when = f"at {clock_text(entry.at_s)}" + (f", until {until}" if until else "")
    hover = "\n".join(filter(None, (f"fault {label}", when, detail)))
    cells = (until or "an instant", what, where, target or "any", detail)
    return Instant(entry.at_s, end.at_s if end else None, "fault", label, hover, cells)


def broken_checkers(history: History) -> tuple[Instant, ...]:
    """Return the rules that were broken."""
    found = []
    for entry in history.broken:
        rule, text = entry.text("checker"), entry.text("text")
        hover = f"rule {rule} broken at {clock_text(entry.at_s)}\n{text}"
        found.append(Instant(entry.at_s, None, "broken", f"broken: {rule}", hover, (rule, text)))
    return tuple(found)


def task_rows(history: History, jobs: list[Job]) -> tuple[TaskRow, ...]:
    """Return the tasks with their jobs, then the jobs that cannot be told to belong to one task."""
    several = len({key[:2] for key in history.tasks}) > 1
    owners = {job.number: owner_of(job, history.tasks) for job in jobs}
    rows = []
    for key, entries in history.tasks.items():
        mine = tuple(line for job in jobs if owners[job.number] == key for line in _lines(job, history.end_s))
        name = f"{key[2]} ({key[1]})" if several else key[2]
        tries = max((int(entry.number("try") or 0) for entry in entries), default=0)
        rows.append(TaskRow(name, entries[-1].text("state"), str(tries), mine))
    others = [job for job in jobs if owners[job.number] is None]
    rows += [
        TaskRow(f"(no task of its own) {job.name}", "", "", tuple(_lines(job, history.end_s)))
        for job in others[:_MOST_OTHERS]
    ]
    if len(others) > _MOST_OTHERS:
        rows.append(TaskRow(f"({len(others) - _MOST_OTHERS} more jobs)", "", "", ()))
    return tuple(rows)


def _lines(job: Job, end_s: float) -> Iterator[JobLine]:
    for stay in job.stays:
        state = str(stay.outcome or ("RUNNING" if stay.started_s is not None else "PENDING"))
        yield JobLine(job.number, state, ",".join(stay.nodes), stay.waited_s(end_s), stay.ran_s(end_s))
