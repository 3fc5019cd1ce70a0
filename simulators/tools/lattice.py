"""The orientation of a crystal of known cell, from the places of its peaks."""

from itertools import product
from math import ceil

import numpy as np

from lute.tasks.results.cell import UnitCell

_DIRECTIONS_PER_PERIOD = 90
"""Directions to try, for each square of the periods that the peaks span along an axis."""
_MOST_DIRECTIONS = 60_000
_CANDIDATES = 12
"""Directions taken as possible for each axis."""
_NEIGHBOURS_PERIODS = 0.6
"""Directions that differ by less, where the peaks reach farthest, are one."""
_ANGLE_TOLERANCE_DEG = 4.0
_INDEX_TOLERANCE = 0.2
"""A peak belongs to a lattice if its indices are so near to integers; 6 % do so by chance."""
_LEAST_SHARE = 0.5
"""Of all peaks, for the lattice to be believed."""
_LEAST_PEAKS = 10
_ROUNDS = 6
_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def axes_of(cell: UnitCell) -> np.ndarray:
    """Return a, b and c in Å as rows, a along x and b in the plane of x and y, shape (3, 3)."""
    (a, b, c), (alpha, beta, gamma) = cell.lengths_a, np.radians(cell.angles_deg)
    x = np.cos(beta)
    y = (np.cos(alpha) - x * np.cos(gamma)) / np.sin(gamma)
    return np.array(
        [
            [a, 0, 0],
            [b * np.cos(gamma), b * np.sin(gamma), 0],
            [c * x, c * y, c * np.sqrt(1 - x * x - y * y)],
        ]
    )


def find_lattice(scattering: np.ndarray, cell: UnitCell, tolerance: tuple[float, float]) -> np.ndarray | None:
    """Return a, b and c in Å as rows in the laboratory's axes, shape (3, 3); None if the cell does not fit.

    Args:
        scattering: q of the peaks in 1/Å, shape (n, 3).
        cell: the known cell.
        tolerance: how far the found cell may be off: in percent of each length, in degrees.
    """
    if len(scattering) < _LEAST_PEAKS:
        return None
    model = axes_of(cell)
    lengths = np.linalg.norm(model[:2], axis=1).tolist()
    likely = {length: _likely_directions(scattering, length) for length in lengths}  # of equal axes once
    best, most = None, 0
    for first, second in product(*(likely[length] for length in lengths)):
        for sign in (1, -1):
            rotation = _rotation(model, first, sign * second)
            if rotation is None:
                continue
            axes = model @ rotation.T
            fitting = int(_fits(scattering, axes).sum())
            if fitting > most:
                best, most = axes, fitting
    if best is None:
        return None
    refined = _refined(scattering, best)
    is_believed = _fits(scattering, refined).sum() >= max(_LEAST_SHARE * len(scattering), _LEAST_PEAKS)
    return refined if is_believed and _is_near(refined, model, tolerance) else None


def cell_parameters(axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lengths in Å and the angles in degrees of the axes in the rows, each of shape (3,)."""
    lengths = np.linalg.norm(axes, axis=1)
    unit = axes / lengths[:, None]
    cosines = [unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]]
    return lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def _likely_directions(scattering: np.ndarray, length: float) -> np.ndarray:
    """Return the directions along which the peaks best repeat with 1/length, shape (n, 3)."""
    periods = length * np.linalg.norm(scattering, axis=1).max()
    number = min(ceil(_DIRECTIONS_PER_PERIOD * periods**2), _MOST_DIRECTIONS)
    directions = _hemisphere(number)
    phases = (2 * np.pi * length * directions).astype(np.float32) @ scattering.T.astype(np.float32)
    scores = np.cos(phases).sum(axis=1)
    ranked = directions[np.argsort(-scores, kind="stable")]
    nearest = np.cos(_NEIGHBOURS_PERIODS / periods)
    chosen: list[np.ndarray] = []
    while len(chosen) < _CANDIDATES and len(ranked):
        chosen.append(ranked[0])
        ranked = ranked[np.abs(ranked @ ranked[0]) < nearest]
    return np.array(chosen)


def _hemisphere(number: int) -> np.ndarray:
    """Return evenly spread directions."""
    index = np.arange(number)
    z = (index + 0.5) / number
    radius = np.sqrt(1 - z * z)
    angle = _GOLDEN_ANGLE * index
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), z])


def _rotation(model: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return the rotation that brings a to `first` and b as near as possible to `second`, if they fit."""
    wanted = model[0] @ model[1] / np.prod(np.linalg.norm(model[:2], axis=1))
    off = np.degrees(np.arccos(np.clip([wanted, first @ second], -1, 1)))
    if abs(off[0] - off[1]) > _ANGLE_TOLERANCE_DEG:
        return None
    rotation: np.ndarray = _frame(first, second) @ _frame(model[0], model[1]).T
    return rotation


def _frame(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return as columns: the first direction, the part of the second across it, and their product."""
    x = first / np.linalg.norm(first)
    y = second - (second @ x) * x
    y /= np.linalg.norm(y)
    return np.column_stack([x, y, np.cross(x, y)])


def _fits(scattering: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return of each peak whether it belongs to a lattice."""
    indices = scattering @ axes.T
    fits: np.ndarray = np.abs(indices - indices.round()).max(axis=1) < _INDEX_TOLERANCE
    return fits


def _refined(scattering: np.ndarray, axes: np.ndarray) -> np.ndarray:
    for _ in range(_ROUNDS):
        fits = _fits(scattering, axes)
        indices = (scattering[fits] @ axes.T).round()
        if np.linalg.matrix_rank(indices) < 3:
            return axes
        reciprocal = np.linalg.lstsq(indices, scattering[fits], rcond=None)[0]  # rows a*, b*, c*
        axes = np.linalg.inv(reciprocal).T
    return axes


def _is_near(axes: np.ndarray, model: np.ndarray, tolerance: tuple[float, float]) -> bool:
    (lengths, angles), (model_lengths, model_angles) = cell_parameters(axes), cell_parameters(model)
    percent, degrees = tolerance
    is_near = (np.abs(lengths / model_lengths - 1) <= percent / 100).all()
    return bool(is_near and (np.abs(angles - model_angles) <= degrees).all())
