"""Vectors of a crystal's lattice of a given length, from its diffraction peaks."""

from dataclasses import dataclass

import numpy as np

_PHASE_STEP = 0.35
"""Between neighbouring directions, in periods, at the peaks farthest out."""
_MOST_DIRECTIONS = 60_000
_MOST_VECTORS = 30
_AT_A_TIME = 4096
_CYCLES = 4
_INLIER = 0.25
"""How far from a whole number q·t of a peak may be that still belongs to t."""
_SAME_RAD = 0.03


@dataclass(frozen=True)
class Vectors:
    """Candidates for vectors of a lattice, the best first.

    Attributes:
        vectors: in Å, shape (n, 3), each with its opposite.
        scores: mean of cos(2 pi q·t) over the peaks, shape (n,): 1 where all belong to t.
    """

    vectors: np.ndarray
    scores: np.ndarray


def find_vectors(peaks: np.ndarray, length_a: float, tolerance: float) -> Vectors:
    """Return lattice vectors t: those by which q·t is near a whole number for many peaks q.

    Args:
        peaks: scattering vectors, in 1/Å, shape (n, 3).
        length_a: of t, in Å.
        tolerance: of the length, as a fraction.
    """
    directions = _hemisphere(length_a * np.linalg.norm(peaks, axis=1).max())
    coarse = np.concatenate(
        [
            _scores(directions[start : start + _AT_A_TIME] * length_a, peaks)
            for start in range(0, len(directions), _AT_A_TIME)
        ]
    )
    refined = _refined(directions[_peaks_of(coarse, directions)] * length_a, peaks)
    lengths = np.linalg.norm(refined, axis=1)
    refined = refined[np.abs(lengths / length_a - 1) <= tolerance]
    scores = _scores(refined, peaks)
    kept = _peaks_of(scores, refined / np.linalg.norm(refined, axis=1, keepdims=True))
    both = np.concatenate([refined[kept], -refined[kept]])
    return Vectors(both, np.tile(scores[kept], 2))


def _hemisphere(periods: float) -> np.ndarray:
    """Return directions evenly over half a sphere, on a spiral, shape (n, 3).

    Args:
        periods: of q·t at the peaks farthest out.
    """
    spacing = _PHASE_STEP / max(periods, 1.0)
    count = min(_MOST_DIRECTIONS, int(2 * np.pi / spacing**2) + 1)
    number = np.arange(count)
    height = (number + 0.5) / count
    radius = np.sqrt(1 - height**2)
    angle = number * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def _scores(vectors: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    phases = (2 * np.pi * vectors).astype(np.float32) @ peaks.T.astype(np.float32)
    scores: np.ndarray = np.cos(phases).mean(axis=1, dtype=np.float64)
    return scores


def _peaks_of(scores: np.ndarray, directions: np.ndarray) -> list[int]:
    """Return the places of the best scores, none near a better one."""
    left = scores.copy()
    kept: list[int] = []
    while len(kept) < min(_MOST_VECTORS, len(scores)):
        best = int(left.argmax())
        if not np.isfinite(left[best]):
            break
        kept.append(best)
        left[np.abs(directions @ directions[best]) > np.cos(_SAME_RAD)] = -np.inf
    return kept


def _refined(vectors: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """Return vectors fitted by least squares to the peaks that belong to each."""
    for _ in range(_CYCLES):
        products = vectors @ peaks.T
        orders = products.round()
        belongs = (np.abs(products - orders) < _INLIER).astype(float)
        matrices = np.einsum("vn,ni,nj->vij", belongs, peaks, peaks)
        # So little that it only holds what the peaks say nothing of.
        hold = 1e-6 * np.trace(matrices, axis1=1, axis2=2)[:, None] + 1e-12
        sides = (belongs * orders) @ peaks + hold * vectors
        matrices += hold[:, :, None] * np.eye(3)
        vectors = np.linalg.solve(matrices, sides[:, :, None])[:, :, 0]
    return vectors
