"""How good merged reflections are: the overall figures of merit, not those of one shell.

`compare_hkl` calculates one figure a run, and says the overall one only in its log. So those that count
are calculated here, from the half sets.
"""

import math
from pathlib import Path

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.result import TaskResult, TaskStatus
from lute.tasks.results.cell import UnitCell, read_cell
from lute.tasks.results.completeness import possible_reflections
from lute.tasks.results.figures import (
    OTHER_FRACTIONS,
    Pair,
    cc_star,
    common_pairs,
    correlation,
    is_within,
    r_split,
)
from lute.tasks.results.merge import HALVES
from lute.tasks.results.reflections import read_reflections
from lute.tasks.results.shells import check_shells
from lute.tasks.results.symmetry import point_group


def comparison_result(parameters: CompareHKLParameters, header: Header) -> TaskResult:
    """Return the overall figures of merit of the two sets that CompareHKL compared.

    Raises:
        TaskFailed: the table of the shells is not whole, or there is too little to compare.
        OSError: a file cannot be read.
    """
    check_shells(header.work_dir / parameters.shell_file, parameters.nshells)
    cell = read_cell(header.work_dir / parameters.cell_file)
    files = [header.work_dir / name for name in parameters.in_files]
    first, second = (read_reflections(file) for file in files)
    pairs = common_pairs(first, second, cell, parameters)
    try:
        figures = _overall_figures(pairs, parameters.fom)
    except (ZeroDivisionError, ValueError) as error:
        raise TaskFailed(
            f"the {len(pairs)} reflections of both sets have no overall figure of merit: {error}",
            next_step="see whether the intensities are all 0, or use 'ignore_negs'",
        ) from error
    completeness = _completeness_percent(_merged_file(files), cell, parameters)
    if completeness is not None:
        figures["completeness (%)"] = round(completeness, 1)
    figures["reflections compared"] = len(pairs)
    figures["highest resolution (Å)"] = parameters.highres
    return TaskResult(TaskStatus.COMPLETED, figures)


def _overall_figures(pairs: list[Pair], asked: str) -> dict[str, str | int | float]:
    cc_half = correlation(pairs)
    star = cc_star(cc_half)
    figures: dict[str, str | int | float] = {
        "Rsplit (%)": round(100 * r_split(pairs), 2),
        "CC1/2": round(cc_half, 4),
    }
    if star is not None:
        figures["CC*"] = round(star, 4)
    if asked in OTHER_FRACTIONS:
        figures[f"{asked} (%)"] = round(100 * OTHER_FRACTIONS[asked](pairs), 2)
    return figures


def _merged_file(halves: list[Path]) -> Path | None:
    """Return the file of the merged set where it lies beside its halves, as partialator leaves them."""
    whole = {half.with_name(half.name.removesuffix(end)) for half, end in zip(halves, HALVES, strict=True)}
    found = whole.pop()
    return found if not whole and found not in halves and found.is_file() else None


def _completeness_percent(
    merged: Path | None, cell: UnitCell, parameters: CompareHKLParameters
) -> float | None:
    """Return how many of the possible reflections were measured, from the lowest measured 1/d on.

    None where the merged set is not known, or the point group.
    """
    operators = point_group(parameters.symmetry)
    if merged is None or operators is None:
        return None
    measured = [
        inverse_d2
        for miller, reflection in read_reflections(merged).items()
        if reflection.is_finite
        for inverse_d2 in [cell.inverse_d2(miller)]
        if is_within(inverse_d2, parameters)
    ]
    if not measured:
        return 0.0
    possible = possible_reflections(cell, operators, math.sqrt(min(measured)), 1 / parameters.highres)
    return 100 * len(measured) / possible if possible else None
