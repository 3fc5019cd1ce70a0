"""Where the reflections of a crystal are on the detector."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulators.tools.cell_file import Cell
from simulators.tools.detector import Panel

_SPREAD = 1.1
"""A cell that was found may be so much larger than the given one."""


@dataclass(frozen=True)
class Predicted:
    """Reflections on one panel.

    Attributes:
        miller: indices, int, shape (n, 3).
        fs: in pixels of the image file, shape (n,).
        ss: likewise.
    """

    miller: np.ndarray
    fs: np.ndarray
    ss: np.ndarray


@lru_cache(maxsize=4)
def candidate_indices(cell: Cell, inverse_d: float) -> np.ndarray:
    """Return the indices of all reflections of a cell, int, shape (n, 3).

    Args:
        inverse_d: largest 1/d, in 1/Å; some beyond it are there too.
    """
    edges = np.ceil(np.linalg.norm(cell.axes(), axis=1) * inverse_d * _SPREAD).astype(int)
    grid = np.meshgrid(*(np.arange(-edge, edge + 1) for edge in edges), indexing="ij")
    miller = np.stack([part.ravel() for part in grid], axis=1)
    near = cell.inverse_d(miller) <= inverse_d * _SPREAD
    possible: np.ndarray = miller[near & miller.any(axis=1) & cell.allows(miller)]
    return possible


def excitation_errors(vectors: np.ndarray, wavelength_a: float) -> np.ndarray:
    """Return how far outside the Ewald sphere reflections are, in 1/Å, shape (n,).

    Args:
        vectors: where they are in reciprocal space, in 1/Å, shape (n, 3).
    """
    errors: np.ndarray = (
        np.linalg.norm(vectors + np.array([0, 0, 1 / wavelength_a]), axis=1) - 1 / wavelength_a
    )
    return errors


def predict(
    miller: np.ndarray, reciprocal: np.ndarray, wavelength_a: float, radius: float, inverse_d: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return which reflections diffract: their indices, and the rays to them, both of shape (n, 3).

    Args:
        miller: the reflections in question, shape (m, 3).
        reciprocal: a*, b* and c* as rows, in 1/Å.
        radius: of a reflection in reciprocal space, in 1/Å.
        inverse_d: largest 1/d, in 1/Å.
    """
    vectors = miller @ reciprocal
    diffracts = np.abs(excitation_errors(vectors, wavelength_a)) < radius
    diffracts &= np.linalg.norm(vectors, axis=1) <= inverse_d
    return miller[diffracts], vectors[diffracts] + np.array([0, 0, 1 / wavelength_a])


def on_panel(miller: np.ndarray, rays: np.ndarray, panel: Panel, camera_length_m: float) -> Predicted:
    """Return the reflections that hit a panel."""
    hit, fs, ss = panel.hits(rays, camera_length_m)
    return Predicted(miller[hit], fs[hit], ss[hit])
