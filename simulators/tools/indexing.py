"""Finding how a crystal of known cell lies, from its diffraction peaks."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from simulators.tools.cell_file import Cell
from simulators.tools.direction_search import Vectors, find_vectors
from simulators.tools.orientation import Solution, angle_deg, explain, fit

_SHARE_EXPLAINED, _SPARE_EXPLAINED = 0.5, 5
"""A solution explains this share of the peaks and so many besides: peaks of no crystal are explained to
60 % where there are 20 of them, to 40 % where there are 50 (tried)."""
_FEWEST_EXPLAINED = 10
_MOST_PEAKS = 300
_MOST_PAIRS = 100
_MOST_REFINED = 5


@dataclass(frozen=True)
class Tolerance:
    """How far a cell that was found may be from the given one.

    Attributes:
        lengths: of a, b and c, as fractions.
        angles_deg: of alpha, beta and gamma.
    """

    lengths: tuple[float, float, float] = (0.05, 0.05, 0.05)
    angles_deg: tuple[float, float, float] = (1.5, 1.5, 1.5)


class Indexer:
    """Indexes patterns of crystals of one cell.

    Args:
        cell: the given cell.
        tolerance: how far a found one may be from it.
        checks_peaks: whether a solution must explain most peaks.
        checks_cell: whether its cell must be within the tolerance.
        refines: whether a solution is fitted to the peaks.
    """

    def __init__(
        self,
        cell: Cell,
        tolerance: Tolerance,
        *,
        checks_peaks: bool = True,
        checks_cell: bool = True,
        refines: bool = True,
    ) -> None:
        self.cell = cell
        self._axes = cell.axes()
        self._tolerance = tolerance
        self._checks_peaks = checks_peaks
        self._checks_cell = checks_cell
        self._refines = refines

    def index(self, peaks: np.ndarray, intensities: np.ndarray) -> Solution | None:
        """Return how the crystal lies that most peaks belong to; None where there is none such.

        Args:
            peaks: scattering vectors, in 1/Å, shape (n, 3).
            intensities: the strongest peaks are used where there are very many, shape (n,).
        """
        if len(peaks) < _FEWEST_EXPLAINED:
            return None
        strongest = peaks[np.argsort(-intensities, kind="stable")[:_MOST_PEAKS]]
        found = self._orientations(strongest)
        if self._refines:
            found = [fit(solution.reciprocal, strongest, self.cell) for solution in found]
        if not found:
            return None
        solution = explain(max(found, key=_quality).reciprocal, peaks, self.cell)
        return solution if self._is_good(solution) else None

    def _orientations(self, peaks: np.ndarray) -> list[Solution]:
        """Return the given cell turned in the ways that explain most peaks."""
        lengths = np.linalg.norm(self._axes, axis=1)
        sought = [
            (round(float(length), 3), tolerance)
            for length, tolerance in zip(lengths, self._tolerance.lengths, strict=True)
        ]
        by_length = {one: find_vectors(peaks, *one) for one in dict.fromkeys(sought)}
        vectors = [by_length[one] for one in sought]
        turned: list[np.ndarray] = []
        scores: list[np.ndarray] = []
        for first, second in combinations(range(3), 2):
            pairs, pair_scores = self._pairs(first, second, vectors[first], vectors[second])
            turned.append(pairs)
            scores.append(pair_scores)
        axes = np.concatenate(turned)
        axes = axes[np.argsort(-np.concatenate(scores), kind="stable")[:_MOST_PAIRS]]
        found = [explain(np.linalg.inv(one).T, peaks, self.cell) for one in axes]
        return sorted(found, key=_quality, reverse=True)[:_MOST_REFINED]

    def _pairs(self, first: int, second: int, one: Vectors, other: Vectors) -> tuple[np.ndarray, np.ndarray]:
        """Return the whole cell's axes for each pair of vectors with the angle of two of its axes."""
        angle = angle_deg(self._axes[first], self._axes[second])
        angles = angle_deg(one.vectors[:, None], other.vectors[None])
        rows, columns = np.nonzero(np.abs(angles - angle) <= max(self._tolerance.angles_deg))
        seen = _frame(one.vectors[rows], other.vectors[columns])
        known = _frame(self._axes[first], self._axes[second])
        return (self._axes @ known.T) @ seen, one.scores[rows] + other.scores[columns]

    def _is_good(self, solution: Solution) -> bool:
        enough = _SHARE_EXPLAINED * len(solution.explained) + _SPARE_EXPLAINED
        if self._checks_peaks and solution.explained.sum() < enough:
            return False
        if not self._checks_cell:
            return True
        given = np.array(self.cell.parameters)
        lengths = np.abs(solution.parameters[:3] / given[:3] - 1) <= self._tolerance.lengths
        angles = np.abs(solution.parameters[3:] - given[3:]) <= self._tolerance.angles_deg
        return bool(lengths.all() and angles.all())


def _quality(solution: Solution) -> tuple[int, float]:
    return int(solution.explained.sum()), -solution.residual


def _frame(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return right-handed unit axes as rows that two vectors span, both being treated alike."""
    one, other = (part / np.linalg.norm(part, axis=-1, keepdims=True) for part in (one, other))
    x, y = one + other, one - other
    x, y = (part / np.linalg.norm(part, axis=-1, keepdims=True) for part in (x, y))
    return np.stack([x, y, np.cross(x, y)], axis=-2)
