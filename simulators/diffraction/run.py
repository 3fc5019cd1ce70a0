"""Making a whole run: frames in psana's format, what an analysis needs, and the truth."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulators.diffraction.crystal import make_crystal
from simulators.diffraction.frames import Camera, Shot
from simulators.diffraction.inputs import DETECTOR, cell_text, config_text, geometry_text
from simulators.diffraction.instrument import Instrument
from simulators.diffraction.made_run import MadeRun, RunOptions
from simulators.diffraction.truth import Truth, write_reflections
from simulators.xtc2.run_writer import write_run

_CRYSTAL_RESOLUTION_A = 2.3
"""The corners of the panel reach 2.33 Å."""
_PEDESTAL_ADU, _PEDESTAL_SIGMA_ADU = 1000.0, 8.0
_FIRST_SECOND, _PERIOD_NS = 1_100_000_000, 8_333_333
"""Of the frames' timestamps; 120 frames a second."""


def make_run(folder: Path, options: RunOptions) -> MadeRun:
    """Make a run; the same options give the same bytes.

    Args:
        folder: made where it is not there; files of the same names are written anew.

    Raises:
        ConfigError: a configuration cannot name the folder.
        OSError: the files cannot be written.
    """
    made = MadeRun(folder.absolute(), options)
    instrument = Instrument()
    texts = {
        made.config: config_text(
            geometry=made.geometry, cell=made.cell, pedestals=made.pedestals, instrument=instrument
        ),
        made.geometry: geometry_text(instrument),
        made.cell: cell_text(),
    }
    for file in (*texts, made.smalldata_file, made.truth):
        file.parent.mkdir(parents=True, exist_ok=True)
    for file in (made.truth, made.smalldata_file):
        file.unlink(missing_ok=True)
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")

    rng = np.random.default_rng([options.seed])
    crystal = make_crystal(rng, _CRYSTAL_RESOLUTION_A)
    write_reflections(crystal, made.true_reflections)
    pedestals = rng.normal(_PEDESTAL_ADU, _PEDESTAL_SIGMA_ADU, (instrument.pixels,) * 2).astype(np.float32)
    np.save(made.pedestals, pedestals)
    camera = Camera(crystal, instrument, pedestals)
    hits = frozenset(rng.permutation(options.frames)[: options.hits].tolist())
    truth = _write_data(made, camera, hits)
    truth.write(made.truth)
    return made


def _write_data(made: MadeRun, camera: Camera, hits: frozenset[int]) -> Truth:
    options = made.options
    timestamps = tuple(_timestamp(number) for number in range(options.frames))
    shots: dict[int, Shot] = {}

    def frames() -> Iterator[tuple[int, np.ndarray]]:
        for number, timestamp in enumerate(timestamps):
            own = np.random.default_rng([options.seed, number])
            if number in hits:
                frame, shots[number] = camera.hit(own)
            else:
                frame = camera.blank(own)
            yield timestamp, frame

    smalldata = made.smalldata_file if options.with_smalldata else None
    write_run(options.experiment, options.run, DETECTOR, frames(), made.xtc_file, smalldata)
    return Truth(options.seed, camera.instrument, timestamps, shots)


def _timestamp(number: int) -> int:
    seconds, rest_ns = divmod((number + 1) * _PERIOD_NS, 1_000_000_000)
    return (_FIRST_SECOND + seconds) << 32 | rest_ns
