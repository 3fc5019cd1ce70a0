"""Bars and marks of one kind as plotly's traces."""

from collections.abc import Iterator
from dataclasses import dataclass

from simulators.timeline.looks import Look
from simulators.timeline.model import Bar, Lane, Mark
from simulators.timeline.texts import CHAR_PX, END_ROOM, PLOT_PX, escaped, hover_text, milliseconds, moment

LOWEST_WITH_TEXT_PX = 15
_TICK_PX = 8
_PAD_PX = 3
_LEAD_SHARE = 0.005
"""A lead line of less than this share of the run is left out: it would look like a hook."""
_LIGHT = 140
"""From this brightness on, of 255, a colour has dark text on it."""

Trace = dict[str, object]


@dataclass(frozen=True)
class Placed:
    """A lane and where it is, in pixels."""

    lane: Lane
    top: float
    height: float

    @property
    def middle(self) -> float:
        """Where marks and the lane's name are."""
        return self.top + self.height / 2

    def box(self, bar: Bar) -> tuple[float, float]:
        """Return the middle and the height of a bar."""
        inner = self.height - 2 * _PAD_PX
        if bar.level is None:
            return self.middle, inner
        each = inner / self.lane.levels
        return self.top + _PAD_PX + each * (bar.level + 0.5), max(each - 1, 2)


def traces(kind: str, look: Look, placed: list[Placed], duration_s: float) -> Iterator[Trace]:
    """Yield the traces of a kind; the first one stands in the legend for all."""
    bars = [(place, bar) for place in placed for bar in place.lane.bars if bar.kind == kind]
    marks = [(place, mark) for place in placed for mark in place.lane.marks if mark.kind == kind]
    if bars:
        yield _bars(look, bars, duration_s)
    if any(mark.since_s is not None for _, mark in marks):
        yield _ticks(look, marks, _LEAD_SHARE * duration_s)
    if marks and look.symbol != "tick":
        yield _symbols(look, marks)


def _bars(look: Look, bars: list[tuple[Placed, Bar]], duration_s: float) -> Trace:
    boxes = [place.box(bar) for place, bar in bars]
    px_per_s = PLOT_PX * (1 - END_ROOM) / duration_s
    marker: Trace = {"color": look.colour, "line": {"color": _darker(look.colour), "width": 1}}
    if look.hatch:
        marker["pattern"] = {"shape": look.hatch, "size": 6, "bgcolor": "#fff", "fgcolor": look.colour}
    return {
        "type": "bar",
        "orientation": "h",
        "base": [moment(bar.start_s) for _, bar in bars],
        "x": [milliseconds(bar.end_s - bar.start_s) for _, bar in bars],
        "y": [middle for middle, _ in boxes],
        "width": [height for _, height in boxes],
        "marker": marker,
        "text": [_fitting(bar, px_per_s, height) for (_, bar), (_, height) in zip(bars, boxes, strict=True)],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "none",
        "insidetextfont": {
            "size": 11,
            "color": "#111827" if look.hatch or _is_light(look.colour) else "#fff",
        },
        "hovertext": [hover_text(bar.hover) for _, bar in bars],
    }


def _fitting(bar: Bar, px_per_s: float, height: float) -> str:
    room = (bar.end_s - bar.start_s) * px_per_s - 2 * _PAD_PX if height >= LOWEST_WITH_TEXT_PX else 0
    return escaped(next((label for label in bar.labels if label and len(label) * CHAR_PX <= room), ""))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _darker(colour: str) -> str:
    """Return the colour of an edge, which tells neighbours apart and shows what is shorter than a pixel."""
    return "#" + "".join(f"{round(part * 0.75):02x}" for part in _rgb(colour))


def _is_light(colour: str) -> bool:
    red, green, blue = _rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue > _LIGHT


def _ticks(look: Look, marks: list[tuple[Placed, Mark]], shortest_lead_s: float) -> Trace:
    """Draw a tick per mark, with a lead line if it can be seen: lines are the fastest that plotly has."""
    x: list[int | None] = []
    y: list[float | None] = []
    hover: list[str] = []
    for place, mark in marks:
        points = [(mark.at_s, place.middle - _TICK_PX), (mark.at_s, place.middle + _TICK_PX)]
        if mark.since_s is not None and mark.at_s - mark.since_s >= shortest_lead_s:
            points.append((mark.since_s, place.middle + _TICK_PX))
        x += [*(moment(at_s) for at_s, _ in points), None]
        y += [*(height for _, height in points), None]
        hover += [*[hover_text(mark.hover)] * len(points), ""]
    line = {"color": look.colour, "width": 1}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hovertext": hover}


def _symbols(look: Look, marks: list[tuple[Placed, Mark]]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [moment(mark.at_s) for _, mark in marks],
        "y": [place.middle + look.offset_px for place, _ in marks],
        "marker": {
            "symbol": look.symbol,
            "size": look.size_px,
            "color": look.colour,
            "line": {"color": "#fff", "width": 1},
        },
        "text": [f" {escaped(mark.label)}" if mark.label else "" for _, mark in marks],
        "textposition": "middle right",
        "textfont": {"color": look.colour},
        "hovertext": [hover_text(mark.hover) for _, mark in marks],
    }
