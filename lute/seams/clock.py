"""Time: reading it and waiting for it to pass."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What production may ask of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, timezone-aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back. For durations and deadlines."""

    def sleep(self, duration_s: float) -> None:
        """Return after `duration_s` seconds."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Sleep in real time; negative durations return at once."""
        time.sleep(max(0.0, duration_s))
