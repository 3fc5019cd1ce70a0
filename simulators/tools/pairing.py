"""Choosing what two lists of reflections have in common, and bringing it on one scale."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lute.errors import LuteError
from simulators.tools.cell_file import Cell
from simulators.tools.figures_of_merit import Pairs
from simulators.tools.point_groups import PointGroup
from simulators.tools.reflection_list import Reflections


@dataclass(frozen=True)
class Choice:
    """Which reflections are compared.

    Attributes:
        lowest: 1/d, in 1/Å; `highest` likewise.
        sigma_cutoff: lowest I/sigma(I).
        fewest: measurements in each list.
        ignores_negatives: whether negative intensities are left out.
        zeroes_negatives: whether they are set to 0.
    """

    lowest: float = 0.0
    highest: float = np.inf
    sigma_cutoff: float = -np.inf
    fewest: int = 0
    ignores_negatives: bool = False
    zeroes_negatives: bool = False

    def passes(self, reflections: Reflections, inverse_d: np.ndarray) -> np.ndarray:
        """Return which reflections of a list may be compared, bool, shape (n,)."""
        intensity, sigma = reflections.intensity, reflections.sigma
        passed: np.ndarray = np.isfinite(intensity) & np.isfinite(sigma)
        passed &= reflections.measurements >= self.fewest
        if np.isfinite(self.sigma_cutoff):
            passed &= intensity >= self.sigma_cutoff * sigma
        if self.ignores_negatives:
            passed &= intensity >= 0
        passed &= (inverse_d >= self.lowest) & (inverse_d <= self.highest)
        return passed


def in_group(reflections: Reflections, group: PointGroup, which: str) -> Reflections:
    """Return reflections by the indices that stand for all the same ones, sorted.

    Args:
        which: `first` or `second`, for the message.

    Raises:
        LuteError: two of them are the same by the point group.
    """
    miller = group.asymmetric(reflections.miller)
    order = np.lexsort(miller.T[::-1])
    sorted_miller = miller[order]
    if len(miller) > 1 and (sorted_miller[1:] == sorted_miller[:-1]).all(axis=1).any():
        raise LuteError(
            f"The {which} input reflection list does not appear to have symmetry {group.name}",
            next_step="give the point group by which the list was merged",
        )
    return replace(reflections.only(order), miller=sorted_miller)


def pair(
    first: Reflections, second: Reflections, cell: Cell, choice: Choice
) -> tuple[Reflections, Reflections]:
    """Return what both lists have and the choice lets pass, in the same order."""
    one, other = _common(first, second)
    inverse_d = cell.inverse_d(one.miller)
    passed = choice.passes(one, inverse_d) & choice.passes(other, inverse_d)
    one, other = one.only(passed), other.only(passed)
    if choice.zeroes_negatives:
        one, other = (replace(part, intensity=np.maximum(part.intensity, 0)) for part in (one, other))
    return one, other


def on_one_scale(
    first: Reflections, second: Reflections, cell: Cell, say: Callable[[str], None]
) -> Reflections:
    """Return the second of two lists of the same reflections, times G exp(B/(2 d²)) to fit the first.

    Raises:
        LuteError: fewer than two reflections are positive in both.
    """
    inverse_d = cell.inverse_d(first.miller)
    positive = (first.intensity > 0) & (second.intensity > 0)
    if positive.sum() < 2:
        raise LuteError("Not enough reflections for scaling")
    x = inverse_d**2
    y = np.log(first.intensity[positive] / second.intensity[positive])
    fitted = x[positive] - x[positive].mean()
    slope = (fitted * y).sum() / max((fitted**2).sum(), 1e-300)
    level = y.mean() - slope * x[positive].mean()
    say(f"Relative scale factor = {np.exp(level):f}, relative B factor = {2 * slope:f} A^2")
    factor = np.exp(level + slope * x)
    return replace(second, intensity=second.intensity * factor, sigma=second.sigma * factor)


def with_mates(first: Reflections, second: Reflections, group: PointGroup) -> Pairs:
    """Return each reflection once with its Friedel mate, where both lists have both.

    Args:
        first: in the point group's indices, as `second`, which has the same reflections.
    """
    places = {tuple(miller): place for place, miller in enumerate(first.miller.tolist())}
    mates = [places.get(tuple(miller), -1) for miller in group.asymmetric(-first.miller).tolist()]
    kept = np.array([place for place, mate in enumerate(mates) if place < mate], int)
    mate = np.array(mates, int)[kept]
    return Pairs(first.only(kept), second.only(kept), first.intensity[mate], second.intensity[mate])


def _common(first: Reflections, second: Reflections) -> tuple[Reflections, Reflections]:
    places = {tuple(miller): place for place, miller in enumerate(second.miller.tolist())}
    found = [places.get(tuple(miller), -1) for miller in first.miller.tolist()]
    there = np.array([place >= 0 for place in found], bool)
    return first.only(there), second.only(np.array([place for place in found if place >= 0], int))
