"""When to renew what lasts until a moment."""

import math
from dataclasses import dataclass

_SHORTEST_WAIT_S = 10.0
_LONGEST_RETRY_S = 300.0
_RETRY_FRACTION = 0.1
_WAIT_AFTER_END_S = 60.0


@dataclass
class Lease:
    """Something that lasts until a moment, and when to renew it; both in POSIX seconds."""

    ends_s: float
    due_s: float

    @classmethod
    def of(cls, ends_s: float, now_s: float, fraction: float) -> "Lease":
        """Return the lease of what is new now, and due after a fraction of the time that it has left."""
        lease = cls(ends_s, now_s)
        lease._wait(now_s, fraction, longest_s=math.inf)
        return lease

    def postpone(self, now_s: float) -> None:
        """Let it be due again: after a tenth of the time left, 10 s to 5 min, and every minute once over."""
        self._wait(now_s, _RETRY_FRACTION, longest_s=_LONGEST_RETRY_S)

    def _wait(self, now_s: float, fraction: float, *, longest_s: float) -> None:
        left_s = self.ends_s - now_s
        wait_s = min(longest_s, max(_SHORTEST_WAIT_S, left_s * fraction)) if left_s > 0 else _WAIT_AFTER_END_S
        self.due_s = now_s + wait_s


def in_words(duration_s: float) -> str:
    """Return a duration as people say it: `4 h 58 min`, `12 min`, `40 s`."""
    minutes = int(duration_s // 60)
    if minutes < 1:
        return f"{max(0, int(duration_s))} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
