"""`standin-indexamajig`: indexes frames by a known cell and integrates them."""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lute.errors import TaskFailed
from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.results.cell import UnitCell, read_cell
from simulators.tools.arguments import ToolError, parse_arguments, say, version_text
from simulators.tools.geometry import Geometry, read_geometry
from simulators.tools.images import FrameName, frame_names, read_frame
from simulators.tools.integration import integrate, profile_radius
from simulators.tools.lattice import find_lattice
from simulators.tools.stream_file import IndexedCrystal, chunk, header

PROGRAM = "standin-indexamajig"
_USED = {
    "in_file", "out_file", "geometry", "cell_file", "nthreads", "peaks", "indexing", "int_radius",
    "tolerance", "min_peaks", "no_half_pixel_shift",
}  # fmt: skip
_PROGRAMS = {"mosflm", "dirax", "xds", "felix"}
_LIBRARIES = {"xgandalf", "pinkindexer", "ffbidx"}


@dataclass(frozen=True)
class _Job:
    """What is the same for all frames."""

    geometry: Geometry
    cell: UnitCell
    parameters: IndexCrystFELParameters


def main() -> int:
    """Run the program on the arguments of the process; return the exit code."""
    try:
        return run(sys.argv[1:])
    except (ToolError, TaskFailed, OSError) as error:
        say(f"{PROGRAM}: {error}")
        return 1


def run(argv: Sequence[str]) -> int:
    """Index and integrate.

    Raises:
        ToolError: an argument or a file is wrong.
        TaskFailed: the cell file is.
        OSError: a file cannot be read or written.
    """
    parameters = parse_arguments(PROGRAM, IndexCrystFELParameters, _USED, argv)
    geometry = read_geometry(Path(parameters.geometry))
    with Path(parameters.out_file).open("w", encoding="utf-8") as stream:
        stream.write(header(geometry, version_text(PROGRAM)))
        stream.flush()
        _check_method(parameters)
        if parameters.cell_file is None:
            raise ToolError("this stand-in needs a known cell: -p CELL_FILE")
        job = _Job(geometry, read_cell(Path(parameters.cell_file)), parameters)
        names = list(frame_names(Path(parameters.in_file), geometry))
        indexed = 0
        for text, is_indexed in _chunks(job, names):
            stream.write(text)
            stream.flush()
            indexed += is_indexed
    share = 100 * indexed / len(names) if names else 0.0
    say(
        f"Final: {len(names)} images processed, {len(names)} hits (100.0%), {indexed} indexable "
        f"({share:.1f}% of hits, {share:.1f}% overall), {indexed} crystals, 0 bad."
    )
    return 0


def _check_method(parameters: IndexCrystFELParameters) -> None:
    methods = {method.partition("-")[0] for method in (parameters.indexing or "").split(",") if method}
    if parameters.peaks not in (None, "cxi"):
        raise ToolError(
            f"this stand-in finds no peaks by '{parameters.peaks}': it takes those of the CXI files"
        )
    for method in sorted(methods & (_PROGRAMS | _LIBRARIES)):
        why = "its program was not found" if method in _PROGRAMS else "compiled without it"
        raise ToolError(f"Indexing method '{method}' cannot be used: {why}")


def _chunks(job: _Job, names: list[FrameName]) -> Iterator[tuple[str, bool]]:
    """Give what is said of each frame, in their order, and whether it is indexed."""
    work = partial(_index, job)
    workers = min(job.parameters.nthreads, len(os.sched_getaffinity(0)), len(names))
    if workers <= 1:
        yield from map(work, enumerate(names, start=1))
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(work, enumerate(names, start=1), chunksize=2)


def _index(job: _Job, numbered: tuple[int, FrameName]) -> tuple[str, bool]:
    number, name = numbered
    parameters, geometry = job.parameters, job.geometry
    frame = read_frame(name, geometry)
    shift = 0.0 if parameters.no_half_pixel_shift else 0.5
    scattering = frame.beam.scattering(geometry.offsets_mm(frame.peaks + shift))
    percents = [float(part) for part in parameters.tolerance.split(",")]
    is_tried = len(frame.peaks) >= (parameters.min_peaks or 0)
    axes = find_lattice(scattering, job.cell, (percents[0], percents[-1])) if is_tried else None
    crystal = None
    if axes is not None:
        radius = profile_radius(scattering, axes, frame.beam)
        radii_px = tuple(float(part) for part in parameters.int_radius.split(","))
        crystal = IndexedCrystal(axes, radius, integrate(frame, geometry, axes, radius, radii_px))
    return chunk(name, number, frame.beam, len(frame.peaks), crystal, geometry.panel), crystal is not None


if __name__ == "__main__":
    sys.exit(main())
