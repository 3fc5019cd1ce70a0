"""How each kind of bar and mark looks, and the words for it in the legend."""

from dataclasses import dataclass

_AIRFLOW, _SLURM = "Airflow: state of a run or task", "Slurm: a job, by its end"
_REQUESTS, _WORLD = "Requests: a tick per reply", "The world"
_BAD = "#dc2626"


@dataclass(frozen=True)
class Look:
    """How a kind is drawn.

    Attributes:
        heading: the part of the legend that it is in.
        words: its line there.
        hatch: plotly's name of a pattern that a bar is filled with, in `colour` on white.
        symbol: plotly's name of a mark's symbol; `tick` is a thin line, good for thousands.
        offset_px: how far below the middle of its lane a mark is.
    """

    heading: str
    words: str
    colour: str
    hatch: str = ""
    symbol: str = "circle"
    size_px: int = 11
    offset_px: int = 0


def _airflow(words: str, colour: str, symbol: str = "circle") -> Look:
    return Look(_AIRFLOW, words, colour, symbol=symbol)


def _log(words: str, colour: str, symbol: str, size_px: int) -> Look:
    return Look("Log of a task", words, colour, symbol=symbol, size_px=size_px, offset_px=9)


def _job(words: str, colour: str, hatch: str = "") -> Look:
    return Look(_SLURM, words, colour, hatch)


# Airflow 3.3's own colours (its UI's theme: the `solid` shade of each state), except that its two dark greys
# for tasks that wait are in lighter shades here: on bars they would outshine the work.
_LOOKS: dict[str, Look] = {
    "launcher": Look("Launcher", "at work", "#94a3b8"),
    "print": Look("Launcher", "prints a line", "#0f172a", symbol="diamond", size_px=7, offset_px=9),
    "signal": Look("Launcher", "gets a signal", "#d97706", symbol="triangle-down"),
    "launcher:good": Look("Launcher", "ended with success", "#16a34a"),
    "launcher:bad": Look("Launcher", "ended with an error", _BAD, symbol="x"),
    "airflow:scheduled": _airflow("scheduled: may start", "#d4d4d8"),
    "airflow:queued": _airflow("queued: waits for a worker", "#a8a29e"),
    "airflow:running": _airflow("running", "#0891b2"),
    "airflow:deferred": _airflow("deferred: waits without a worker", "#9333ea"),
    "airflow:awaiting_input": _airflow("awaiting input", "#ea580c"),
    "airflow:up_for_reschedule": _airflow("up for reschedule: looks again later", "#0284c7"),
    "airflow:up_for_retry": _airflow("up for retry: will try again", "#ca8a04"),
    "airflow:restarting": _airflow("restarting", "#7c3aed"),
    "airflow:success": _airflow("success", "#16a34a"),
    "airflow:failed": _airflow("failed", _BAD, "x"),
    "airflow:upstream_failed": _airflow("upstream failed: never started", "#d97706", "x"),
    "airflow:skipped": _airflow("skipped", "#db2777"),
    "airflow:removed": _airflow("removed", "#475569"),
    "request:jid.start_job": Look(_REQUESTS, "JID: start a job", "#1d4ed8", symbol="tick"),
    "request:jid.job_statuses": Look(_REQUESTS, "JID: how is the job?", "#60a5fa", symbol="tick"),
    "request:jid.job_log_file": Look(_REQUESTS, "JID: the job's log", "#0d9488", symbol="tick"),
    "request:jid.kill_job": Look(_REQUESTS, "JID: cancel the job", "#c026d3", symbol="tick"),
    "request:airflow.trigger": Look(_REQUESTS, "Airflow: start the run", "#65a30d", symbol="tick"),
    "request:airflow.watch": Look(_REQUESTS, "Airflow: how is the run?", "#94a3b8", symbol="tick"),
    "request:airflow": Look(_REQUESTS, "Airflow: anything else", "#334155", symbol="tick"),
    "request-failed": Look(_REQUESTS, "failed, or no reply (line: the wait)", _BAD, symbol="x"),
    "log:info": _log("line", "#64748b", "circle", 5),
    "log:warning": _log("warning", "#d97706", "triangle-up", 9),
    "log:error": _log("error", _BAD, "triangle-up", 9),
    "job:PENDING": _job("waits in the queue", "#94a3b8", "/"),
    "job:RUNNING": _job("running, end not recorded", "#93c5fd"),
    "job:COMPLETED": _job("ran: completed", "#4ade80"),
    "job:FAILED": _job("ran: failed", "#f87171"),
    "job:CANCELLED": _job("ran: cancelled", "#c4a484"),
    "job:TIMEOUT": _job("ran: time limit exceeded", "#fb923c"),
    "job:NODE_FAIL": _job("ran: its node failed", "#a78bfa"),
    "job:OUT_OF_MEMORY": _job("ran: out of memory", "#f472b6"),
    "job:PREEMPTED": _job("ran: preempted", "#facc15"),
    "job-end": Look(_SLURM, "ended, not completed", _BAD, symbol="x"),
    "outage": Look(_WORLD, "node or controller down", "#9ca3af", "x"),
    "fault": Look(_WORLD, "injected fault", "#b91c1c"),
    "broken": Look(_WORLD, "broken rule", "#a21caf"),
}
_OTHER_ENDPOINTS = ("#b45309", "#7e22ce", "#0f766e")
_WATCHING = frozenset({"airflow.get_run", "airflow.list_task_instances"})


def request_kind(endpoint: str) -> str:
    """Return the kind of a request that went well; the many endpoints of Airflow are three kinds."""
    kind = "request:airflow.watch" if endpoint in _WATCHING else f"request:{endpoint}"
    return "request:airflow" if endpoint.startswith("airflow.") and kind not in _LOOKS else kind


def all_looks(kinds: set[str]) -> dict[str, Look]:
    """Return the looks of `kinds` in the order of the legend; unknown kinds get looks of their own."""
    looks = {kind: look for kind, look in _LOOKS.items() if kind in kinds}
    endpoints = 0
    for kind in sorted(kinds - looks.keys()):
        family, _, name = kind.partition(":")
        if family == "request":
            colour = _OTHER_ENDPOINTS[endpoints % len(_OTHER_ENDPOINTS)]
            looks[kind] = Look(_REQUESTS, name or "(unnamed)", colour, symbol="tick")
            endpoints += 1
        else:
            heading = _SLURM if family == "job" else _AIRFLOW
            looks[kind] = Look(heading, name, "#6b7280")
    return looks
