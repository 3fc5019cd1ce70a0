"""Merging intensities of many crystals, each measured on a scale of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lute.tasks.results.symmetry import Operator

_ROUNDS = 10
_BASE = 2048
"""More than twice the largest index."""


@dataclass(frozen=True)
class Observations:
    """All that was measured.

    Attributes:
        miller: indices of the unique reflections, (u, 3).
        unique: of each observation, the unique reflection it belongs to.
        crystal: of each observation, the number of its crystal.
        intensity: of each observation.
    """

    miller: np.ndarray
    unique: np.ndarray
    crystal: np.ndarray
    intensity: np.ndarray


@dataclass(frozen=True)
class Merged:
    """Merged reflections: indices, (n, 3), and of each its intensity, sigma and number of measurements."""

    miller: np.ndarray
    intensity: np.ndarray
    sigma: np.ndarray
    measurements: np.ndarray


def collect(crystals: Sequence[tuple[np.ndarray, np.ndarray]], operators: Sequence[Operator]) -> Observations:
    """Return the observations of all crystals, those that the point group makes equal brought together.

    Args:
        crystals: of each, indices, (n, 3), and intensities with sigmas, (n, 2).
        operators: all of the point group.
    """
    miller = np.concatenate([rows for rows, _ in crystals])
    images = np.einsum("rij,nj->nri", np.array(operators), miller)
    keys = ((images[..., 0] * _BASE + images[..., 1]) * _BASE + images[..., 2]).argmax(axis=1)
    chosen = images[np.arange(len(miller)), keys]
    unique, inverse = np.unique(chosen, axis=0, return_inverse=True)
    numbers = np.repeat(np.arange(len(crystals)), [len(rows) for rows, _ in crystals])
    return Observations(
        unique, inverse.ravel(), numbers, np.concatenate([values[:, 0] for _, values in crystals])
    )


def scales(observed: Observations) -> np.ndarray:
    """Return the scale of each crystal: what its intensities are to be divided by."""
    number = observed.crystal.max() + 1
    found = np.ones(number)
    for _ in range(_ROUNDS):
        mean, _, _ = _means(
            observed.unique, observed.intensity / found[observed.crystal], len(observed.miller)
        )
        expected = mean[observed.unique]
        above = np.bincount(observed.crystal, observed.intensity * expected, number)
        below = np.bincount(observed.crystal, expected**2, number)
        found = np.where((above > 0) & (below > 0), above / np.where(below > 0, below, 1), 1.0)
        found /= np.median(found)
    return found


def merge(observed: Observations, scale: np.ndarray, taken: np.ndarray, min_measurements: int) -> Merged:
    """Merge.

    Args:
        scale: of each crystal.
        taken: of each crystal, whether it takes part.
        min_measurements: reflections measured less often are left out.
    """
    part = taken[observed.crystal]
    intensity = observed.intensity[part] / scale[observed.crystal[part]]
    mean, variance, number = _means(observed.unique[part], intensity, len(observed.miller))
    kept = number >= min_measurements
    sigma = np.sqrt(variance / np.maximum(number, 1))
    return Merged(observed.miller[kept], mean[kept], sigma[kept], number[kept].astype(int))


def _means(
    unique: np.ndarray, intensity: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, variance and number of the observations of each unique reflection."""
    number = np.bincount(unique, minlength=length).astype(float)
    divisor = np.maximum(number, 1)
    mean = np.bincount(unique, intensity, length) / divisor
    variance = np.bincount(unique, (intensity - mean[unique]) ** 2, length) / divisor
    return mean, variance, number
