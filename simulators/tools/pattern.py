"""What becomes of one frame: its crystals, and their reflections."""

from dataclasses import dataclass

import numpy as np

from simulators.tools.cell_file import Cell
from simulators.tools.detector import farthest_inverse_d, to_reciprocal
from simulators.tools.frames import Frame
from simulators.tools.geometry_file import Geometry
from simulators.tools.indexing import Indexer
from simulators.tools.integration import Measured, Radii, integrate
from simulators.tools.orientation import Solution
from simulators.tools.prediction import candidate_indices, excitation_errors, on_panel, predict
from simulators.tools.quantities import HC_EV_A

_MOST_CRYSTALS = 5
"""Of a frame."""
_RESOLUTION_PERCENTILE, _WIDTH_PERCENTILE = 98, 80
"""Of the explained peaks: where a crystal's resolution ends, and how wide its reflections are."""
_SMALLEST_RADIUS = 5e-4
"""In 1/Å."""


@dataclass(frozen=True)
class Crystal:
    """A crystal that a frame shows.

    Attributes:
        cell: the given one.
        radius: of its reflections in reciprocal space, in 1/Å.
        inverse_d: its resolution, in 1/Å.
        measured: its reflections, by panel.
    """

    cell: Cell
    solution: Solution
    radius: float
    inverse_d: float
    measured: tuple[Measured, ...]


@dataclass(frozen=True)
class Pattern:
    """A frame and its crystals.

    Attributes:
        peaks: fs, ss, intensity, 1/d in 1/Å, number of the panel; shape (n, 5).
        is_hit: whether it has enough peaks for a crystal.
    """

    frame: Frame
    peaks: np.ndarray
    is_hit: bool
    crystals: tuple[Crystal, ...]


@dataclass(frozen=True)
class Analysis:
    """How frames are analysed.

    Attributes:
        indexer: finds the crystals; None where nothing is indexed.
        fewest_peaks: of a hit.
        is_multi: whether a frame may show several crystals.
        highest_inverse_d: beyond it pixels are not looked at, in 1/Å.
        push: reflections are measured so far beyond the crystal's resolution, in 1/Å.
        fixed_radius: of reflections, in 1/Å; None where the peaks tell it.
        predicts: whether reflections are measured at all.
    """

    geometry: Geometry
    indexer: Indexer | None
    radii: Radii
    fewest_peaks: int = 0
    is_multi: bool = False
    highest_inverse_d: float = np.inf
    push: float = np.inf
    fixed_radius: float | None = None
    predicts: bool = True

    def analyse(self, frame: Frame) -> Pattern:
        """Index a frame and measure the reflections of its crystals."""
        vectors, peaks = self._peaks(frame)
        is_hit = len(peaks) >= self.fewest_peaks
        crystals: list[Crystal] = []
        left = np.arange(len(peaks))
        while is_hit and self.indexer and len(crystals) < (_MOST_CRYSTALS if self.is_multi else 1):
            solution = self.indexer.index(vectors[left], peaks[left, 2])
            if solution is None:
                break
            crystals.append(self._crystal(frame, self.indexer.cell, solution, vectors[left]))
            left = left[~solution.explained]
        return Pattern(frame, peaks, is_hit, tuple(crystals))

    def _peaks(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """Return the scattering vectors, shape (n, 3), and the table of the peaks on good pixels."""
        wavelength_a = HC_EV_A / frame.photon_energy_eV
        vectors, tables = [np.empty((0, 3))], [np.empty((0, 5))]
        for number, panel in enumerate(self.geometry.panels):
            fs, ss, intensity = frame.peaks[panel.holds(frame.peaks[:, 0], frame.peaks[:, 1])].T
            found = to_reciprocal(panel.rays(fs, ss, frame.camera_length_m), wavelength_a)
            inverse_d = np.linalg.norm(found, axis=1)
            counts = frame.good[ss.astype(int), fs.astype(int)] & (inverse_d <= self.highest_inverse_d)
            vectors.append(found[counts])
            numbers = np.full(len(fs), number)
            tables.append(np.stack([fs, ss, intensity, inverse_d, numbers], axis=1)[counts])
        return np.concatenate(vectors), np.concatenate(tables)

    def _crystal(self, frame: Frame, cell: Cell, solution: Solution, vectors: np.ndarray) -> Crystal:
        wavelength_a = HC_EV_A / frame.photon_energy_eV
        explained = solution.explained
        errors = excitation_errors(solution.miller[explained] @ solution.reciprocal, wavelength_a)
        radius = max(float(np.percentile(np.abs(errors), _WIDTH_PERCENTILE)), _SMALLEST_RADIUS)
        resolution = float(np.percentile(np.linalg.norm(vectors[explained], axis=1), _RESOLUTION_PERCENTILE))
        if self.fixed_radius is not None:
            radius = self.fixed_radius
        reach = resolution + self.push
        measured = self._measured(frame, cell, solution.reciprocal, radius, reach) if self.predicts else ()
        return Crystal(cell, solution, radius, resolution, measured)

    def _measured(
        self, frame: Frame, cell: Cell, reciprocal: np.ndarray, radius: float, reach: float
    ) -> tuple[Measured, ...]:
        wavelength_a = HC_EV_A / frame.photon_energy_eV
        corner = farthest_inverse_d(self.geometry.panels, frame.camera_length_m, wavelength_a)
        inverse_d = min(self.highest_inverse_d, reach, corner)
        miller, rays = predict(
            candidate_indices(cell, np.ceil(100 * inverse_d) / 100),
            *(reciprocal, wavelength_a, radius, inverse_d),
        )
        return tuple(
            integrate(
                on_panel(miller, rays, panel, frame.camera_length_m),
                *(frame.image, frame.good, panel, self.radii, panel.gain(frame.photon_energy_eV)),
            )
            for panel in self.geometry.panels
        )
