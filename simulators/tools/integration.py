"""Measuring the intensities of reflections: the sum over a disc less the background of a ring around it."""

from dataclasses import dataclass

import numpy as np

from simulators.tools.detector import Panel
from simulators.tools.prediction import Predicted

_FEWEST_BACKGROUND = 10
"""Pixels of the ring that must be left."""
_IMPLAUSIBLE_SIGMAS = 5


@dataclass(frozen=True)
class Radii:
    """Of the disc, and of the inner and the outer edge of the ring, in pixels."""

    disc: float
    inner: float
    outer: float


@dataclass(frozen=True)
class Measured:
    """Reflections with their intensities, in ADU; all of shape (n,) but `miller`.

    Attributes:
        miller: indices, int, shape (n, 3).
        sigma: of the intensity.
        peak: largest pixel of the disc, in ADU.
        background: of a pixel, in ADU.
        fs: in pixels of the image file.
        ss: likewise.
    """

    panel: Panel
    miller: np.ndarray
    intensity: np.ndarray
    sigma: np.ndarray
    peak: np.ndarray
    background: np.ndarray
    fs: np.ndarray
    ss: np.ndarray

    @property
    def saturated(self) -> int:
        """Number of those with a saturated pixel."""
        return int((self.peak > self.panel.max_adu).sum())

    @property
    def implausible(self) -> int:
        """Number of those that are more negative than noise makes them."""
        return int((self.intensity < -_IMPLAUSIBLE_SIGMAS * self.sigma).sum())


def integrate(
    predicted: Predicted, image: np.ndarray, good: np.ndarray, panel: Panel, radii: Radii, gain: float
) -> Measured:
    """Return the reflections of a panel whose discs have good pixels only.

    Args:
        image: in ADU, shape (ss, fs).
        good: which pixels are, bool, shape (ss, fs).
        gain: ADU of a photon.
    """
    margin = int(np.ceil(radii.outer))
    own = (slice(panel.min_ss, panel.max_ss + 1), slice(panel.min_fs, panel.max_fs + 1))
    pixels = np.pad(image[own], margin)
    usable = np.pad(good[own], margin)
    rows = np.floor(predicted.ss).astype(int) - panel.min_ss + margin
    columns = np.floor(predicted.fs).astype(int) - panel.min_fs + margin

    window = np.arange(-margin, margin + 1)
    distance = np.hypot(window[:, None], window[None, :])
    disc_y, disc_x = (part - margin for part in np.nonzero(distance <= radii.disc))
    ring_y, ring_x = (
        part - margin for part in np.nonzero((distance > radii.inner) & (distance <= radii.outer))
    )
    disc = (rows[:, None] + disc_y, columns[:, None] + disc_x)
    ring = (rows[:, None] + ring_y, columns[:, None] + ring_x)

    is_background = usable.copy()
    is_background[disc] = False  # of any reflection
    in_ring = is_background[ring]
    count = in_ring.sum(axis=1)
    measurable = (count >= _FEWEST_BACKGROUND) & usable[disc].all(axis=1)
    background, noise = _mean_and_variance(pixels[ring], in_ring)
    area = len(disc_y)
    intensity = pixels[disc].sum(axis=1, dtype=np.float64) - area * background
    variance = area * noise * (1 + area / np.maximum(count, 1)) + gain * np.maximum(intensity, 0)
    keep = np.flatnonzero(measurable)
    return Measured(
        panel,
        predicted.miller[keep],
        intensity[keep],
        np.sqrt(variance[keep]),
        pixels[disc].max(axis=1)[keep],
        background[keep],
        predicted.fs[keep],
        predicted.ss[keep],
    )


def _mean_and_variance(values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the chosen values in each row."""
    count = np.maximum(chosen.sum(axis=1), 2)
    mean = np.where(chosen, values, 0).sum(axis=1, dtype=np.float64) / count
    deviations = np.where(chosen, values - mean[:, None], 0)
    return mean, (deviations**2).sum(axis=1) / (count - 1)
