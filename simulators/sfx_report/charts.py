"""The pictures, as plotly's `data` and `layout`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from lute.slurm.records import SlurmJob
from simulators.sfx_report.events import Hit, Picture
from simulators.sfx_report.shells import Shell

Chart = Mapping[str, Any]
_GOOD, _BAD, _PLAIN, _SECOND = "#15803d", "#b91c1c", "#2563eb", "#d97706"
_BRIGHTEST = 99.5
"""Percentile of the pixels that is white."""


def frame_chart(picture: Picture, hit: Hit) -> Chart:
    """Return a frame with its peaks and the reflections that the lattice predicts."""
    rows, columns = picture.frame.shape
    top = float(np.percentile(picture.frame, _BRIGHTEST))
    image = {
        "type": "heatmap",
        "z": picture.frame.round(0).astype(int).tolist(),
        "zmin": 0,
        "zmax": top,
        "colorscale": "Greys",
        "colorbar": {"title": {"text": "ADU"}},
        "hoverongaps": False,
    }
    predicted = _circles("integrated reflections", hit.reflections - 0.5, _PLAIN, 10)
    found = _circles("peaks", picture.peaks, _BAD, 6)
    axes = {
        "xaxis": {"title": {"text": "fs (pixels)"}, "range": [-0.5, columns - 0.5], "constrain": "domain"},
        "yaxis": {"title": {"text": "ss (pixels)"}, "range": [-0.5, rows - 0.5], "scaleanchor": "x"},
    }
    return {"data": [image, predicted, found], "layout": _layout(640) | axes}


def events_chart(hits: Sequence[Hit], events: int, misorientations_deg: Mapping[int, float]) -> Chart:
    """Return the peaks of each event, coloured by what became of it.

    Args:
        events: how many the run has.
        misorientations_deg: by event, where the truth is known.
    """
    numbers = {hit.event for hit in hits}
    blanks = [event for event in range(events) if event not in numbers]
    groups = (
        ("indexed", [hit for hit in hits if hit.reciprocal is not None], _GOOD),
        ("hit, not indexed", [hit for hit in hits if hit.reciprocal is None], _BAD),
    )
    data = [
        _marks(
            name,
            [hit.event for hit in part],
            [hit.peaks for hit in part],
            colour,
            [_off_text(misorientations_deg.get(hit.event)) for hit in part],
        )
        for name, part, colour in groups
    ]
    data.append(_marks("no hit", blanks, [0] * len(blanks), "#9ca3af", [""] * len(blanks)))
    axes = {
        "xaxis": {"title": {"text": "event"}},
        "yaxis": {"title": {"text": "peaks"}, "rangemode": "tozero"},
    }
    return {"data": data, "layout": _layout(320) | axes}


def shells_chart(shells: Sequence[Shell]) -> Chart:
    """Return CC1/2 and Rsplit by resolution."""
    x = [f"{shell.d_a:.2f}" for shell in shells]
    lines = (
        ("CC1/2", [shell.cc_half for shell in shells], _PLAIN, "y"),
        ("Rsplit (%)", [shell.r_split_percent for shell in shells], _SECOND, "y2"),
    )
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": x,
            "y": [None if value != value else round(value, 4) for value in values],
            "yaxis": axis,
            "line": {"color": colour},
            "text": [f"{shell.reflections} reflections" for shell in shells],
        }
        for name, values, colour, axis in lines
    ]
    axes = {
        "xaxis": {"title": {"text": "resolution (Å)"}, "type": "category"},
        "yaxis": {"title": {"text": "CC1/2"}, "range": [0, 1.05]},
        "yaxis2": {
            "title": {"text": "Rsplit (%)"},
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "showgrid": False,
            "tickmode": "auto",
            "tickformat": ".0f",
        },
    }
    return {"data": data, "layout": _layout(320) | axes}


def steps_chart(jobs: Sequence[SlurmJob]) -> Chart:
    """Return when each step's job waited and ran."""
    ran = [job for job in jobs if job.submit_time and job.start_time and job.end_time]
    spans = (
        ("waits", "#d1d5db", [(job.submit_time, job.start_time) for job in ran]),
        ("runs", _PLAIN, [(job.start_time, job.end_time) for job in ran]),
    )
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "marker": {"color": colour},
            "y": [job.name for job in ran],
            "base": [_plain(start) for start, _ in part],
            "x": [1000 * _seconds(start, end) for start, end in part],  # in ms, as plotly has it
            "text": [f"{_seconds(start, end):.0f} s" for start, end in part],
            "hoverinfo": "text+name",
        }
        for name, colour, part in spans
    ]
    axes = {"barmode": "overlay", "xaxis": {"type": "date"}, "yaxis": {"autorange": "reversed"}}
    return {"data": data, "layout": _layout(100 + 45 * len(ran)) | axes}


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 130, "r": 60, "t": 20, "b": 50},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    }


def _circles(name: str, places: np.ndarray, colour: str, size_px: int) -> dict[str, Any]:
    return {
        "type": "scattergl" if len(places) > 5000 else "scatter",
        "mode": "markers",
        "name": f"{len(places)} {name}",
        "x": places[:, 0].round(1).tolist(),
        "y": places[:, 1].round(1).tolist(),
        "marker": {"symbol": "circle-open", "size": size_px, "color": colour, "line": {"width": 1.2}},
    }


def _marks(
    name: str, x: Sequence[int], y: Sequence[int], colour: str, texts: Sequence[str]
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{len(x)} {name}",
        "x": list(x),
        "y": list(y),
        "text": list(texts),
        "marker": {"color": colour, "size": 7},
    }


def _off_text(angle_deg: float | None) -> str:
    return "" if angle_deg is None else f"{angle_deg:.2f}° from the truth"


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return (end - start).total_seconds() if start and end else 0.0


def _plain(time: datetime | None) -> str:
    return time.isoformat() if time else ""
