"""Frames of still crystals in random orientations, and blanks."""

from dataclasses import dataclass

import numpy as np

from simulators.diffraction.crystal import CELL_A, Crystal
from simulators.diffraction.instrument import Instrument

_PHOTONS = 450.0
"""A mean full reflection of a mean crystal, in photons."""
_SCALE_SIGMA = 0.4
"""Of the logarithm of a crystal's scale."""
_WIDTHS = (0.0012, 0.0018)
"""A reflection's width across the Ewald sphere, in 1/Å, differs between crystals within these."""
_SPOT_SIGMA_PX = 0.8
_SPOT_RADIUS_PX = 4
_WATER_RING_A = 3.2
_WATER_PHOTONS = 1.2
_AIR_PHOTONS = 0.6
_READ_NOISE_ADU = 4.0
_SMALLEST_PARTIALITY = 0.01


@dataclass(frozen=True)
class Shot:
    """The crystal of one frame.

    Attributes:
        reciprocal: rows a*, b*, c* in 1/Å, in the laboratory's axes, shape (3, 3).
        scale: factor of its intensities.
        reflections: how many of them lie on the panel.
    """

    reciprocal: np.ndarray
    scale: float
    reflections: int


class Camera:
    """Takes frames.

    Args:
        crystal: of what.
        instrument: with what.
        pedestals: of the detector, in ADU, shape (pixels, pixels).
    """

    def __init__(self, crystal: Crystal, instrument: Instrument, pedestals: np.ndarray) -> None:
        self.instrument = instrument
        self._crystal = crystal
        self._pedestals = pedestals
        self._background = _background(instrument)

    def blank(self, rng: np.random.Generator) -> np.ndarray:
        """Return a frame without a crystal: raw ADU, uint16, shape (pixels, pixels)."""
        return self._exposed(self._background, rng)

    def hit(self, rng: np.random.Generator) -> tuple[np.ndarray, Shot]:
        """Return a frame of a crystal in a random orientation, as `blank` does, and its truth."""
        rotation = _random_rotation(rng)
        reciprocal = rotation.T / CELL_A
        scale = float(rng.lognormal(0.0, _SCALE_SIGMA))
        width = rng.uniform(*_WIDTHS)
        places, photons = self._reflections(reciprocal, scale, width)
        frame = self._exposed(self._background + self._spots(places, photons), rng)
        return frame, Shot(reciprocal, scale, len(places))

    def _reflections(
        self, reciprocal: np.ndarray, scale: float, width: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return places on the panel, shape (n, 2), and photons, shape (n,)."""
        wave_number = 1 / self.instrument.wavelength_a
        rays = self._crystal.miller @ reciprocal + np.array([0, 0, wave_number])
        lengths = np.linalg.norm(rays, axis=1)
        partiality = np.exp(-(((lengths - wave_number) / width) ** 2) / 2)
        polarisation = 1 - (rays[:, 0] / lengths) ** 2  # of a horizontal electric field
        photons = _PHOTONS * scale * self._crystal.intensities * partiality * polarisation
        seen = (partiality > _SMALLEST_PARTIALITY) & (rays[:, 2] > 0)
        places, photons = self.instrument.places(rays[seen]), photons[seen]
        edge = self.instrument.pixels - 1
        within = ((places >= 0) & (places <= edge)).all(axis=1)
        return places[within], photons[within]

    def _spots(self, places: np.ndarray, photons: np.ndarray) -> np.ndarray:
        window = np.arange(-_SPOT_RADIUS_PX, _SPOT_RADIUS_PX + 1)
        nearest = places.round().astype(int)
        columns = nearest[:, 0, None] + window
        rows = nearest[:, 1, None] + window
        profiles = [
            np.exp(-(((pixels - centre[:, None]) / _SPOT_SIGMA_PX) ** 2) / 2)
            / (_SPOT_SIGMA_PX * np.sqrt(2 * np.pi))
            for pixels, centre in ((columns, places[:, 0]), (rows, places[:, 1]))
        ]
        spots = photons[:, None, None] * profiles[1][:, :, None] * profiles[0][:, None, :]
        margin, pixels = _SPOT_RADIUS_PX, self.instrument.pixels
        image = np.zeros((pixels + 2 * margin,) * 2)
        np.add.at(image, (rows[:, :, None] + margin, columns[:, None, :] + margin), spots)
        inner: np.ndarray = image[margin:-margin, margin:-margin]
        return inner

    def _exposed(self, photons: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        signal = rng.poisson(photons) * self.instrument.adu_per_photon
        noise = rng.normal(0, _READ_NOISE_ADU, photons.shape)
        raw: np.ndarray = (signal + noise + self._pedestals).round().clip(0, 65535).astype(np.uint16)
        return raw


def _background(instrument: Instrument) -> np.ndarray:
    """Return the photons of air and water in each pixel."""
    inverse_d = 2 * np.sin(instrument.two_theta() / 2) / instrument.wavelength_a
    ring = np.exp(-(((inverse_d - 1 / _WATER_RING_A) / 0.05) ** 2) / 2)
    background: np.ndarray = _AIR_PHOTONS + _WATER_PHOTONS * ring
    return background


def _random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Return a rotation drawn evenly from all, shape (3, 3)."""
    w, x, y, z = (part := rng.normal(size=4)) / np.linalg.norm(part)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
