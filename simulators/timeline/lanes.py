"""From a trace to the model of the page. Pure: same trace, same model."""

from collections.abc import Iterable, Mapping

from simulators.timeline.entries import Entry, clock_text, span_text, until_next
from simulators.timeline.history import FINAL_STATES, History, has_failed, read_history
from simulators.timeline.job_lanes import controller_lane, job_lanes, node_lanes
from simulators.timeline.jobs import read_jobs
from simulators.timeline.looks import request_kind
from simulators.timeline.model import Bar, Group, Lane, Mark, Timeline
from simulators.timeline.summary import broken_checkers, facts, faults, judged, summary, task_rows, title

_LOG_KINDS = {"WARNING": "log:warning", "ERROR": "log:error", "CRITICAL": "log:error"}


def read_timeline(trace: Iterable[Mapping[str, object]]) -> Timeline:
    """Return what the page shows of a trace."""
    history = read_history(trace)
    jobs = read_jobs(history.jobs)
    is_good, verdict = judged(history)
    return Timeline(
        title=title(history),
        verdict=verdict,
        is_good=is_good,
        summary=summary(history, jobs),
        facts=facts(history),
        replay=history.header.text("replay"),
        duration_s=history.end_s,
        lanes=(
            *(_launcher_lane(name, entries, history.end_s) for name, entries in history.launchers.items()),
            *_airflow_lanes(history),
            *(_client_lane(name, entries, history.start_s) for name, entries in history.clients.items()),
            *job_lanes(jobs, history),
            *controller_lane(history),
            *node_lanes(jobs, history),
        ),
        faults=faults(history),
        broken=broken_checkers(history),
        rows=task_rows(history, jobs),
    )


def _launcher_lane(name: str, entries: list[Entry], end_s: float) -> Lane:
    lane = Lane(Group.LAUNCHER, name)
    begin = next((entry for entry in entries if entry.text("event") == "start"), entries[0])
    end = next((entry for entry in entries if entry.text("event") == "end"), None)
    how = f"exit code {end.text('exit_code')}" if end else "did not end in this record"
    stop_s = end.at_s if end else end_s
    hover = [
        f"{name}: {how}",
        " ".join(begin.texts("argv")),
        f"{clock_text(begin.at_s)} to {clock_text(stop_s)} ({span_text(stop_s - begin.at_s)})",
    ]
    lane.bars.append(Bar(begin.at_s, stop_s, "launcher", ("at work",), _lines(hover)))
    if end is not None:
        kind = "launcher:good" if end.number("exit_code") == 0 else "launcher:bad"
        lane.marks.append(Mark(stop_s, kind, _lines(hover), label=how))
    lane.marks.extend(
        Mark(entry.at_s, "signal", f"{name} gets {entry.text('signal')} at {clock_text(entry.at_s)}")
        for entry in entries
        if entry.text("event") == "signal"
    )
    lane.marks.extend(
        Mark(entry.at_s, "print", f"{name} prints at {clock_text(entry.at_s)}\n{entry.text('text')}")
        for entry in entries
        if entry.text("event") == "print"
    )
    return lane


def _airflow_lanes(history: History) -> Iterable[Lane]:
    for (dag_id, run_id), entries in history.runs.items():
        yield _state_lane(Group.RUN, f"{dag_id} {run_id}", dag_id or run_id, entries, history.end_s)
    several = len({key[:2] for key in history.tasks}) > 1
    for (_dag_id, run_id, task), entries in history.tasks.items():
        name = f"{task} ({run_id})" if several else task
        yield _state_lane(Group.TASK, name, name, entries, history.end_s)


def _state_lane(group: Group, full_name: str, name: str, entries: list[Entry], end_s: float) -> Lane:
    """Draw each state as a bar up to the next one, and a state that is final as a mark."""
    lane = Lane(group, name)
    for entry, until_s in until_next(entries, end_s):
        state, number = entry.text("state"), entry.text("try")
        turn = f"try {number}" if number else ""
        words = f"{state}, {turn}" if turn else state
        if state in FINAL_STATES:
            hover = f"{full_name}: {words}\nat {clock_text(entry.at_s)}"
            lane.marks.append(Mark(entry.at_s, f"airflow:{state}", hover, label=state))
        elif state not in ("", "none"):
            took = f"{clock_text(entry.at_s)} to {clock_text(until_s)} ({span_text(until_s - entry.at_s)})"
            labels = (words, turn)
            lane.bars.append(
                Bar(entry.at_s, until_s, f"airflow:{state}", labels, f"{full_name}: {words}\n{took}")
            )
    return lane


def _client_lane(name: str, entries: list[Entry], start_s: float) -> Lane:
    lane = Lane(Group.CLIENT, name)
    for entry in entries:
        lane.marks.append(
            _request(name, entry, start_s) if entry.text("event") == "http" else _log_line(name, entry)
        )
    return lane


def _request(name: str, entry: Entry, start_s: float) -> Mark:
    endpoint = entry.text("endpoint")
    status, sent_s = entry.number("status"), entry.number("sent_s")
    since_s = entry.at_s if sent_s is None else min(sent_s - start_s, entry.at_s)
    failure = entry.text("failure")
    how = failure or (f"HTTP {status:.0f}" if status is not None else "no reply")
    kind = "request-failed" if has_failed(entry) else request_kind(endpoint)
    when = f"sent {clock_text(since_s)}, took {span_text(entry.at_s - since_s)}"
    return Mark(entry.at_s, kind, f"{name}: {endpoint}: {how}\n{when}", since_s=since_s)


def _log_line(name: str, entry: Entry) -> Mark:
    level = entry.text("level") or "INFO"
    kind = _LOG_KINDS.get(level.upper(), "log:info")
    return Mark(entry.at_s, kind, f"{name} logs at {clock_text(entry.at_s)}\n{level}: {entry.text('text')}")


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)
