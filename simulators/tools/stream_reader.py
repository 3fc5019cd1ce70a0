"""Reading the crystals of a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from lute.errors import LuteError
from simulators.tools.quantities import HC_EV_A

_FIRST_LINE = "CrystFEL stream format 2."
_AXES = {"astar": 0, "bstar": 1, "cstar": 2}


@dataclass(frozen=True)
class StreamCrystal:
    """A crystal with its reflections.

    Attributes:
        wavelength_a: of the beam, in Å.
        reciprocal: a*, b* and c* as rows, in 1/Å, shape (3, 3).
        radius: of its reflections in reciprocal space, in 1/Å.
        inverse_d: its resolution, in 1/Å.
        miller: indices, int, shape (n, 3).
        intensity: in ADU, shape (n,).
        peak: largest pixel of each, in ADU, shape (n,).
    """

    wavelength_a: float
    reciprocal: np.ndarray
    radius: float
    inverse_d: float
    miller: np.ndarray
    intensity: np.ndarray
    peak: np.ndarray


@dataclass
class _Draft:
    """A crystal that is being read."""

    axes: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    radius: float = 0.0
    inverse_d: float = np.inf
    rows: list[list[float]] = field(default_factory=list)
    in_table: bool = False

    def take(self, line: str) -> None:
        """Take a line.

        Raises:
            ValueError: it cannot be read.
        """
        name = line.partition(" ")[0]
        if self.in_table:
            if line.startswith("End of reflections"):
                self.in_table = False
            elif not line.lstrip().startswith("h "):
                self.rows.append([float(part) for part in line.split()[:7]])
        elif name in _AXES:
            self.axes[_AXES[name]] = [float(part) / 10 for part in line.split()[2:5]]
        elif name == "profile_radius":
            self.radius = float(line.split()[2]) / 10
        elif name == "diffraction_resolution_limit":
            self.inverse_d = float(line.split()[2]) / 10
        elif line.startswith("Reflections measured after indexing"):
            self.in_table = True

    def finished(self, wavelength_a: float) -> StreamCrystal:
        """Return the crystal."""
        table = np.array(self.rows, float).reshape(-1, 7)
        return StreamCrystal(
            wavelength_a,
            self.axes,
            self.radius,
            self.inverse_d,
            table[:, :3].astype(int),
            table[:, 3],
            table[:, 5],
        )


def read_crystals(file: Path) -> Iterator[StreamCrystal]:
    """Give the crystals of the whole frames of a stream; a frame that breaks off at its end is left out.

    Raises:
        LuteError: it is no stream, or a line of it cannot be read; the message names the line.
        OSError: it cannot be read.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        if not lines.readline().startswith(_FIRST_LINE):
            raise LuteError(f"Failed to open input stream '{file}': it does not begin with '{_FIRST_LINE}'")
        yield from _crystals(lines, file)


def _crystals(lines: TextIO, file: Path) -> Iterator[StreamCrystal]:
    found: list[StreamCrystal] = []
    draft: _Draft | None = None
    wavelength_a = np.nan
    for number, line in enumerate(lines, start=2):
        try:
            if line.startswith("----- Begin chunk"):
                found, draft, wavelength_a = [], None, np.nan
            elif line.startswith("photon_energy_eV = "):
                wavelength_a = HC_EV_A / float(line.split()[2])
            elif line.startswith("--- Begin crystal"):
                draft = _Draft()
            elif line.startswith("--- End crystal") and draft is not None:
                found.append(draft.finished(wavelength_a))
                draft = None
            elif line == "----- End chunk -----\n":
                yield from found
                found = []
            elif draft is not None:
                draft.take(line)
        except (ValueError, IndexError, ZeroDivisionError) as error:
            if line.endswith("\n"):
                raise LuteError(f"{file}:{number}: cannot be read: {line.strip()[:60]!r}") from error
