"""What is to happen, and when: one heap, ordered by (time, priority, sequence).

The key is simpy's: the sequence number makes ties fall in the order in which they were planned, so that the
same program always runs the same way.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

Action = Callable[[], None]


class Event:
    """One planned action; `cancel` takes it back."""

    __slots__ = ("action", "time_s")

    def __init__(self, time_s: float, action: Action) -> None:
        self.time_s = time_s
        self.action: Action | None = action

    def cancel(self) -> None:
        """Take the action back; harmless if it has happened."""
        self.action = None


class Agenda:
    """Planned actions and the present moment.

    Nothing happens by itself: `advance` and `run` let time pass, so one agenda serves a virtual world (which
    jumps from event to event) and a served one (which advances to the real time again and again).

    Args:
        start_s: the present moment at first, in seconds; POSIX time where dates matter.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s
        self._heap: list[tuple[float, int, int, Event]] = []
        self._sequence = 0

    @property
    def now_s(self) -> float:
        """The present moment in seconds."""
        return self._now_s

    @property
    def next_time_s(self) -> float | None:
        """When the next event is due, None if nothing is planned."""
        while self._heap and self._heap[0][3].action is None:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def at(self, time_s: float, action: Action, priority: int = 0) -> Event:
        """Plan `action` for a moment; of equal moments the lower priority number comes first.

        Raises:
            ValueError: the moment has passed, or is none (infinite, not a number).
        """
        if not self._now_s <= time_s < inf:
            if time_s < self._now_s:
                raise ValueError(f"time cannot go back: {time_s} is before {self._now_s}")
            raise ValueError(f"nothing can be planned for {time_s} s")
        event = Event(time_s, action)
        self._sequence += 1
        heappush(self._heap, (time_s, priority, self._sequence, event))
        return event

    def after(self, delay_s: float, action: Action, priority: int = 0) -> Event:
        """Plan `action` for `delay_s` seconds from now; see `at`."""
        return self.at(self._now_s + delay_s, action, priority)

    def advance(self, until_s: float) -> None:
        """Let time pass until `until_s`: everything due by then happens, in order.

        Raises:
            ValueError: the moment has passed.
        """
        if until_s < self._now_s:
            raise ValueError(f"time cannot go back: {until_s} is before {self._now_s}")
        while self._heap and self._heap[0][0] <= until_s:
            self.step()
        self._now_s = max(self._now_s, until_s)

    def run(self) -> None:
        """Let time pass until nothing is planned any more."""
        while self._heap:
            self.step()

    def step(self) -> None:
        """Go on to the next event and let it happen.

        Raises:
            IndexError: nothing is planned.
        """
        time_s, _, _, event = heappop(self._heap)
        if event.action is not None:
            self._now_s = time_s
            action, event.action = event.action, None
            action()

    def try_out(self, action: Action) -> None:
        """Call `action` and take back all that it plans."""
        heap, self._heap = self._heap, []
        try:
            action()
        finally:
            self._heap = heap
