"""Which reflections a point group makes the same."""

import numpy as np

from lute.errors import LuteError
from lute.tasks.results.symmetry import point_group

_BASE = 4096
"""More than twice any index."""


class PointGroup:
    """A point group.

    Args:
        name: CrystFEL's, such as `4/mmm`, or `2/m_uab` with b as unique axis.

    Attributes:
        operators: all of it, int, shape (n, 3, 3); the rows give the new h, k and l.

    Raises:
        LuteError: there is none such.
    """

    def __init__(self, name: str) -> None:
        operators = point_group(name)
        if operators is None:
            raise LuteError(f"Unrecognised point group '{name}'")
        self.name = name
        self.operators = np.array(operators)

    @property
    def is_centrosymmetric(self) -> bool:
        """Whether it has the inversion."""
        return any((operator == -np.eye(3)).all() for operator in self.operators)

    def asymmetric(self, miller: np.ndarray) -> np.ndarray:
        """Return for each reflection the one that stands for all that are the same: that of largest h, k, l.

        Args:
            miller: indices, int, shape (n, 3).
        """
        images = np.einsum("oij,nj->noi", self.operators, miller)
        best = _keys(images).argmax(axis=1)
        chosen: np.ndarray = images[np.arange(len(miller)), best]
        return chosen

    def is_centric(self, miller: np.ndarray) -> np.ndarray:
        """Return which reflections are the same as their opposites, bool, shape (n,)."""
        centric: np.ndarray = _keys(self.asymmetric(miller)) == _keys(self.asymmetric(-miller))
        return centric


def grouped(miller: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different indices, sorted, shape (m, 3), and which of them each one given is, shape (n,)."""
    keys, places, numbers = np.unique(_keys(miller), return_index=True, return_inverse=True)
    del keys
    return miller[places], numbers


def _keys(miller: np.ndarray) -> np.ndarray:
    h, k, l = np.moveaxis(miller, -1, 0)  # noqa: E741 - its name
    keys: np.ndarray = (h * _BASE + k) * _BASE + l
    return keys
