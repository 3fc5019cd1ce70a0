"""How many different reflections a crystal can give."""

import math
from collections.abc import Sequence

from lute.tasks.results.cell import UnitCell
from lute.tasks.results.symmetry import Operator

_EDGE = 1e-9
"""So much of 1/d is a matter of rounding."""


def possible_reflections(
    cell: UnitCell, operators: Sequence[Operator], min_inverse_d: float, max_inverse_d: float
) -> int:
    """Return the number of reflections that no operator makes the same, as `check_hkl` counts them.

    By Burnside's lemma: the number of orbits is the mean, over the operators, of the points that each
    leaves where they are. So a large cell takes no longer than its reflections with l = 0 do.

    Args:
        cell: its centering leaves reflections out; its screw axes and glide planes are not known.
        operators: all of the point group.
        min_inverse_d: smallest 1/d, included, in 1/Å; more than 0, which the reflection 000 has.
        max_inverse_d: largest 1/d, included, in 1/Å.
    """
    smallest, largest = (min_inverse_d * (1 - _EDGE)) ** 2, (max_inverse_d * (1 + _EDGE)) ** 2
    aa, bb, cc, bc, ac, ab = cell.reciprocal_metric
    h_max, k_max = (math.ceil(max_inverse_d * length) for length in cell.lengths_a[:2])
    moves = [_move(operator) for operator in operators]
    fixed = 0
    for h in range(-h_max, h_max + 1):
        for k in range(-k_max, k_max + 1):
            step, start = _lattice_row(cell.centering, h, k)
            # 1/d² = cc l² + slope l + level
            slope, level = bc * k + ac * h, aa * h * h + bb * k * k + ab * h * k
            if not step or (outer := _between(cc, slope, level - largest)) is None:
                continue
            inner = _between(cc, slope, level - smallest, exclusive=True) or range(0)
            row = range(outer.start + (start - outer.start) % step, outer.stop, step)
            hole = range(inner.start + (start - inner.start) % step, inner.stop, step)
            fixed += sum(_unmoved(move, h, k, row, hole) for move in moves)
    return fixed // len(operators)


def _move(operator: Operator) -> Operator:
    """Return the operator less the identity: it makes 0 of what the operator leaves where it is."""
    (a, b, c), (d, e, f), (g, h, i) = operator
    return (a - 1, b, c), (d, e - 1, f), (g, h, i - 1)


def _unmoved(move: Operator, h: int, k: int, row: range, hole: range) -> int:
    """Return how many l in `row`, but not in `hole`, belong to reflections that are not moved."""
    for a, b, c in move:
        if c:
            l, rest = divmod(-(a * h + b * k), c)  # noqa: E741 - its name
            is_unmoved = not rest and not any(x * h + y * k + z * l for x, y, z in move)
            return int(is_unmoved and l in row and l not in hole)
    return len(row) - len(hole) if not any(a * h + b * k for a, b, _ in move) else 0


def _between(curve: float, slope: float, level: float, *, exclusive: bool = False) -> range | None:
    """Return the integers where curve x² + slope x + level <= 0, or < 0; None where there are none."""
    root2 = slope * slope - 4 * curve * level
    if root2 < 0:
        return None
    low, high = ((-slope + sign * math.sqrt(root2)) / (2 * curve) for sign in (-1, 1))
    if exclusive:
        return range(math.floor(low) + 1, math.ceil(high))
    return range(math.ceil(low), math.floor(high) + 1)


def _lattice_row(centering: str, h: int, k: int) -> tuple[int, int]:
    """Return (step, start): the l of the reflections that a centred lattice has; step 0 means none."""
    match centering:
        case "A":
            return 2, k
        case "B":
            return 2, h
        case "C":
            return (0 if (h + k) % 2 else 1), 0
        case "I":
            return 2, h + k
        case "F":
            return (0 if (h + k) % 2 else 2), h
        case "H":
            return 3, h - k
        case _:
            return 1, 0
