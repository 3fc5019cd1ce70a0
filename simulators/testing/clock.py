"""The virtual time of a test's facility."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.testing.facility import FacilityHandle


class ClockHandle:
    """Lets time pass: the world goes on until the moment asked for, and stands still otherwise."""

    def __init__(self, facility: "FacilityHandle") -> None:
        self._facility = facility

    def __repr__(self) -> str:
        return f"<clock of {self._facility!r}>"

    @property
    def elapsed_s(self) -> float:
        """Seconds since the launch."""
        world = self._facility.world
        return world.agenda.now_s - world.start_s

    def now(self) -> datetime:
        """Return the moment that production sees."""
        return self._facility.world.clock.now()

    def sleep(self, duration_s: float) -> None:
        """Let the world go on for so many seconds."""
        self._facility.world.clock.sleep(duration_s)

    def advance_to(self, elapsed_s: float) -> None:
        """Let the world go on until so many seconds after the launch.

        Raises:
            ValueError: the moment has passed.
        """
        world = self._facility.world
        world.agenda.advance(world.start_s + elapsed_s)

    def wait_until(self, condition: Callable[[], object], *, timeout_s: float = 3600.0) -> None:
        """Let the world go on, event by event, until `condition` returns something true.

        Raises:
            TimeoutError: it has not within `timeout_s` seconds, or nothing would happen any more.
        """
        agenda = self._facility.world.agenda
        deadline_s = agenda.now_s + timeout_s
        while not condition():
            next_s = agenda.next_time_s
            if next_s is None or next_s > deadline_s:
                raise TimeoutError(f"not so after {timeout_s:g} s of virtual time")
            agenda.step()
