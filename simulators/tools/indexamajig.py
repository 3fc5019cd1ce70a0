"""The stand-in for indexamajig: indexes frames and measures their reflections."""

import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lute.errors import LuteError
from lute.slurm.getopt import Takes
from simulators.tools.cell_file import Cell, read_cell_file
from simulators.tools.command_line import Arguments, Program, options, say
from simulators.tools.frames import FrameName, Reading, list_frames, read_frame
from simulators.tools.geometry_file import read_geometry
from simulators.tools.indexing import Indexer, Tolerance
from simulators.tools.indexing_methods import method_name, uses_search
from simulators.tools.integration import Radii
from simulators.tools.pattern import Analysis
from simulators.tools.stream_text import StreamStyle
from simulators.tools.workers import in_order

_METHOD = "asdf"
"""Of indexing, where none is asked for."""

PROGRAM = Program(
    "standin-indexamajig",
    options(
        Takes.VALUE,
        "i/input o/output g/geometry p/pdb j/j x/prefix highres min-peaks peaks indexing tolerance "
        "int-radius push-res fix-profile-radius copy-header serial-offset",
    )
    + options(
        Takes.NOTHING,
        "basename no-half-pixel-shift no-check-cell no-check-peaks no-refine multi cell-parameters-only "
        "no-non-hits-in-stream no-peaks-in-stream no-refls-in-stream",
    ),
    options(
        Takes.VALUE,
        "temp-dir wait-for-file threshold min-snr peak-radius median-filter min-squared-gradient "
        "min-snr-biggest-pix min-snr-peak-pix min-sig min-peak-over-neighbour min-res max-res min-pix-count "
        "max-pix-count local-bg-radius fromfile-input-file wavelength-estimate camera-length-estimate "
        "mille-file max-mille-level max-indexer-threads taketwo-member-threshold taketwo-len-tolerance "
        "taketwo-angle-tolerance taketwo-trace-tolerance felix-domega felix-fraction-max-visits "
        "felix-max-internal-angle felix-max-uniqueness felix-min-completeness felix-min-visits "
        "felix-num-voxels felix-sigma felix-tthrange-max felix-tthrange-min "
        "pinkIndexer-considered-peaks-count pinkIndexer-angle-resolution pinkIndexer-refinement-type "
        "pinkIndexer-tolerance pinkIndexer-reflection-radius pinkIndexer-max-resolution-for-indexing "
        "pinkIndexer-max-refinement-disbalance xgandalf-sampling-pitch xgandalf-grad-desc-iterations "
        "xgandalf-tolerance xgandalf-min-lattice-vector-length xgandalf-max-lattice-vector-length "
        "xgandalf-max-peaks integration fix-divergence int-diag harvest-file",
    )
    + options(
        Takes.NOTHING,
        "no-check-prefix cpu-pin profile no-image-data filter-noise peakfinder8-fast no-use-saturated "
        "check-hdf5-snr no-retry no-revalidate mille asdf-fast xgandalf-no-deviation-from-provided-cell "
        "xgandalf-fast-execution overpredict",
    ),
)


def main() -> int:
    """Run the command; return its exit code."""
    return PROGRAM.run(_work, sys.argv)


@dataclass(frozen=True)
class _Indexed:
    """What a worker makes of a frame.

    Attributes:
        text: that stands in the stream.
    """

    text: str
    is_hit: bool
    crystals: int


@dataclass(frozen=True)
class _Job:
    """What a worker does to each frame, given by its number and name."""

    analysis: Analysis
    reading: Reading
    style: StreamStyle

    def __call__(self, task: tuple[int, FrameName]) -> _Indexed:
        serial, name = task
        pattern = self.analysis.analyse(read_frame(name, self.reading))
        return _Indexed(self.style.chunk(pattern, serial), pattern.is_hit, len(pattern.crystals))


def _work(arguments: Arguments) -> None:
    listing, style = arguments.file("input"), _style(arguments)
    headers = tuple(arguments.all("copy-header"))
    reading = Reading(style.geometry, not arguments.has("no-half-pixel-shift"), headers)
    workers, serial = arguments.number("j", int, 1), arguments.number("serial-offset", int, 1)
    if workers < 1:
        raise LuteError("Invalid number of processes.")
    path = Path(arguments.text("output", "indexamajig.stream"))
    with path.open("w", encoding="utf-8", errors="surrogateescape") as output:
        # As with CrystFEL, a stream without frames is left behind where indexing cannot begin.
        _write(output, style.header())
        job = _Job(_analysis(arguments, style), reading, style)
        names = list_frames(
            listing,
            style.geometry,
            prefix=arguments.text("prefix", ""),
            basename=arguments.has("basename"),
        )
        done: list[int] = []
        for indexed in in_order(job, list(enumerate(names, start=serial)), workers):
            if indexed.is_hit or not arguments.has("no-non-hits-in-stream"):
                _write(output, indexed.text)
            done.append(indexed.crystals)
    successes = sum(crystals > 0 for crystals in done)
    say(
        f"Final: {len(done)} images processed, {successes} had crystals "
        f"({100 * successes / max(len(done), 1):.1f}%), {sum(done)} crystals overall."
    )


def _style(arguments: Arguments) -> StreamStyle:
    file = arguments.file("geometry")
    geometry = read_geometry(file)
    if geometry.ignored:
        say(f"{PROGRAM.name}: ignored by the stand-in in {file}: {' '.join(geometry.ignored)}")
    return StreamStyle(
        PROGRAM.signature,
        shlex.join(arguments.argv),
        geometry,
        read_cell_file(arguments.file("pdb")) if arguments.has("pdb") else None,
        method_name(arguments.text("indexing", _METHOD)),
        not arguments.has("no-peaks-in-stream"),
        not arguments.has("no-refls-in-stream"),
    )


def _write(output: TextIO, text: str) -> None:
    output.write(text)
    output.flush()  # so that a run that is killed leaves all frames that it has done


def _analysis(arguments: Arguments, style: StreamStyle) -> Analysis:
    peaks = arguments.text("peaks", "zaef")
    if peaks != "cxi":
        raise LuteError(f"the stand-in searches no peaks itself ('{peaks}')", next_step="give --peaks=cxi")
    disc, inner, outer = arguments.numbers("int-radius", (3,), "4,5,7")
    if not 0 < disc <= inner < outer:
        raise LuteError(f"Invalid value for --int-radius: {disc:g},{inner:g},{outer:g}")
    highres = arguments.number("highres", float, 0.0)
    push = arguments.number("push-res", float, math.inf)
    radius = arguments.number("fix-profile-radius", float, -1.0)
    return Analysis(
        style.geometry,
        _indexer(arguments, style.cell) if uses_search(arguments.text("indexing", _METHOD)) else None,
        Radii(disc, inner, outer),
        fewest_peaks=arguments.number("min-peaks", int, 0),
        is_multi=arguments.has("multi"),
        highest_inverse_d=1 / highres if highres > 0 else math.inf,
        push=push / 10,
        fixed_radius=radius * 1e-10 if radius >= 0 else None,
        predicts=not arguments.has("cell-parameters-only"),
    )


def _indexer(arguments: Arguments, cell: Cell | None) -> Indexer:
    if cell is None:
        raise LuteError("the stand-in indexes by a known cell only", next_step="give it by -p")
    a, b, c, *angles = arguments.numbers("tolerance", (4, 6), "5,5,5,1.5")
    al, be, ga = angles if len(angles) == 3 else angles * 3
    return Indexer(
        cell,
        Tolerance((a / 100, b / 100, c / 100), (al, be, ga)),
        checks_peaks=not arguments.has("no-check-peaks"),
        checks_cell=not arguments.has("no-check-cell"),
        refines=not arguments.has("no-refine"),
    )
