"""The beam and the detector."""

from dataclasses import dataclass

import numpy as np

_HC_EV_A = 12398.419843320026
"""Planck's constant times the speed of light, in eV Å (CODATA 2018, exact)."""


@dataclass(frozen=True)
class Instrument:
    """One flat square panel across the beam, whose centre the beam hits.

    CrystFEL's axes: z along the beam, x along the fast direction of the panel, y along the slow one.

    Attributes:
        pixels: along each edge.
        pixel_um: edge of a pixel, in µm.
        camera_length_mm: from the crystal to the panel, in mm.
        photon_energy_eV: of the beam, in eV.
        adu_per_photon: in ADU.
    """

    pixels: int = 256
    pixel_um: float = 300.0
    camera_length_mm: float = 85.0
    photon_energy_eV: float = 9500.0  # noqa: N815 - eV is the unit
    adu_per_photon: float = 10.0

    @property
    def wavelength_a(self) -> float:
        """The beam's wavelength, in Å."""
        return _HC_EV_A / self.photon_energy_eV

    def places(self, directions: np.ndarray) -> np.ndarray:
        """Return where rays hit the panel.

        Args:
            directions: vectors x, y, z of any length, z above 0, shape (n, 3).

        Returns:
            Fast and slow coordinate, shape (n, 2); a pixel's centre is at its index.
        """
        camera_length_px = self.camera_length_mm * 1000 / self.pixel_um
        middle = self.pixels / 2 - 0.5
        places: np.ndarray = directions[:, :2] / directions[:, 2:] * camera_length_px + middle
        return places

    def two_theta(self) -> np.ndarray:
        """Return each pixel's scattering angle, in rad, shape (pixels, pixels)."""
        offset = np.arange(self.pixels) - self.pixels / 2 + 0.5
        radius = np.hypot(offset[:, None], offset[None, :]) * self.pixel_um / 1000
        angles: np.ndarray = np.arctan2(radius, self.camera_length_mm)
        return angles
