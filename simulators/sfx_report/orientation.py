"""How far an orientation that was found lies from the true one."""

import numpy as np

from lute.tasks.results.symmetry import point_group


def misorientation_deg(found: np.ndarray, true: np.ndarray, symmetry: str) -> float:
    """Return the angle between two orientations, in degrees: the smallest, of all that are the same crystal.

    Args:
        found, true: rows a*, b*, c* in 1/Å, shape (3, 3).
        symmetry: CrystFEL's name of the point group.

    Raises:
        ValueError: the point group is not known.
    """
    operators = point_group(symmetry)
    if operators is None:
        raise ValueError(f"no point group {symmetry}")
    angles = []
    for operator in operators:
        # Operators act on indices; the axes that go with new indices change by the transposed inverse.
        axes = np.linalg.inv(np.array(operator)).T @ found
        left, _, right = np.linalg.svd(np.linalg.inv(axes) @ true)
        rotation = left @ right  # the nearest to what takes one to the other: their cells differ a little
        if np.linalg.det(rotation) > 0:
            angles.append(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    return float(np.degrees(min(angles)))
