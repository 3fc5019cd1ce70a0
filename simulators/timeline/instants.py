"""What crosses all lanes: faults and broken rules, as vertical lines with numbered labels above the lanes."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulators.timeline.looks import Look
from simulators.timeline.model import Instant
from simulators.timeline.texts import CHAR_PX, END_ROOM, PLOT_PX, escaped, hover_text, moment

_ROW_PX, _MOST_ROWS = 17, 6
_LONGEST_LABEL = 60


@dataclass(frozen=True)
class _Label:
    instant: Instant
    text: str
    row: int
    is_left: bool
    """It stands left of its line, since it does not fit on the right."""


class Instants:
    """The vertical lines of a chart.

    Args:
        instants: in the order of their numbers, as in the tables.
        duration_s: what the chart's width stands for.
    """

    def __init__(self, instants: Iterable[Instant], duration_s: float) -> None:
        self._px_per_s = PLOT_PX * (1 - END_ROOM) / duration_s
        numbered = list(enumerate(instants, start=1))
        self._labels = self._placed([(instant, f"{n} {instant.label}") for n, instant in numbered])
        if self._rows > _MOST_ROWS:
            self._labels = self._placed([(instant, str(n)) for n, instant in numbered])

    @property
    def _rows(self) -> int:
        return max((label.row + 1 for label in self._labels), default=0)

    @property
    def band_px(self) -> int:
        """Height of the labels above the lanes."""
        return self._rows * _ROW_PX + 6 if self._labels else 0

    def _placed(self, texts: list[tuple[Instant, str]]) -> list[_Label]:
        """Give each label the lowest row that has room for it."""
        taken: list[list[tuple[float, float]]] = []
        labels = []
        for instant, text in texts:
            cut = text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
            width, x = len(cut) * CHAR_PX + 14, instant.at_s * self._px_per_s
            is_left = x + width > PLOT_PX
            begin, end = (x - width, x) if is_left else (x, x + width)
            row = next(
                (n for n, spans in enumerate(taken) if all(end <= a or b <= begin for a, b in spans)),
                len(taken),
            )
            taken[row : row + 1] = [[*(taken[row] if row < len(taken) else []), (begin, end)]]
            labels.append(_Label(instant, cut, row, is_left))
        return labels

    def lines(self, kind: str, look: Look, bottom: float) -> dict[str, object]:
        """Return the lines of a kind as one trace, which the legend can hide."""
        mine = [label for label in self._labels if label.instant.kind == kind]
        x = [at for label in mine for at in (*[moment(label.instant.at_s)] * 2, None)]
        y = [at for label in mine for at in (self._y(label), bottom, None)]
        line = {"color": look.colour, "width": 1.5, "dash": "dash"}
        return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"}

    @staticmethod
    def _y(label: _Label) -> float:
        return -_ROW_PX * (label.row + 0.5) - 3

    def annotations(self, looks: dict[str, Look]) -> list[dict[str, object]]:
        """Return the labels."""
        return [
            {
                "x": moment(label.instant.at_s),
                "y": self._y(label),
                "text": escaped(label.text),
                "hovertext": hover_text(label.instant.hover),
                "xanchor": "right" if label.is_left else "left",
                "showarrow": False,
                "font": {"size": 11, "color": "#fff"},
                "bgcolor": looks[label.instant.kind].colour,
                "borderpad": 1,
            }
            for label in self._labels
        ]

    def shades(self, looks: dict[str, Look], bottom: float) -> list[dict[str, object]]:
        """Return the time during which a fault lasted, as a shade behind the lanes."""
        return [
            {
                "type": "rect",
                "x0": moment(label.instant.at_s),
                "x1": moment(label.instant.end_s),
                "y0": self._y(label),
                "y1": bottom,
                "fillcolor": looks[label.instant.kind].colour,
                "opacity": 0.1,
                "line": {"width": 0},
                "layer": "below",
            }
            for label in self._labels
            if label.instant.end_s is not None
        ]
