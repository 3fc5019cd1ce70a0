"""Watching a Task's process until it and all that it started have ended."""

import os
import signal
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from lute.execution.inbox import Inbox
from lute.execution.session import processes_of, signal_session
from lute.execution.stop_signals import StopSignals
from lute.seams import Clock

STOP_GRACE_S = 5.0
"""Time between asking a Task to stop and killing it. Slurm's own default is 30 s."""
LEFTOVER_GRACE_S = 1.0
"""The same for processes that a Task left behind."""
_LOOK_EVERY_S = 0.1


class Process(Protocol):
    """What is needed of a started process, the leader of its own session."""

    pid: int

    def wait(self) -> int:
        """Wait for its end and return its exit code, or minus a signal's number."""


class Stop(Enum):
    """Why a Task was stopped."""

    TIMEOUT = auto()
    CANCELLED = auto()


@dataclass(frozen=True)
class Ending:
    """How a Task's process ended.

    Attributes:
        return_code: its exit code, or minus the number of the signal that ended it.
        stop: why it was stopped, None where it ended by itself.
        was_killed: True where it had to be killed because it did not end when asked to.
        leftovers: number of processes that it left running and that were ended.
    """

    return_code: int
    stop: Stop | None
    was_killed: bool
    leftovers: int


def supervise(
    process: Process, inbox: Inbox, clock: Clock, signals: StopSignals, *, timeout_s: float
) -> Ending:
    """Receive a Task's messages until its process has ended; stop it when it is time.

    Args:
        process: the leader of the session that the Task has for itself.
        inbox: where its messages come.
        clock: for the time limit.
        signals: one received means: cancel.
        timeout_s: time limit from now, in seconds.

    Returns:
        How the process ended. Nothing that it started and did not detach is left, not even after an
        exception.
    """
    try:
        return _supervised(process, inbox, clock, signals, timeout_s)
    except BaseException:
        signal_session(process.pid, signal.SIGKILL)
        raise


def _supervised(
    process: Process, inbox: Inbox, clock: Clock, signals: StopSignals, timeout_s: float
) -> Ending:
    deadline = clock.monotonic() + timeout_s
    stop: Stop | None = None
    was_killed = False
    while not _has_ended(process):
        inbox.receive(_LOOK_EVERY_S)
        now = clock.monotonic()
        if stop is None and (signals.received or now >= deadline):
            stop = Stop.CANCELLED if signals.received else Stop.TIMEOUT
            signal_session(process.pid, signal.SIGTERM)
            deadline = now + STOP_GRACE_S
        elif stop is not None and now >= deadline:
            signal_session(process.pid, signal.SIGKILL)
            was_killed = True
    leftovers = _end_leftovers(process.pid, inbox, clock)
    # Only now is the process id given back, so that no other session could have got it meanwhile.
    return Ending(process.wait(), stop, was_killed, leftovers)


def _has_ended(process: Process) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_leftovers(session: int, inbox: Inbox, clock: Clock) -> int:
    number = signal_session(session, signal.SIGTERM)
    deadline = clock.monotonic() + LEFTOVER_GRACE_S
    while processes_of(session) and clock.monotonic() < deadline:
        inbox.receive(0)
        clock.sleep(0.02)
    signal_session(session, signal.SIGKILL)
    return number
