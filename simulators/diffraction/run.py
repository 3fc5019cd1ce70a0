"""Making a whole run: frames in psana's format, what an analysis needs, and the truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lute.errors import ConfigError
from simulators.diffraction.crystal import make_crystal
from simulators.diffraction.frames import Camera, Shot
from simulators.diffraction.inputs import DETECTOR, cell_text, config_text, geometry_text
from simulators.diffraction.instrument import Instrument
from simulators.diffraction.truth import Truth, write_reflections

_CRYSTAL_RESOLUTION_A = 2.6
"""Beyond the corners of the panel."""
_PEDESTAL_ADU, _PEDESTAL_SIGMA_ADU = 1000.0, 8.0
_FIRST_SECOND, _PERIOD_NS = 1_100_000_000, 8_333_333
"""Of the frames' timestamps; 120 frames a second."""


@dataclass(frozen=True)
class RunOptions:
    """What to make.

    Attributes:
        seed: of all that is drawn.
        frames: how many.
        hits: how many of them show a crystal.
        with_smalldata: whether to write the file by which psana finds events of a run by its number.
    """

    experiment: str = "mfxl1013621"
    run: int = 12
    seed: int = 0
    frames: int = 100
    hits: int = 58
    with_smalldata: bool = True


@dataclass(frozen=True)
class MadeRun:
    """A run that was made.

    Attributes:
        folder: what SIT_PSDM_DATA is to be.
    """

    folder: Path
    options: RunOptions

    @property
    def xtc_file(self) -> Path:
        """The data."""
        name = f"{self.options.experiment}-r{self.options.run:04d}-s000-c000.xtc2"
        return self.folder / self.options.experiment[:3] / self.options.experiment / "xtc" / name

    @property
    def smalldata_file(self) -> Path:
        """What says where each event lies in the data."""
        return self.xtc_file.parent / "smalldata" / f"{self.xtc_file.stem}.smd.xtc2"

    @property
    def config(self) -> Path:
        """The Tasks' configuration."""
        return self.folder / "config.yaml"

    @property
    def geometry(self) -> Path:
        """The detector's geometry, for CrystFEL."""
        return self.folder / "geometry" / "rayonix.geom"

    @property
    def cell(self) -> Path:
        """The crystal's cell, for CrystFEL."""
        return self.folder / "cells" / "sample.cell"

    @property
    def pedestals(self) -> Path:
        """The detector's pedestals, in ADU: a numpy file, float32."""
        return self.folder / "pedestals.npy"

    @property
    def truth(self) -> Path:
        """See `simulators.diffraction.truth`."""
        return self.folder / "truth" / "truth.json"

    @property
    def true_reflections(self) -> Path:
        """The true intensities, as a CrystFEL reflection list."""
        return self.folder / "truth" / "truth.hkl"


def make_run(folder: Path, options: RunOptions) -> MadeRun:
    """Make a run; the same options give the same bytes.

    Args:
        folder: made where it is not there; files of the same names are written anew.

    Raises:
        ConfigError: the options contradict each other, or psana, which writes its format, is not installed.
    """
    if not 0 <= options.hits <= options.frames:
        raise ConfigError(f"of {options.frames} frames, {options.hits} cannot be hits")
    made = MadeRun(folder.absolute(), options)
    for file in (made.smalldata_file, made.config, made.geometry, made.cell, made.truth):
        file.parent.mkdir(parents=True, exist_ok=True)
    instrument = Instrument()
    rng = np.random.default_rng([options.seed])
    crystal = make_crystal(rng, _CRYSTAL_RESOLUTION_A)
    pedestals = rng.normal(_PEDESTAL_ADU, _PEDESTAL_SIGMA_ADU, (instrument.pixels,) * 2).astype(np.float32)
    camera = Camera(crystal, instrument, pedestals)
    hits = frozenset(rng.permutation(options.frames)[: options.hits].tolist())
    timestamps = tuple((_FIRST_SECOND << 32) + _PERIOD_NS * (number + 1) for number in range(options.frames))
    shots: dict[int, Shot] = {}

    def frames() -> Iterator[tuple[int, np.ndarray]]:
        for number, timestamp in enumerate(timestamps):
            own = np.random.default_rng([options.seed, number])
            if number in hits:
                frame, shots[number] = camera.hit(own)
            else:
                frame = camera.blank(own)
            yield timestamp, frame

    _write_data(made, frames())
    np.save(made.pedestals, pedestals)
    Truth(options.seed, instrument, timestamps, shots).write(made.truth)
    write_reflections(crystal, made.true_reflections)
    made.geometry.write_text(geometry_text(instrument), encoding="utf-8")
    made.cell.write_text(cell_text(), encoding="utf-8")
    made.config.write_text(
        config_text(geometry=made.geometry, cell=made.cell, pedestals=made.pedestals, instrument=instrument),
        encoding="utf-8",
    )
    return made


def _write_data(made: MadeRun, frames: Iterator[tuple[int, np.ndarray]]) -> None:
    try:
        from simulators.xtc2.run_writer import write_run
    except ImportError as error:
        raise ConfigError(
            f"runs are written by psana, which cannot be imported: {error}",
            next_step="install LUTE with its extra 'sfx'; it compiles against Kerberos: on Debian, "
            "`apt-get install gcc libkrb5-dev` first",
        ) from error
    smalldata = made.smalldata_file if made.options.with_smalldata else None
    made.smalldata_file.unlink(missing_ok=True)
    write_run(made.options.experiment, made.options.run, DETECTOR, frames, made.xtc_file, smalldata)
