"""The stand-in for compare_hkl: a figure of merit of two lists of reflections."""

import math
import sys
from pathlib import Path

import numpy as np

from lute.errors import LuteError, did_you_mean
from lute.slurm.getopt import Option, Takes
from simulators.tools.cell_file import Cell, read_cell_file
from simulators.tools.command_line import Arguments, Program, existing, options, say
from simulators.tools.figures_of_merit import FIGURES, FigureOfMerit, Pairs
from simulators.tools.pairing import Choice, in_group, on_one_scale, pair, with_mates
from simulators.tools.point_groups import PointGroup
from simulators.tools.reflection_list import Reflections, read_reflections
from simulators.tools.shells import Shells

PROGRAM = Program(
    "standin-compare_hkl",
    [
        *options(
            Takes.VALUE,
            "y/symmetry p/pdb fom nshells shell-file sigma-cutoff min-measurements lowres highres",
        ),
        *options(Takes.NOTHING, "ignore-negs zero-negs"),
        Option("u", "u"),
    ],
    [],
    "FILE1.hkl FILE2.hkl",
)


def main() -> int:
    """Run the command; return its exit code."""
    return PROGRAM.run(_work, sys.argv)


def _work(arguments: Arguments) -> None:
    if len(arguments.operands) != 2:
        raise LuteError("Please provide exactly two HKL files to compare.")
    files = [existing(Path(operand)) for operand in arguments.operands]
    figure, choice = _figure(arguments), _choice(arguments)
    if figure is FIGURES["R1F"] and not (choice.ignores_negatives or choice.zeroes_negatives):
        raise LuteError(
            "Your chosen figure of merit involves converting intensities to structure factors, but you have "
            "not specified how to handle negative intensities.",
            next_step="try again with --ignore-negs or --zero-negs",
        )
    cell = read_cell_file(arguments.file("pdb"))
    pairs = _pairs(arguments, [read_reflections(file) for file in files], cell, choice, figure)
    inverse_d = cell.inverse_d(pairs.first.miller)
    say(f"{len(inverse_d)} reflection pairs accepted.")
    if not len(inverse_d):
        raise LuteError("the two lists have no reflections in common that can be compared")
    say(figure.says.format(figure.text(pairs)))
    lowest = choice.lowest or float(inverse_d.min())
    highest = choice.highest if math.isfinite(choice.highest) else float(inverse_d.max())
    shells = Shells.between(lowest, highest, _shell_count(arguments))
    numbers = shells.numbers(inverse_d)
    within = [pairs.only(numbers == number) for number in range(shells.count)]
    values, counts = [figure.text(part) for part in within], [len(part.first.miller) for part in within]
    table = shells.table(figure.title, values, counts)
    Path(arguments.text("shell-file", "shells.dat")).write_text(table, encoding="utf-8")


def _figure(arguments: Arguments) -> FigureOfMerit:
    asked = arguments.text("fom", "R1I")
    for name, figure in FIGURES.items():
        if name.lower() == asked.lower():
            return figure
    raise LuteError(f"Unknown figure of merit '{asked}'.", next_step=did_you_mean(asked, FIGURES))


def _choice(arguments: Arguments) -> Choice:
    lowres = arguments.number("lowres", float, math.inf)
    highres = arguments.number("highres", float, 0.0)
    if lowres <= 0 or highres < 0:
        raise LuteError(f"Invalid resolution limits: {lowres:g} to {highres:g} Angstroms")
    return Choice(
        lowest=1 / lowres,
        highest=1 / highres if highres > 0 else math.inf,
        sigma_cutoff=arguments.number("sigma-cutoff", float, -math.inf),
        fewest=arguments.number("min-measurements", int, 0),
        ignores_negatives=arguments.has("ignore-negs"),
        zeroes_negatives=arguments.has("zero-negs"),
    )


def _pairs(
    arguments: Arguments, lists: list[Reflections], cell: Cell, choice: Choice, figure: FigureOfMerit
) -> Pairs:
    if lists[0].symmetry != lists[1].symmetry:
        raise LuteError(
            f"The symmetries of the two lists do not match: {lists[0].symmetry} and {lists[1].symmetry}"
        )
    group = PointGroup(arguments.text("symmetry", lists[0].symmetry))
    if figure.is_anomalous and group.is_centrosymmetric:
        raise LuteError(
            "You are trying to measure an anomalous signal in a centrosymmetric point group.",
            next_step="merge by a point group without inversion, and give it by -y",
        )
    first, second = pair(
        in_group(lists[0], group, "first"), in_group(lists[1], group, "second"), cell, choice
    )
    if not arguments.has("u"):
        second = on_one_scale(first, second, cell, say)
    if figure.is_anomalous:
        return with_mates(first, second, group)
    no_mates = np.full(len(first.miller), np.nan)
    return Pairs(first, second, no_mates, no_mates)


def _shell_count(arguments: Arguments) -> int:
    count = arguments.number("nshells", int, 10)
    if count < 1:
        raise LuteError(f"Invalid value for --nshells: '{count}'")
    return count
