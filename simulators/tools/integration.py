"""The reflections of an indexed frame: which there should be, and how strong they are."""

from dataclasses import dataclass

import numpy as np

from simulators.tools.geometry import Beam, Geometry
from simulators.tools.images import Frame

_PROFILE_QUANTILE = 0.7
"""Of the peaks' distances from the Ewald sphere: reflections farther from it are mostly too partial to be
merged as if they were whole."""


@dataclass(frozen=True)
class Reflections:
    """Reflections on the panel: arrays of the same length."""

    miller: np.ndarray
    intensity: np.ndarray
    sigma: np.ndarray
    peak: np.ndarray
    background: np.ndarray
    places: np.ndarray


def profile_radius(scattering: np.ndarray, axes: np.ndarray, beam: Beam) -> float:
    """Return how far from the Ewald sphere reflections show, in 1/Å.

    Args:
        scattering: q of the peaks, shape (n, 3).
        axes: a, b and c in Å as rows.
    """
    lattice = (scattering @ axes.T).round() @ np.linalg.inv(axes).T
    return float(np.quantile(np.abs(_excitation(lattice, beam)), _PROFILE_QUANTILE))


def integrate(
    frame: Frame, geometry: Geometry, axes: np.ndarray, radius: float, radii_px: tuple[float, ...]
) -> Reflections:
    """Return the reflections within `radius` (1/Å) of the Ewald sphere.

    Args:
        radii_px: of the peak, and inner and outer one of the ring for the background.
    """
    adu_per_photon = float(geometry.values.get("adu_per_photon", "1"))
    miller, places = _predicted(frame.beam, geometry, axes, radius)
    reach = int(np.ceil(radii_px[2]))
    columns, rows = np.floor(places).astype(int).T
    height, width = geometry.shape
    inside = (columns >= reach) & (columns < width - reach) & (rows >= reach) & (rows < height - reach)
    miller, places, columns, rows = miller[inside], places[inside], columns[inside], rows[inside]
    window = np.arange(-reach, reach + 1)
    at = rows[:, None, None] + window[None, :, None], columns[:, None, None] + window[None, None, :]
    data, is_good = frame.data[at], frame.is_good[at]
    distance = np.hypot(
        at[0] + 0.5 - places[:, 1, None, None],
        at[1] + 0.5 - places[:, 0, None, None],
    )
    in_peak = distance <= radii_px[0]
    ring = (distance > radii_px[1]) & (distance <= radii_px[2]) & is_good
    ring_pixels = np.maximum(ring.sum(axis=(1, 2)), 1)
    background = (data * ring).sum(axis=(1, 2)) / ring_pixels
    above = data - background[:, None, None]
    noise2 = (above**2 * ring).sum(axis=(1, 2)) / ring_pixels
    pixels = in_peak.sum(axis=(1, 2))
    intensity = (above * in_peak).sum(axis=(1, 2))
    variance = noise2 * pixels * (1 + pixels / ring_pixels) + adu_per_photon * np.maximum(intensity, 0)
    whole = (is_good | ~in_peak).all(axis=(1, 2)) & (ring.sum(axis=(1, 2)) > 0)
    peak = np.where(in_peak, data, -np.inf).max(axis=(1, 2))
    parts = (miller, intensity, np.sqrt(variance), peak, background, places)
    return Reflections(*(part[whole] for part in parts))


def _predicted(
    beam: Beam, geometry: Geometry, axes: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices, shape (n, 3), and places on the panel, shape (n, 2)."""
    height, width = geometry.shape
    corners = np.array([[0, 0], [0, height], [width, 0], [width, height]], float)
    farthest = np.linalg.norm(beam.scattering(geometry.offsets_mm(corners)), axis=1).max() + radius
    most = np.ceil(np.linalg.norm(axes, axis=1) * farthest).astype(int)
    miller = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), -1).reshape(-1, 3)
    miller = miller[(miller != 0).any(axis=1)]
    scattering = miller @ np.linalg.inv(axes).T
    rays = scattering + np.array([0, 0, beam.wave_number])
    seen = (
        (np.abs(_excitation(scattering, beam)) <= radius)
        & (np.linalg.norm(scattering, axis=1) <= farthest)
        & (rays[:, 2] > 0)
    )
    offsets_mm = rays[seen, :2] / rays[seen, 2:] * beam.camera_length_mm
    return miller[seen], geometry.places(offsets_mm)


def _excitation(scattering: np.ndarray, beam: Beam) -> np.ndarray:
    """Return how far lattice points lie outside the Ewald sphere, in 1/Å."""
    rays = scattering + np.array([0, 0, beam.wave_number])
    excitation: np.ndarray = np.linalg.norm(rays, axis=1) - beam.wave_number
    return excitation
