"""The chart: the model's lanes as plotly's data and layout. One unit of the y axis is one pixel."""

from simulators.timeline.instants import Instants
from simulators.timeline.looks import Look, all_looks
from simulators.timeline.model import Group, Lane, Timeline
from simulators.timeline.texts import END_ROOM, moment, name_text
from simulators.timeline.traces import LOWEST_WITH_TEXT_PX, Placed, Trace, traces

_LANE_PX, _LEVEL_PX, _THIN_LEVEL_PX, _HEADING_PX = 26, LOWEST_WITH_TEXT_PX + 2, 6, 24
_MANY_LEVELS = 8
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 210, 270, 56, 12
_LEGEND_LINE_PX, _LEGEND_HEADING_PX = 20, 32
_NAME_CHARS, _LEGEND_CHARS = 28, 36
_DAY_S = 86400
_FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
_INK, _GRID, _BAND = "#1f2937", "#e5e7eb", "#f1f5f9"


def figure(timeline: Timeline) -> dict[str, object]:
    """Return plotly's description of the chart."""
    duration_s = timeline.duration_s or 1.0
    crossing = (*timeline.faults, *timeline.broken)
    instants = Instants(crossing, duration_s)
    placed, headings, bottom = _stacked(timeline.lanes)
    kinds = {bar.kind for lane in timeline.lanes for bar in lane.bars}
    kinds |= {mark.kind for lane in timeline.lanes for mark in lane.marks}
    looks = all_looks(kinds | {instant.kind for instant in crossing})
    data: list[Trace] = []
    for kind, look in looks.items():
        mine = list(traces(kind, look, placed, duration_s))
        if kind in ("fault", "broken"):
            mine.append(instants.lines(kind, look, bottom))
        data += [_legend(look, is_first=trace is mine[0]) | trace for trace in mine]
    floor = max(bottom, _legend_px(looks) - instants.band_px)
    layout = {
        "height": floor + instants.band_px + _TOP_PX + _BOTTOM_PX,
        "margin": {"l": _LEFT_PX, "r": _RIGHT_PX, "t": _TOP_PX, "b": _BOTTOM_PX},
        "font": {"family": _FONT, "size": 12, "color": _INK},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "barmode": "overlay",
        "hovermode": "closest",
        "hoverdistance": 12,
        "hoverlabel": {"align": "left", "bgcolor": "#fff", "font": {"color": _INK}},
        "dragmode": "zoom",
        "legend": {"x": 1.01, "y": 1, "yanchor": "top", "tracegroupgap": 8, "groupclick": "toggleitem"},
        "xaxis": _time_axis(duration_s),
        "yaxis": _lane_axis(placed, floor, -instants.band_px),
        "shapes": [*_bands(headings, placed), *instants.shades(looks, bottom)],
        "annotations": [*_heading_texts(headings), *instants.annotations(looks)],
    }
    return {"data": data, "layout": layout}


def _stacked(lanes: tuple[Lane, ...]) -> tuple[list[Placed], list[tuple[Group, float]], float]:
    """Give each lane its place; return also the headings with their tops, and the bottom of all."""
    placed: list[Placed] = []
    headings: list[tuple[Group, float]] = []
    top = 0.0
    for group in Group:
        members = [lane for lane in lanes if lane.group is group]
        if members:
            headings.append((group, top))
            top += _HEADING_PX
        for lane in members:
            each = _THIN_LEVEL_PX if lane.levels > _MANY_LEVELS else _LEVEL_PX
            placed.append(Placed(lane, top, max(_LANE_PX, lane.levels * each + 6)))
            top += placed[-1].height
    return placed, headings, top


def _legend(look: Look, *, is_first: bool) -> Trace:
    return {
        "name": name_text(look.words, _LEGEND_CHARS),
        "legendgroup": look.heading,
        "legendgrouptitle": {"text": f"<b>{look.heading}</b>"},
        "showlegend": is_first,
        "hoverinfo": "text",
    }


def _legend_px(looks: dict[str, Look]) -> int:
    headings = {look.heading for look in looks.values()}
    return len(looks) * _LEGEND_LINE_PX + len(headings) * _LEGEND_HEADING_PX


def _time_axis(duration_s: float) -> Trace:
    """Count from midnight of a first day, so that plotly's clock shows the run's own time in UTC."""
    days = duration_s > _DAY_S
    return {
        "type": "date",
        "side": "top",
        "title": {
            "text": "h:min:s since the start of the run" + (", and its day" if days else ""),
            "standoff": 6,
        },
        "range": [moment(-0.005 * duration_s), moment(duration_s / (1 - END_ROOM))],
        "tickformat": "day %-j, %-H:%M" if days else "",
        "tickformatstops": []
        if days
        else [
            {"dtickrange": [None, 999], "value": "%-H:%M:%S.%1f"},
            {"dtickrange": [1000, None], "value": "%-H:%M:%S"},
        ],
        "gridcolor": _GRID,
        "zeroline": False,
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "cursor",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": "#6b7280",
    }


def _lane_axis(placed: list[Placed], floor: float, ceiling: float) -> Trace:
    return {
        "range": [floor, ceiling],
        "fixedrange": True,
        "tickvals": [place.middle for place in placed],
        "ticktext": [f"{name_text(place.lane.name, _NAME_CHARS)} " for place in placed],
        "showgrid": False,
        "zeroline": False,
    }


def _bands(headings: list[tuple[Group, float]], placed: list[Placed]) -> list[Trace]:
    across: Trace = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    bands = [
        {"type": "rect", "y0": top, "y1": top + _HEADING_PX, "fillcolor": _BAND, "line": {"width": 0}}
        | across
        for _, top in headings
    ]
    rules = [
        {"type": "line", "y0": place.top, "y1": place.top, "line": {"color": _GRID, "width": 1}} | across
        for place in placed
    ]
    return [*bands, *rules]


def _heading_texts(headings: list[tuple[Group, float]]) -> list[Trace]:
    return [
        {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": top + _HEADING_PX / 2,
            "text": f"<b>{group.value}</b>",
            "showarrow": False,
        }
        for group, top in headings
    ]
