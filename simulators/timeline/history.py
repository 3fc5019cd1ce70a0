"""A trace sorted by whom its entries are about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulators.timeline.entries import Entry, read_entries

FINAL_STATES = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
"""States in which a run or a task of Airflow stays."""
_BAD_STATUS = 400


def _lists() -> "defaultdict[str, list[Entry]]":
    return defaultdict(list)


@dataclass
class History:
    """What happened to whom, each in the order of time.

    Attributes:
        start_s: POSIX time of the first entry.
        end_s: of the last entry, in seconds since the first.
        runs: by DAG run, as (dag_id, run_id).
        tasks: by task instance, as (dag_id, run_id, label).
        clients: requests and log lines, by who sent or wrote them.
        jobs: by job number, written as text.
        faults: beginnings and ends.
    """

    start_s: float = 0.0
    end_s: float = 0.0
    header: Entry = field(default_factory=lambda: Entry(0.0, {}))
    verdict: Entry | None = None
    launchers: defaultdict[str, list[Entry]] = field(default_factory=_lists)
    runs: defaultdict[tuple[str, str], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    tasks: defaultdict[tuple[str, str, str], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    clients: defaultdict[str, list[Entry]] = field(default_factory=_lists)
    jobs: defaultdict[str, list[Entry]] = field(default_factory=_lists)
    nodes: defaultdict[str, list[Entry]] = field(default_factory=_lists)
    controller: list[Entry] = field(default_factory=list)
    faults: list[Entry] = field(default_factory=list)
    broken: list[Entry] = field(default_factory=list)


def read_history(trace: Iterable[Mapping[str, object]]) -> History:
    """Sort a trace; entries of unknown events are left out."""
    start_s, entries = read_entries(trace)
    history = History(start_s=start_s)
    for entry in entries:
        history.end_s = entry.at_s
        _sort(history, entry)
    return history


def has_failed(request: Entry) -> bool:
    """Return whether a request got no reply, or one that is no success."""
    status = request.number("status")
    return bool(request.text("failure")) or status is None or status >= _BAD_STATUS


def _sort(history: History, entry: Entry) -> None:
    actor = entry.text("actor")
    run = entry.text("dag_id"), entry.text("run_id")
    match entry.text("event"):
        case "header":
            history.header = entry
        case "verdict":
            history.verdict = entry
        case "start" | "print" | "signal" | "end":
            history.launchers[actor].append(entry)
        case "run":
            history.runs[run].append(entry)
        case "task":
            history.tasks[*run, entry.text("task")].append(entry)
        case "http" | "log":
            history.clients[actor].append(entry)
        case "job":
            history.jobs[entry.text("job")].append(entry)
        case "node":
            history.nodes[entry.text("node")].append(entry)
        case "controller":
            history.controller.append(entry)
        case "fault" | "fault_end":
            history.faults.append(entry)
        case "broken":
            history.broken.append(entry)
