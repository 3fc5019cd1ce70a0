"""Figures of merit of two sets of the same reflections, as compare_hkl defines them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulators.tools.reflection_list import Reflections


@dataclass(frozen=True)
class Pairs:
    """Reflections of both sets, on one scale, and for anomalous figures their Friedel mates.

    Attributes:
        first: of the first set; `second`, of the same length, of the second.
        first_mate: intensities of the mates in the first set, shape (n,); `second_mate` in the second.
    """

    first: Reflections
    second: Reflections
    first_mate: np.ndarray
    second_mate: np.ndarray

    def only(self, chosen: np.ndarray) -> "Pairs":
        """Return some of them.

        Args:
            chosen: which, bool, shape (n,).
        """
        return Pairs(
            self.first.only(chosen),
            self.second.only(chosen),
            self.first_mate[chosen],
            self.second_mate[chosen],
        )


@dataclass(frozen=True)
class FigureOfMerit:
    """A figure of merit.

    Attributes:
        calculate: it, from pairs.
        title: over its column and that of the counts.
        says: how the overall figure is told, `{}` being its value.
        is_percent: whether a fraction is told in percent.
        is_anomalous: whether it compares reflections with their Friedel mates.
    """

    calculate: Callable[[Pairs], float]
    title: str
    says: str
    is_percent: bool = True
    is_anomalous: bool = False

    def text(self, pairs: Pairs) -> str:
        """Return the figure as it stands in a table; `nan` where the pairs have none."""
        with np.errstate(all="ignore"):
            value = self.calculate(pairs) if len(pairs.first.miller) else np.nan
        return f"{100 * value:.2f}" if self.is_percent else f"{value:.7f}"


def _ratio(over: np.ndarray, under: np.ndarray) -> float:
    return float(np.divide(over.sum(), under.sum()))


def _r1_i(pairs: Pairs) -> float:
    one, other = pairs.first.intensity, pairs.second.intensity
    return _ratio(np.abs(one - other), one)


def _r1_f(pairs: Pairs) -> float:
    one, other = np.sqrt(pairs.first.intensity), np.sqrt(pairs.second.intensity)
    return _ratio(np.abs(one - other), one)


def _r2(pairs: Pairs) -> float:
    one, other = pairs.first.intensity, pairs.second.intensity
    return float(np.sqrt(_ratio((one - other) ** 2, one**2)))


def _r_split(pairs: Pairs) -> float:
    one, other = pairs.first.intensity, pairs.second.intensity
    return float(np.sqrt(2)) * _ratio(np.abs(one - other), one + other)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(np.divide((one * other).sum(), np.sqrt((one**2).sum() * (other**2).sum())))


def _cc(pairs: Pairs) -> float:
    return _correlation(pairs.first.intensity, pairs.second.intensity)


def _cc_star(pairs: Pairs) -> float:
    cc = _cc(pairs)
    return float(np.sqrt(2 * cc / (1 + cc)))


def _differences(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Return the anomalous differences in both sets."""
    return pairs.first.intensity - pairs.first_mate, pairs.second.intensity - pairs.second_mate


def _cc_ano(pairs: Pairs) -> float:
    return _correlation(*_differences(pairs))


def _crd_ano(pairs: Pairs) -> float:
    one, other = _differences(pairs)
    return float(np.sqrt(_ratio((one + other) ** 2, (one - other) ** 2)))


def _r_ano(pairs: Pairs) -> float:
    mean = (pairs.first.intensity + pairs.second.intensity) / 2
    mate = (pairs.first_mate + pairs.second_mate) / 2
    return 2 * _ratio(np.abs(mean - mate), mean + mate)


def _within(sigmas: float) -> Callable[[Pairs], float]:
    def share(pairs: Pairs) -> float:
        sigma = np.hypot(pairs.first.sigma, pairs.second.sigma)
        return float((np.abs(pairs.first.intensity - pairs.second.intensity) < sigmas * sigma).mean())

    return share


FIGURES = {
    "R1I": FigureOfMerit(_r1_i, "  R1(I)/%       nref", "Overall R1(I) = {} %"),
    "R1F": FigureOfMerit(_r1_f, "  R1(F)/%       nref", "Overall R1(F) = {} %"),
    "R2": FigureOfMerit(_r2, "     R2/%       nref", "Overall R(2) = {} %"),
    "Rsplit": FigureOfMerit(_r_split, " Rsplit/%       nref", "Overall Rsplit = {} %"),
    "CC": FigureOfMerit(_cc, "       CC       nref", "Overall CC = {}", is_percent=False),
    "CCstar": FigureOfMerit(_cc_star, "      CC*       nref", "Overall CC* = {}", is_percent=False),
    "CCano": FigureOfMerit(_cc_ano, "    CCano       nref", "Overall CCano = {}", False, True),
    "CRDano": FigureOfMerit(_crd_ano, "    CRDano       nref", "Overall CRDano = {}", False, True),
    "Rano": FigureOfMerit(_r_ano, "   Rano/%       nref", "Overall Rano =  {} %", is_anomalous=True),
    "d1sig": FigureOfMerit(
        _within(1), " D<1sigma/%     nref", "Fraction of differences less than 1 sigma = {} %"
    ),
    "d2sig": FigureOfMerit(
        _within(2), " D<2sigma/%     nref", "Fraction of differences less than 2 sigma = {} %"
    ),
}
"""By the names that `--fom` takes."""
