"""What a made run is to be, and where its parts lie."""

import re
from dataclasses import dataclass
from pathlib import Path

from lute.errors import ConfigError

_EXPERIMENT = re.compile(r"[a-z]{3}[a-z0-9]+", re.ASCII | re.IGNORECASE)
_HIGHEST_RUN = 9999


@dataclass(frozen=True)
class RunOptions:
    """What to make.

    Attributes:
        seed: of all that is drawn.
        frames: how many.
        hits: how many of them show a crystal.
        with_smalldata: whether to write the file by which psana finds events of a run by its number.

    Raises:
        ConfigError: there can be no such run.
    """

    experiment: str = "mfxl1013621"
    run: int = 12
    seed: int = 0
    frames: int = 100
    hits: int = 58
    with_smalldata: bool = True

    def __post_init__(self) -> None:
        if not _EXPERIMENT.fullmatch(self.experiment):
            raise ConfigError(
                f"'{self.experiment}' is no name of an experiment: three letters of the hutch, "
                "then letters and digits, as in mfxl1013621"
            )
        if not 0 < self.run <= _HIGHEST_RUN:
            raise ConfigError(f"{self.run} is no number of a run: it goes from 1 to {_HIGHEST_RUN}")
        if self.seed < 0:
            raise ConfigError(f"{self.seed} is no seed: it goes from 0")
        if self.frames < 1 or not 0 <= self.hits <= self.frames:
            raise ConfigError(f"of {self.frames} frames, {self.hits} cannot be hits")


@dataclass(frozen=True)
class MadeRun:
    """The parts of a made run.

    Attributes:
        folder: an absolute path; what SIT_PSDM_DATA is to be.
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
        """See `simulators.diffraction.truth`. It is written last: where it is, the run is whole."""
        return self.folder / "truth" / "truth.json"

    @property
    def true_reflections(self) -> Path:
        """The true intensities, as a CrystFEL reflection list."""
        return self.folder / "truth" / "truth.hkl"
