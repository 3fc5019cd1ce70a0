"""The processes of a session: a Task's own and all that it started and did not detach."""

import contextlib
import os
import signal
from pathlib import Path

_PROC = Path("/proc")


def processes_of(session: int) -> list[int]:
    """Return the ids of the living processes of a session."""
    return [pid for pid in _all_processes() if _is_alive_in(pid, session)]


def signal_session(session: int, number: signal.Signals) -> int:
    """Send a signal to all processes of a session and return how many there were."""
    processes = processes_of(session)
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return len(processes)


def _all_processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _is_alive_in(pid: int, session: int) -> bool:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    # The name, in brackets, may hold anything; after it: state, parent, group, session.
    state, _, _, its_session, *_ = stat.rpartition(")")[2].split()
    return int(its_session) == session and state not in "ZX"
