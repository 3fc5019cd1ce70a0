"""Clocks for simulated worlds; each is a `lute.seams.Clock`."""

from datetime import UTC, datetime

from lute.seams import Clock
from simulators.kernel.actors import Actors
from simulators.kernel.events import Agenda


class VirtualClock:
    """The time of an agenda whose seconds are POSIX time; sleeping lets everything due meanwhile happen.

    Args:
        actors: who may sleep by this clock besides the hub: an actor waits, and its world goes on.
    """

    def __init__(self, agenda: Agenda, actors: Actors | None = None) -> None:
        self._agenda = agenda
        self._actors = actors

    def now(self) -> datetime:
        """Return the agenda's moment in UTC."""
        return datetime.fromtimestamp(self._agenda.now_s, UTC)

    def monotonic(self) -> float:
        """Return the agenda's moment in seconds."""
        return self._agenda.now_s

    def sleep(self, duration_s: float) -> None:
        """Let `duration_s` seconds pass in the agenda."""
        if self._actors is not None:
            self._actors.sleep(duration_s)
        else:
            self._agenda.advance(self._agenda.now_s + max(0.0, duration_s))


class PacedClock:
    """A clock that runs `pace` times as fast as another, from the same start.

    Args:
        clock: the clock it follows, usually the machine's.
        pace: its seconds per second of `clock`, above 0.

    Raises:
        ValueError: the pace is not positive.
    """

    def __init__(self, clock: Clock, pace: float = 1.0) -> None:
        if not pace > 0:
            raise ValueError(f"a clock's pace must be above 0, not {pace}")
        self._clock = clock
        self._pace = pace
        self._start_s = clock.monotonic()
        self._start_posix_s = clock.now().timestamp()

    def now(self) -> datetime:
        """Return its time in UTC."""
        return datetime.fromtimestamp(self._start_posix_s + self._passed_s(), UTC)

    def monotonic(self) -> float:
        """Return its seconds since an arbitrary start."""
        return self._start_s + self._passed_s()

    def sleep(self, duration_s: float) -> None:
        """Sleep for `duration_s` seconds of this clock, which are fewer of the other if it is fast."""
        self._clock.sleep(duration_s / self._pace)

    def _passed_s(self) -> float:
        return (self._clock.monotonic() - self._start_s) * self._pace
