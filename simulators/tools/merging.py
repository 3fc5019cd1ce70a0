"""Merging: the crystals on one scale, then the mean of what they show of each reflection."""

import numpy as np

from simulators.tools.observations import Observations
from simulators.tools.reflection_list import Reflections

_STEPS = 10
"""Of scaling and merging, in each cycle."""
_TINY = 1e-300


def find_scales(observed: Observations, crystals: int, cycles: int) -> np.ndarray:
    """Return the scale of each crystal, 1 on the average, shape (crystals,).

    Args:
        crystals: their number.
        cycles: with 0, all scales are 1.
    """
    scales = np.ones(crystals)
    everything = np.ones(len(observed.intensity), bool)
    for _ in range(cycles * _STEPS):
        mean, _, _ = _means(observed, scales, everything)
        expected = mean[observed.reflection] * observed.partiality
        shown = np.bincount(observed.crystal, expected * observed.intensity, crystals)
        scales = np.maximum(shown, 0) / np.maximum(
            np.bincount(observed.crystal, expected**2, crystals), _TINY
        )
        if not scales.any():
            return np.ones(crystals)
        scales /= scales[scales > 0].mean()
    return scales


def merge(
    observed: Observations, scales: np.ndarray, chosen: np.ndarray, *, symmetry: str, fewest: int
) -> Reflections:
    """Return the means of chosen observations.

    Args:
        chosen: bool, shape (n,).
        symmetry: name of the point group.
        fewest: a reflection that was observed less often is left out.
    """
    mean, sigma, count = _means(observed, scales, chosen & (scales[observed.crystal] > 0))
    kept = count >= max(fewest, 1)
    return Reflections(symmetry, observed.unique[kept], mean[kept], sigma[kept], count[kept])


def _means(
    observed: Observations, scales: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, its standard error, and number of observations of each unique reflection.

    An observation is a scale times a partiality times the reflection's intensity, with noise that is the
    same for all: so the stronger ones weigh more.
    """
    reflection = observed.reflection[chosen]
    factor = (scales[observed.crystal] * observed.partiality)[chosen]
    unique = len(observed.unique)
    full = observed.intensity[chosen] / np.maximum(factor, _TINY)
    weight = np.maximum(np.bincount(reflection, factor**2, unique), _TINY)
    mean = np.bincount(reflection, factor**2 * full, unique) / weight
    count = np.bincount(reflection, minlength=unique)
    variance = np.bincount(reflection, factor**2 * (full - mean[reflection]) ** 2, unique) / weight
    return mean, np.sqrt(variance / np.maximum(count, 1)), count
