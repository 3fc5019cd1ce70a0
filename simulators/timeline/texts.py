"""Texts and measures as plotly takes them."""

import html
import textwrap

PLOT_PX = 880
"""Width of the lanes that labels are chosen for: that of a page of 1400 pixels."""
CHAR_PX = 6.4
_DAY_ONE_MS = 978_307_200_000
"""The time axis is one of dates, for which plotly makes good ticks at any zoom; the run starts with the year
2001. Not with 1970: plotly takes numbers of four digits for years."""
END_ROOM = 0.13
"""Share of the time axis after the run's end, for the words at the last marks."""
_HOVER_CHARS, _HOVER_LINES = 90, 12


def escaped(text: str) -> str:
    """Return text for plotly, which reads some HTML in all its texts; codes of quotes are not among it."""
    return html.escape(text, quote=False)


def name_text(name: str, most_chars: int) -> str:
    """Return a name, cut in its middle if it is long: both ends of a name tell things apart."""
    if len(name) > most_chars:
        name = f"{name[: most_chars - 9]}…{name[-8:]}"
    return escaped(name)


def hover_text(text: str) -> str:
    """Return text for a box of readable size."""
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, _HOVER_CHARS) or [""]]
    kept = lines[:_HOVER_LINES] + (["…"] if len(lines) > _HOVER_LINES else [])
    return "<br>".join(map(escaped, kept))


def moment(seconds: float) -> int:
    """Return a moment of the run for the time axis."""
    return _DAY_ONE_MS + milliseconds(seconds)


def milliseconds(seconds: float) -> int:
    """Return a span for the time axis."""
    return round(seconds * 1000)
