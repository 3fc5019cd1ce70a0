"""The observations that go into a merge: what each crystal shows of each reflection."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lute.errors import LuteError
from simulators.tools.point_groups import PointGroup, grouped
from simulators.tools.prediction import excitation_errors
from simulators.tools.stream_reader import StreamCrystal

_RADIUS_IN_SIGMAS = 2.0
"""The radius of a reflection, as streams have it, in standard deviations of its profile."""
_SMALLEST_PARTIALITY = 0.1


@dataclass(frozen=True)
class Observations:
    """All observations of all crystals; of shape (n,) but `unique`.

    Attributes:
        unique: the different reflections, int, shape (m, 3).
        reflection: which of them it is.
        crystal: number of the crystal that shows it.
        intensity: in ADU.
        partiality: which part of the reflection is seen.
    """

    unique: np.ndarray
    reflection: np.ndarray
    crystal: np.ndarray
    intensity: np.ndarray
    partiality: np.ndarray


@dataclass(frozen=True)
class Polarisation:
    """Of the beam.

    Attributes:
        horizontal: which part of it has its electric field along x, the rest along y; None for no
            correction.
    """

    horizontal: float | None = 1.0

    def factor(self, rays: np.ndarray) -> np.ndarray:
        """Return which part of the light a crystal sends along rays, shape (n,).

        Args:
            rays: of any length, shape (n, 3).
        """
        if self.horizontal is None:
            return np.ones(len(rays))
        x, y, _ = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).T
        factors: np.ndarray = 1 - self.horizontal * x**2 - (1 - self.horizontal) * y**2
        return factors


def read_polarisation(text: str) -> Polarisation:
    """Return what `--polarisation` says: `none`, `horiz`, `vert`, or with a share such as `horiz90`.

    Raises:
        LuteError: it says anything else.
    """
    if text == "none":
        return Polarisation(None)
    found = re.fullmatch(r"(horiz|vert)(\d+(?:\.\d+)?)?", text)
    share = float(found[2] or 100) / 100 if found else -1.0
    if found is None or share > 1:
        raise LuteError(
            f"Invalid value for --polarisation: {text!r}", next_step="give none, horiz, vert or horiz90"
        )
    return Polarisation(share if found[1] == "horiz" else 1 - share)


def observations(
    crystals: Sequence[StreamCrystal],
    group: PointGroup,
    polarisation: Polarisation,
    *,
    has_partialities: bool,
    max_adu: float = np.inf,
    push: float = np.inf,
) -> Observations:
    """Return what crystals show.

    Args:
        crystals: at least one.
        has_partialities: whether reflections are seen in part; else as a whole.
        max_adu: reflections with a stronger peak are left out, in ADU.
        push: reflections so far beyond a crystal's resolution are left out, in 1/Å.
    """
    parts = []
    for number, crystal in enumerate(crystals):
        vectors = crystal.miller @ crystal.reciprocal
        rays = vectors + np.array([0, 0, 1 / crystal.wavelength_a])
        partiality = _partiality(crystal, vectors) if has_partialities else np.ones(len(vectors))
        kept = (partiality >= _SMALLEST_PARTIALITY) & (crystal.peak < max_adu)
        kept &= np.linalg.norm(vectors, axis=1) <= crystal.inverse_d + push
        intensity = crystal.intensity / polarisation.factor(rays)
        parts.append(
            (crystal.miller[kept], intensity[kept], partiality[kept], np.full(kept.sum(), number, int))
        )
    miller, intensity, partiality, numbers = (np.concatenate(part) for part in zip(*parts, strict=True))
    unique, reflection = grouped(group.asymmetric(miller))
    return Observations(unique, reflection, numbers, intensity, partiality)


def _partiality(crystal: StreamCrystal, vectors: np.ndarray) -> np.ndarray:
    """Return the height of a Gaussian profile where the Ewald sphere cuts it."""
    sigma = max(crystal.radius / _RADIUS_IN_SIGMAS, 1e-9)
    errors = excitation_errors(vectors, crystal.wavelength_a)
    partiality: np.ndarray = np.exp(-((errors / sigma) ** 2) / 2)
    return partiality
