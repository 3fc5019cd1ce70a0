"""How a crystal lies, and how well its diffraction peaks tell it."""

from dataclasses import dataclass

import numpy as np

from simulators.tools.cell_file import Cell

_EXPLAINED = 0.25
"""How far from whole numbers all indices of an explained peak may be."""
_PEAK_SIGMA = 0.0015
"""How far from its reflection a peak is, in 1/Å: what the Ewald sphere cuts is not the middle."""
_CELL_SIGMA = 0.003
"""How far from its given length an axis is, as a fraction."""
_CYCLES = 5


@dataclass(frozen=True)
class Solution:
    """How a crystal lies.

    Attributes:
        reciprocal: a*, b* and c* as rows, in 1/Å, shape (3, 3).
        miller: nearest indices of each peak, int, shape (n, 3).
        explained: which peaks belong to the crystal, bool, shape (n,).
        residual: root mean square distance of these from where they should be, in 1/Å.
    """

    reciprocal: np.ndarray
    miller: np.ndarray
    explained: np.ndarray
    residual: float

    @property
    def parameters(self) -> np.ndarray:
        """The cell: lengths in Å, angles in degrees, shape (6,)."""
        a, b, c = np.linalg.inv(self.reciprocal).T
        angles = [angle_deg(b, c), angle_deg(a, c), angle_deg(a, b)]
        return np.array([*(np.linalg.norm(axis) for axis in (a, b, c)), *angles])


def explain(reciprocal: np.ndarray, peaks: np.ndarray, cell: Cell) -> Solution:
    """Return which peaks a crystal explains that lies in a given way.

    Args:
        reciprocal: a*, b* and c* as rows, in 1/Å.
        peaks: scattering vectors, in 1/Å, shape (n, 3).
        cell: its centering leaves reflections out.
    """
    indices = peaks @ np.linalg.inv(reciprocal)
    miller = indices.round().astype(int)
    explained = (np.abs(indices - miller).max(axis=1) < _EXPLAINED) & cell.allows(miller)
    distances = np.linalg.norm(peaks - miller @ reciprocal, axis=1)[explained]
    residual = float(np.sqrt((distances**2).mean())) if len(distances) else np.inf
    return Solution(reciprocal, miller, explained, residual)


def fit(reciprocal: np.ndarray, peaks: np.ndarray, cell: Cell) -> Solution:
    """Return the least squares solution near a start: of peaks, and of the given cell where they say little.

    Args:
        reciprocal: the start: a*, b* and c* as rows, in 1/Å.
        peaks: scattering vectors, in 1/Å, shape (n, 3).
    """
    given = np.linalg.inv(cell.axes()).T
    hold = _PEAK_SIGMA / (_CELL_SIGMA * np.linalg.norm(given, axis=1))
    for _ in range(_CYCLES):
        solution = explain(reciprocal, peaks, cell)
        turned = given @ _rotation(given, reciprocal)
        rows = np.concatenate([solution.miller[solution.explained], np.diag(hold)])
        sides = np.concatenate([peaks[solution.explained], hold[:, None] * turned])
        reciprocal = np.linalg.lstsq(rows, sides, rcond=None)[0]
    return explain(reciprocal, peaks, cell)


def angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angles of vectors, whose components are along the last axis."""
    cosines = (one * other).sum(axis=-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)
    angles: np.ndarray = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return angles


def _rotation(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the rotation that best turns the rows of one matrix into those of another."""
    left, _, right = np.linalg.svd(np.linalg.inv(before) @ after)
    rotation: np.ndarray = left @ right
    return rotation
