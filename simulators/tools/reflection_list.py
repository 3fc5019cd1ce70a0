"""CrystFEL's list of merged reflections, version 2.0."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lute.errors import LuteError

_FIRST_LINE = "CrystFEL reflection list version 2.0"
_HEAD = "   h    k    l          I    phase   sigma(I)   nmeas"
_LAST_LINE = "End of reflections"


@dataclass(frozen=True)
class Reflections:
    """Merged reflections; all of shape (n,) but `miller`.

    Attributes:
        symmetry: the point group that they were merged in.
        miller: indices, int, shape (n, 3).
        sigma: of the intensity.
        measurements: how many were merged, int.
    """

    symmetry: str
    miller: np.ndarray
    intensity: np.ndarray
    sigma: np.ndarray
    measurements: np.ndarray

    def only(self, chosen: np.ndarray) -> "Reflections":
        """Return some of them.

        Args:
            chosen: which, bool, shape (n,), or their places.
        """
        parts = (part[chosen] for part in (self.miller, self.intensity, self.sigma, self.measurements))
        return Reflections(self.symmetry, *parts)


def write_reflections(reflections: Reflections, file: Path, notes: Sequence[str]) -> None:
    """Write a list.

    Args:
        notes: lines that stand behind it.

    Raises:
        OSError: it cannot be written.
    """
    lines = [_FIRST_LINE, f"Symmetry: {reflections.symmetry}", _HEAD]
    columns = (reflections.intensity, reflections.sigma, reflections.measurements)
    for (h, k, l), i, sigma, count in zip(reflections.miller, *columns, strict=True):  # noqa: E741
        lines.append(f"{h:4d} {k:4d} {l:4d} {i:10.2f} {'-':>8} {sigma:10.2f} {count:7d}")
    file.write_text("\n".join([*lines, _LAST_LINE, *notes]) + "\n", encoding="utf-8")


def read_reflections(file: Path) -> Reflections:
    """Read a list.

    Raises:
        LuteError: it is no such list, or breaks off.
        OSError: it cannot be read.
    """
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if lines[:1] != [_FIRST_LINE] or len(lines) < 3 or not lines[1].startswith("Symmetry: "):
        raise LuteError(f"Couldn't read file '{file}': it does not begin with '{_FIRST_LINE}'")
    if _LAST_LINE not in lines:
        raise LuteError(f"Couldn't read file '{file}': it breaks off")
    rows = [line.split() for line in lines[3 : lines.index(_LAST_LINE)]]
    try:
        miller = np.array([row[:3] for row in rows], int).reshape(-1, 3)
        values = np.array([[row[3], *row[5:]] for row in rows], float).reshape(-1, 3)
    except (ValueError, IndexError) as error:
        raise LuteError(f"Couldn't read file '{file}': {error}") from error
    symmetry = lines[1].partition(": ")[2].strip()
    return Reflections(symmetry, miller, values[:, 0], values[:, 1], values[:, 2].astype(int))
