"""Shells of resolution, and the table of a figure of merit in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shells:
    """Shells of equal volume in reciprocal space.

    Attributes:
        edges: 1/d of their edges, in 1/Å, rising, shape (n + 1,).
    """

    edges: np.ndarray

    @property
    def count(self) -> int:
        """How many shells there are."""
        return len(self.edges) - 1

    @classmethod
    def between(cls, lowest: float, highest: float, count: int) -> "Shells":
        """Return shells between two 1/d, in 1/Å."""
        return cls(np.cbrt(np.linspace(lowest**3, highest**3, count + 1)))

    def numbers(self, inverse_d: np.ndarray) -> np.ndarray:
        """Return the shell of each reflection; what rounding puts outside belongs to the nearest."""
        places = np.searchsorted(self.edges, inverse_d, side="left") - 1
        return np.clip(places, 0, self.count - 1)

    def table(self, title: str, values: Sequence[str], counts: Sequence[int]) -> str:
        """Return the text of the table.

        Args:
            title: of the columns of the figure of merit and the counts.
            values: of each shell.
            counts: number of reflections in each.
        """
        lines = [f"  1/d centre{title}      d / A   Min 1/nm    Max 1/nm"]
        for low, high, value, count in zip(self.edges[:-1], self.edges[1:], values, counts, strict=True):
            centre = (low + high) / 2
            edges = f"{10 * low:10.3f}  {10 * high:10.3f}"
            lines.append(f"{10 * centre:10.3f} {value:>10} {count:10d} {1 / centre:10.2f} {edges}")
        return "\n".join(lines) + "\n"
