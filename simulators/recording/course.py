"""How something went in the recording: what was told of it, and when."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Course(Generic[T]):
    """Tells the states of something again, in their order and none before its time.

    Of several that are due one is told at a time, so that whoever asks sees every change that was seen then,
    although it asks at other moments.

    Args:
        states: (time, state), in their order; those equal to the one before tell nothing new.
        same: whether two states tell the same.
    """

    def __init__(
        self, states: Iterable[tuple[float, T]], same: Callable[[T, T], bool] = lambda a, b: a == b
    ) -> None:
        self._states: list[tuple[float, T]] = []
        for time_s, state in states:
            if not self._states or not same(self._states[-1][1], state):
                self._states.append((time_s, state))
        self._told = -1

    def at(self, time_s: float) -> T:
        """Return the state to tell at a time; the first one always."""
        if self._told < 0 or self._due(self._told + 1, time_s):
            self._told += 1
        return self.now

    @property
    def now(self) -> T:
        """The state that was told last."""
        return self._states[max(self._told, 0)][1]

    @property
    def is_asked(self) -> bool:
        """Whether anybody has asked."""
        return self._told >= 0

    def next_s(self) -> float | None:
        """Return the time of the next state, None after the last one."""
        return self._states[self._told + 1][0] if self._told + 1 < len(self._states) else None

    def finish(self) -> None:
        """Tell the last state from now on."""
        self._told = len(self._states) - 1

    def _due(self, index: int, time_s: float) -> bool:
        return index < len(self._states) and self._states[index][0] <= time_s
