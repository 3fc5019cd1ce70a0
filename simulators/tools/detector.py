"""Where the pixels of a detector are, and which way light goes to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HALF_PIXEL = 0.5
"""A pixel's centre, counted from its corner."""


@dataclass(frozen=True)
class Panel:
    """A flat part of a detector, in CrystFEL's axes: z along the beam.

    Attributes:
        min_fs: first column in the image file; `max_fs` is the last.
        min_ss: first row in the image file; `max_ss` is the last.
        corner_px: of its first pixel, in pixels from the beam, shape (3,).
        fs: step from one column to the next, in pixels, shape (3,).
        ss: step from one row to the next, in pixels, shape (3,).
        pixel_m: edge of a pixel, in m.
        offset_m: added to the camera length, in m.
        adu_per_photon: in ADU; 0 where it is not known.
        adu_per_eV: in ADU; 0 where it is not known.
        max_adu: from which a pixel is saturated.
    """

    name: str
    min_fs: int
    max_fs: int
    min_ss: int
    max_ss: int
    corner_px: np.ndarray
    fs: np.ndarray
    ss: np.ndarray
    pixel_m: float
    offset_m: float
    adu_per_photon: float
    adu_per_eV: float  # noqa: N815 - eV is the unit
    max_adu: float

    def holds(self, fs: np.ndarray, ss: np.ndarray) -> np.ndarray:
        """Return which points of the image file lie on the panel, bool, shape (n,)."""
        columns, rows = np.floor(fs), np.floor(ss)
        within_fs = (columns >= self.min_fs) & (columns <= self.max_fs)
        within: np.ndarray = within_fs & (rows >= self.min_ss) & (rows <= self.max_ss)
        return within

    def rays(self, fs: np.ndarray, ss: np.ndarray, camera_length_m: float) -> np.ndarray:
        """Return unit vectors from the crystal to points of the image file, shape (n, 3)."""
        own_fs, own_ss = fs - self.min_fs, ss - self.min_ss
        places = self._corner_m(camera_length_m) + self.pixel_m * (
            own_fs[:, None] * self.fs + own_ss[:, None] * self.ss
        )
        rays: np.ndarray = places / np.linalg.norm(places, axis=1, keepdims=True)
        return rays

    def hits(self, rays: np.ndarray, camera_length_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where rays hit the panel.

        Args:
            rays: any length, shape (n, 3).

        Returns:
            Which of them do, bool, shape (n,); and their fs and ss in the image file.
        """
        corner = self._corner_m(camera_length_m)
        normal = np.cross(self.fs, self.ss)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (corner @ normal) / (rays @ normal)
            own = (
                (rays * distance[:, None] - corner)
                / self.pixel_m
                @ np.linalg.pinv(np.stack([self.fs, self.ss]))
            )
        forward = np.isfinite(distance) & (distance > 0)
        fs, ss = own[:, 0] + self.min_fs, own[:, 1] + self.min_ss
        return forward & self.holds(fs, ss), fs, ss

    def gain(self, photon_energy_eV: float) -> float:  # noqa: N803 - eV is the unit
        """Return the ADU of a photon; 1 where the geometry says nothing."""
        return self.adu_per_photon or self.adu_per_eV * photon_energy_eV or 1.0

    def _corner_m(self, camera_length_m: float) -> np.ndarray:
        distance = np.array([0.0, 0.0, camera_length_m + self.offset_m])
        corner: np.ndarray = self.corner_px * self.pixel_m + distance
        return corner


def farthest_inverse_d(panels: Sequence[Panel], camera_length_m: float, wavelength_a: float) -> float:
    """Return the highest 1/d that is seen, in a corner of the detector, in 1/Å."""
    corners = [
        panel.rays(
            np.array([panel.min_fs, panel.max_fs + 1] * 2),
            np.array([panel.min_ss] * 2 + [panel.max_ss + 1] * 2),
            camera_length_m,
        )
        for panel in panels
    ]
    return float(np.linalg.norm(to_reciprocal(np.concatenate(corners), wavelength_a), axis=1).max())


def to_reciprocal(rays: np.ndarray, wavelength_a: float) -> np.ndarray:
    """Return the scattering vectors that belong to unit vectors, in 1/Å, shape (n, 3)."""
    vectors: np.ndarray = (rays - np.array([0.0, 0.0, 1.0])) / wavelength_a
    return vectors
