"""`standin-compare_hkl`: figures of merit of two lists of reflections, overall and by resolution."""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lute.errors import TaskFailed
from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.results.cell import read_cell
from lute.tasks.results.figures import OTHER_FRACTIONS, Pair, cc_star, common_pairs, correlation, r_split
from lute.tasks.results.reflections import read_reflections
from simulators.tools.arguments import ToolError, parse_arguments, say, version_text

PROGRAM = "standin-compare_hkl"
_USED = {
    "in_files", "symmetry", "cell_file", "fom", "nshells", "shell_file", "fix_unity", "ignore_negs",
    "zero_negs", "sigma_cutoff", "min_measurements", "lowres", "highres",
}  # fmt: skip
_CORRELATIONS: dict[str, Callable[[list[Pair]], float]] = {
    "CC": correlation,
    "CCstar": lambda pairs: _or_nan(cc_star(correlation(pairs))),
}
_NAMES = {"CCstar": "CC*", "d1sig": "D(1sig)", "d2sig": "D(2sig)", "R1I": "R1(I)", "R1F": "R1(F)"}


def main() -> int:
    """Run the program on the arguments of the process; return the exit code."""
    try:
        return run(sys.argv[1:])
    except (ToolError, TaskFailed, OSError) as error:
        say(f"{PROGRAM}: {error}")
        return 1


def run(argv: Sequence[str]) -> int:
    """Compare two lists.

    Raises:
        ToolError: an argument is wrong.
        TaskFailed: a list or the cell file is, or there is too little to compare.
        OSError: a file cannot be read or written.
    """
    parameters = parse_arguments(PROGRAM, CompareHKLParameters, _USED, argv)
    measure, unit = _measure(parameters.fom)
    cell = read_cell(Path(parameters.cell_file))
    first, second = (read_reflections(Path(name)) for name in parameters.in_files)
    say(f"{version_text(PROGRAM)}: {len(first)} and {len(second)} reflections")
    pairs = common_pairs(first, second, cell, parameters)
    name = _NAMES.get(parameters.fom, parameters.fom)
    say(f"Overall {name} = {measure(pairs):.6f}{f' {unit}' if unit else ''}")
    label = f"{name}/%" if unit else name
    lines = [f"  1/d centre {label:<13} nref      d / A   Min 1/nm    Max 1/nm"]
    for low, high, shell in _shells(pairs, parameters.nshells, 1 / parameters.highres):
        centre = (low + high) / 2
        figure = _figure(measure, shell)
        lines.append(
            f"{10 * centre:10.3f} {figure:10.4f} {len(shell):10d} {1 / centre:10.2f}"
            f" {10 * low:10.3f} {10 * high:10.3f}"
        )
    Path(parameters.shell_file or "shells.dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _measure(name: str) -> tuple[Callable[[list[Pair]], float], str]:
    """Return what gives the figure of merit, and its unit."""
    if name in _CORRELATIONS:
        return _CORRELATIONS[name], ""
    fraction = r_split if name == "Rsplit" else OTHER_FRACTIONS.get(name)
    if fraction is None:
        raise ToolError(f"this stand-in knows no anomalous figures of merit: '{name}'")
    return (lambda pairs: 100 * fraction(pairs)), "%"


def _shells(pairs: list[Pair], number: int, highest: float) -> list[tuple[float, float, list[Pair]]]:
    """Return lower and upper 1/d, in 1/Å, and the reflections of shells of equal volume."""
    inverse_d = [math.sqrt(pair.inverse_d2) for pair in pairs]
    lowest = min(inverse_d)
    volume = (highest**3 - lowest**3) / number
    edges = [(lowest**3 + volume * shell) ** (1 / 3) for shell in range(number + 1)]
    shells: list[list[Pair]] = [[] for _ in range(number)]
    for pair, value in zip(pairs, inverse_d, strict=True):
        shells[min(int((value**3 - lowest**3) / volume), number - 1)].append(pair)
    return list(zip(edges[:-1], edges[1:], shells, strict=True))


def _figure(measure: Callable[[list[Pair]], float], pairs: list[Pair]) -> float:
    try:
        return measure(pairs)
    except (ZeroDivisionError, ValueError):  # a shell with too little in it
        return math.nan


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


if __name__ == "__main__":
    sys.exit(main())
