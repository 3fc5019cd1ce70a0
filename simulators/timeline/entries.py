"""The entries of a trace, read once: values of any type become clean text and finite numbers."""

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_LONGEST_TEXT = 2000


def clean(value: object) -> str:
    """Return a value as text that is safe to lay out: cut to size, no control or direction characters."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    kept = "".join(char if char.isprintable() or char == "\n" else " " for char in text[:_LONGEST_TEXT])
    return f"{kept}…" if len(text) > _LONGEST_TEXT else kept


def finite(value: object) -> float | None:
    """Return a value as a number, None if it is none."""
    if not isinstance(value, int | float):
        return None
    with contextlib.suppress(OverflowError):  # of an integer that no float can hold
        return float(value) if math.isfinite(value) else None
    return None


@dataclass(frozen=True)
class Entry:
    """One entry of a trace.

    Attributes:
        at_s: seconds since the trace's first entry.
        fields: as in the trace.
    """

    at_s: float
    fields: Mapping[str, object]

    def text(self, key: str) -> str:
        """Return a field as clean text; empty if there is none."""
        return clean(self.fields.get(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a field's list of texts, of a mapping its keys; a single value counts as a list of one."""
        value = self.fields.get(key)
        if value is None:
            return ()
        return tuple(map(clean, value)) if isinstance(value, list | tuple | dict) else (clean(value),)

    def number(self, key: str) -> float | None:
        """Return a field as a number, None if it is none."""
        return finite(self.fields.get(key))


def read_entries(trace: Iterable[Mapping[str, object]]) -> tuple[float, list[Entry]]:
    """Return the POSIX time of the trace's first entry, and all entries in the order of their times."""
    timed = [(at_s, fields) for fields in trace if (at_s := finite(fields.get("t"))) is not None]
    timed.sort(key=lambda pair: pair[0])
    start_s = timed[0][0] if timed else 0.0
    return start_s, [Entry(at_s - start_s, fields) for at_s, fields in timed]


def until_next(entries: Sequence[Entry], end_s: float) -> Iterator[tuple[Entry, float]]:
    """Yield each entry with the time of the one after it, the last one with `end_s`."""
    for position, entry in enumerate(entries, start=1):
        yield entry, entries[position].at_s if position < len(entries) else end_s


def clock_text(seconds: float) -> str:
    """Return a moment of the run as h:min:s, with tenths where there are any."""
    tenths = round(abs(seconds) * 10)
    whole, tenth = divmod(tenths, 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{hours}:{minute:02}:{second:02}" + (f".{tenth}" if tenth else "")


def span_text(seconds: float) -> str:
    """Return how long something took."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours} h {minute} min {second} s" if hours else f"{minute} min {second} s"
