"""Overall figures of merit of two half sets, as `compare_hkl` defines them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lute.errors import TaskFailed
from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.results.cell import UnitCell
from lute.tasks.results.reflections import Miller, Reflection


@dataclass(frozen=True)
class Pair:
    """One reflection of both sets.

    Attributes:
        first: its intensity in the first set.
        second: its intensity in the second set, on the scale of the first.
        sigmas: of the two.
        inverse_d2: 1/d², in 1/Å².
    """

    first: float
    second: float
    sigmas: tuple[float, float]
    inverse_d2: float


def common_pairs(
    first: Mapping[Miller, Reflection],
    second: Mapping[Miller, Reflection],
    cell: UnitCell,
    parameters: CompareHKLParameters,
) -> list[Pair]:
    """Return what both sets have and the parameters let pass, on one scale.

    Raises:
        TaskFailed: it is too little to compare.
    """
    pairs: list[Pair] = []
    for miller in first.keys() & second.keys():
        one, other = first[miller], second[miller]
        inverse_d2 = cell.inverse_d2(miller)
        if _passes(one, other, parameters) and is_within(inverse_d2, parameters):
            lowest = 0.0 if parameters.zero_negs else -math.inf
            sigmas = one.sigma, other.sigma
            pairs.append(Pair(max(one.intensity, lowest), max(other.intensity, lowest), sigmas, inverse_d2))
    if len(pairs) < 3:
        raise TaskFailed(
            f"the two sets have only {len(pairs)} reflections in common within the resolution limits",
            next_step="index more frames, or see whether 'highres' and 'lowres', in Å, fit the data",
        )
    return pairs if parameters.fix_unity else _scaled(pairs)


def is_within(inverse_d2: float, parameters: CompareHKLParameters) -> bool:
    """Return whether a reflection is within the limits of the resolution."""
    d_a = 1 / math.sqrt(inverse_d2) if inverse_d2 > 0 else math.inf
    return parameters.highres <= d_a <= (parameters.lowres or math.inf)


def _passes(one: Reflection, other: Reflection, parameters: CompareHKLParameters) -> bool:
    both = (one, other)
    cutoff = parameters.sigma_cutoff
    if cutoff is not None and any(part.intensity < cutoff * part.sigma for part in both):
        return False
    if parameters.ignore_negs and any(part.intensity < 0 for part in both):
        return False
    fewest = parameters.min_measurements or 0
    return all(part.is_finite and part.measurements >= fewest for part in both)


def _scaled(pairs: list[Pair]) -> list[Pair]:
    """Return the pairs with the second intensities multiplied by G exp(B/(2 d²)) so that they fit."""
    fitted = [(pair.inverse_d2, math.log(pair.first / pair.second)) for pair in pairs if _is_positive(pair)]
    if len(fitted) < 2:
        raise TaskFailed("too few reflections are positive in both sets to bring these to one scale")
    mean_x = math.fsum(x for x, _ in fitted) / len(fitted)
    mean_y = math.fsum(y for _, y in fitted) / len(fitted)
    spread = math.fsum((x - mean_x) ** 2 for x, _ in fitted)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in fitted) / spread if spread else 0.0
    return [
        Pair(pair.first, pair.second * scale, (pair.sigmas[0], pair.sigmas[1] * scale), pair.inverse_d2)
        for pair in pairs
        for scale in [math.exp(mean_y + slope * (pair.inverse_d2 - mean_x))]
    ]


def _is_positive(pair: Pair) -> bool:
    return pair.first > 0 and pair.second > 0


def r_split(pairs: list[Pair]) -> float:
    """Return Rsplit, as a fraction."""
    total = math.fsum(pair.first + pair.second for pair in pairs)
    return math.sqrt(2) * math.fsum(abs(pair.first - pair.second) for pair in pairs) / total


def correlation(pairs: list[Pair]) -> float:
    """Return Pearson's correlation of the two sets: CC1/2."""
    mean_1 = math.fsum(pair.first for pair in pairs) / len(pairs)
    mean_2 = math.fsum(pair.second for pair in pairs) / len(pairs)
    together = math.fsum((pair.first - mean_1) * (pair.second - mean_2) for pair in pairs)
    alone = math.fsum((pair.first - mean_1) ** 2 for pair in pairs) * math.fsum(
        (pair.second - mean_2) ** 2 for pair in pairs
    )
    return together / math.sqrt(alone)


def cc_star(cc_half: float) -> float | None:
    """Return CC*, the correlation with the true intensities that CC1/2 lets expect; None below 0."""
    return math.sqrt(2 * cc_half / (1 + cc_half)) if cc_half >= 0 else None


def _r1_i(pairs: list[Pair]) -> float:
    differences = math.fsum(abs(pair.first - pair.second) for pair in pairs)
    return differences / math.fsum(pair.first for pair in pairs)


def _r1_f(pairs: list[Pair]) -> float:
    roots = [(math.sqrt(pair.first), math.sqrt(pair.second)) for pair in pairs]
    return math.fsum(abs(one - other) for one, other in roots) / math.fsum(one for one, _ in roots)


def _r2(pairs: list[Pair]) -> float:
    squares = math.fsum((pair.first - pair.second) ** 2 for pair in pairs)
    return math.sqrt(squares / math.fsum(pair.first**2 for pair in pairs))


def _within_sigmas(pairs: list[Pair], sigmas: float) -> float:
    return sum(abs(pair.first - pair.second) < sigmas * math.hypot(*pair.sigmas) for pair in pairs) / len(
        pairs
    )


OTHER_FRACTIONS: dict[str, Callable[[list[Pair]], float]] = {
    "R1I": _r1_i,
    "R1F": _r1_f,
    "R2": _r2,
    "d1sig": lambda pairs: _within_sigmas(pairs, 1),
    "d2sig": lambda pairs: _within_sigmas(pairs, 2),
}
"""Figures of merit that compare_hkl knows besides, each as a fraction; not the anomalous ones."""
