"""Watching a Task's process until it and all that it started have ended."""

import os
import signal
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from lute.execution.family import Family
from lute.execution.inbox import Inbox
from lute.execution.stop_signals import StopSignals
from lute.seams import Clock

STOP_GRACE_S = 5.0
"""Time between asking a Task to stop and killing it. Slurm's own default is 30 s."""
LEFTOVER_GRACE_S = 1.0
"""The same for processes that a Task left behind."""
_LOOK_EVERY_S = 0.1
_PLEASE_END = (signal.SIGTERM, signal.SIGCONT)
"""A stopped process must go on to end by itself."""


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
        survivors: number of processes that could not be ended.
    """

    return_code: int
    stop: Stop | None
    was_killed: bool
    leftovers: int
    survivors: int


def supervise(
    process: Process, family: Family, inbox: Inbox, clock: Clock, signals: StopSignals, *, timeout_s: float
) -> Ending:
    """Receive a Task's messages until its process has ended; stop it when it is time.

    Args:
        process: the Task's own, in another session than this one.
        family: it and all that come of it.
        inbox: where its messages come.
        clock: for the time limit.
        signals: one received means: cancel.
        timeout_s: time limit from now, in seconds.

    Returns:
        How the process ended.
    """
    family.leader = process.pid
    deadline = clock.monotonic() + timeout_s
    stop: Stop | None = None
    was_killed = False
    while not _has_ended(process):
        inbox.receive(_LOOK_EVERY_S)
        family.reap()
        now = clock.monotonic()
        if stop is None and (signals.received or now >= deadline):
            stop = Stop.CANCELLED if signals.received else Stop.TIMEOUT
            family.signal(*_PLEASE_END)
            deadline = now + STOP_GRACE_S
        elif stop is not None and now >= deadline:
            family.signal(signal.SIGKILL)
            was_killed = True
    leftovers, survivors = _end_leftovers(family, inbox, clock)
    # Only now is the process id given back, so that no other process could have got it meanwhile.
    return Ending(process.wait(), stop, was_killed, leftovers, survivors)


def _has_ended(process: Process) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_leftovers(family: Family, inbox: Inbox, clock: Clock) -> tuple[int, int]:
    number = family.signal(*_PLEASE_END)
    deadline = clock.monotonic() + LEFTOVER_GRACE_S
    while family.living() and clock.monotonic() < deadline:
        inbox.receive(0)
        clock.sleep(0.02)
    survivors = family.kill()
    return max(number - survivors, 0), survivors
