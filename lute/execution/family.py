"""The processes of a Task: its own and all that come of it."""

import contextlib
import ctypes
import os
import signal
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lute.seams import Clock

KILL_LIMIT_S = 5.0
"""How long killed processes may take to be gone: one that the system does not let end would take for ever."""
_LOOK_EVERY_S = 0.005
_PROC = Path("/proc")
_SET_SUBREAPER, _GET_SUBREAPER = 36, 37
"""PR_SET_CHILD_SUBREAPER and PR_GET_CHILD_SUBREAPER of prctl(2)."""


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    session: int
    has_ended: bool


class Family:
    """All processes that come of those started in other sessions while it is entered.

    Meanwhile a process whose parent has ended becomes a child of this one (it is a "subreaper"), so none
    gets away by leaving its session and its parents. Leaving the context kills all that are left.

    Processes that were there before, and those of this process's own session, do not belong to it. One that
    another service starts on a process's behalf, such as systemd or a container daemon, does not either.

    Args:
        clock: for the wait until killed processes are gone.

    Attributes:
        leader: id of the process that somebody else waits for, 0 where there is none; it is not reaped.
    """

    def __init__(self, clock: Clock) -> None:
        self.leader = 0
        self._clock = clock
        self._before: frozenset[int] = frozenset()
        self._was_subreaper = False

    def __enter__(self) -> Self:
        self._before = frozenset(process.pid for process in _children(_all_processes()))
        self._was_subreaper = _is_subreaper()
        _set_subreaper(True)
        return self

    def __exit__(self, *_: object) -> None:
        self.leader = 0
        self.kill()
        _set_subreaper(self._was_subreaper)

    def living(self) -> list[int]:
        """Return the ids of those that live; reap those adopted that have ended."""
        living, _ = self._look()
        return living

    def reap(self) -> None:
        """Reap those adopted that have ended, lest they fill the table of processes; costs little."""
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                self.living()

    def signal(self, *numbers: signal.Signals) -> int:
        """Send signals, in this order, to each that lives; return how many there were."""
        living = self.living()
        _send(living, *numbers)
        return len(living)

    def kill(self) -> int:
        """Kill all; return how many are still there after `KILL_LIMIT_S`."""
        deadline = self._clock.monotonic() + KILL_LIMIT_S
        while True:
            living, reaped = self._look()
            _send(living, signal.SIGKILL)
            # One that was reaped may just have started another, too late for this look.
            if not (living or reaped) or self._clock.monotonic() > deadline:
                return len(living)
            if living:
                self._clock.sleep(_LOOK_EVERY_S)

    def _look(self) -> tuple[list[int], int]:
        """Return the ids of those that live, and how many that have ended were reaped."""
        members = self._members()
        living = [process.pid for process in members if not process.has_ended]
        return living, sum(map(self._reap, members))

    def _members(self) -> list[_Process]:
        everyone = _all_processes()
        own_session = os.getsid(0)
        below: dict[int, list[_Process]] = defaultdict(list)
        for process in everyone:
            below[process.parent].append(process)
        members = [
            child
            for child in _children(everyone)
            if child.pid not in self._before and child.session != own_session
        ]
        for member in members:  # which gets longer meanwhile
            members += below.pop(member.pid, [])
        return members

    def _reap(self, process: _Process) -> bool:
        """Reap a process if it has ended and is for us to reap; return whether it was."""
        if not process.has_ended or process.parent != os.getpid() or process.pid == self.leader:
            return False
        # Somebody else in here may have waited for it since.
        with contextlib.suppress(ChildProcessError):
            return os.waitpid(process.pid, os.WNOHANG)[0] != 0
        return False


def _send(pids: list[int], *numbers: signal.Signals) -> None:
    for pid in pids:
        # Gone meanwhile, or a program with rights of its own, as of `sudo`.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            for number in numbers:
                os.kill(pid, number)


def _children(processes: list[_Process]) -> list[_Process]:
    return [process for process in processes if process.parent == os.getpid()]


def _all_processes() -> list[_Process]:
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return [process for process in map(_process, pids) if process is not None]


def _process(pid: int) -> _Process | None:
    """Return what is known of a process; None where it has gone or is hidden from this user."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name, in brackets, may hold anything; the fields after it are the 3rd and the following of proc(5).
    fields = stat.rpartition(")")[2].split()
    state, parent, session, threads = fields[0], int(fields[1]), int(fields[3]), int(fields[17])
    # Where only the first thread has ended, the state is the same as that of a process that has.
    return _Process(pid, parent, session, has_ended=state in "ZX" and threads <= 1)


def _is_subreaper() -> bool:
    answer = ctypes.c_int(0)
    _prctl(_GET_SUBREAPER, ctypes.addressof(answer))
    return bool(answer.value)


def _set_subreaper(is_one: bool) -> None:
    _prctl(_SET_SUBREAPER, int(is_one))


def _prctl(option: int, value: int) -> None:
    # Where it is not allowed, processes in other sessions get away, and nothing else changes.
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
