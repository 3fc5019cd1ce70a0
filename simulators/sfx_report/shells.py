"""Figures of merit by resolution."""

from dataclasses import dataclass
from math import nan, sqrt
from pathlib import Path

from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.results.cell import read_cell
from lute.tasks.results.figures import common_pairs, correlation, r_split
from lute.tasks.results.reflections import read_reflections


@dataclass(frozen=True)
class Shell:
    """A part of the reflections.

    Attributes:
        d_a: resolution of its middle, in Å.
        r_split_percent: nan where there are too few reflections; so is `cc_half`.
    """

    d_a: float
    reflections: int
    r_split_percent: float
    cc_half: float


def read_shells(parameters: CompareHKLParameters) -> list[Shell]:
    """Return the shells of two sets, each with as many reflections as the others, low resolution first.

    Raises:
        TaskFailed: a file is not whole.
    """
    first, second = (read_reflections(Path(name)) for name in parameters.in_files)
    pairs = common_pairs(first, second, read_cell(Path(parameters.cell_file)), parameters)
    pairs.sort(key=lambda pair: pair.inverse_d2)
    shells = []
    for number in range(parameters.nshells):
        start, end = (len(pairs) * part // parameters.nshells for part in (number, number + 1))
        part = pairs[start:end]
        is_enough = len(part) > 2
        shells.append(
            Shell(
                1 / sqrt(part[len(part) // 2].inverse_d2) if part else nan,
                len(part),
                100 * r_split(part) if is_enough else nan,
                correlation(part) if is_enough else nan,
            )
        )
    return shells
