"""Free cores and devices of the nodes, indexed for fast selection.

Sets of nodes are whole numbers: bit i stands for node i.
"""

from collections.abc import Iterable, Iterator, Sequence


def bits(mask: int) -> Iterator[int]:
    """Yield the node indices in a set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_of(indices: Iterable[int]) -> int:
    """Return the set of these node indices."""
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask


def runs(mask: int) -> list[int]:
    """Return a set cut into runs of neighbours, ascending."""
    found = []
    while mask:
        rest = mask & (mask + (mask & -mask))
        found.append(mask ^ rest)
        mask = rest
    return found


class Pool:
    """How much of each node is free.

    Attributes:
        free: free cores of each node.
        gpus: free devices of each node.
    """

    __slots__ = ("_by_count", "_counts", "free", "gpus")

    def __init__(self, free: Sequence[int], gpus: Sequence[int] = ()) -> None:
        self.free = list(free)
        self.gpus = list(gpus) or [0] * len(self.free)
        self._by_count = [0] * (max(self.free, default=0) + 1)
        self._counts = 0  # bit n: there is a node with n free cores
        for index, count in enumerate(self.free):
            self._by_count[count] |= 1 << index
            self._counts |= 1 << count

    def copy(self) -> "Pool":
        """Return a pool that changes by itself."""
        other = Pool.__new__(Pool)
        other.free, other.gpus = self.free.copy(), self.gpus.copy()
        other._by_count, other._counts = self._by_count.copy(), self._counts
        return other

    def take(self, node: int, cores: int) -> None:
        """Take cores of a node; a negative number gives them back."""
        old = self.free[node]
        new = self.free[node] = old - cores
        table, bit = self._by_count, 1 << node
        table[old] ^= bit
        if not table[old]:
            self._counts ^= 1 << old
        if not table[new]:
            self._counts |= 1 << new
        table[new] |= bit

    def total(self, mask: int) -> int:
        """Return the free cores of a set of nodes together."""
        table, counts, total = self._by_count, self._counts & ~1, 0
        while counts:
            low = counts & -counts
            count = low.bit_length() - 1
            total += count * (table[count] & mask).bit_count()
            counts ^= low
        return total

    def best_fit(self, cores: int, mask: int) -> int | None:
        """Return of `mask` the node with the fewest free cores that suffice, then the lowest index."""
        table, counts = self._by_count, self._counts >> cores << cores
        while counts:
            low = counts & -counts
            found = table[low.bit_length() - 1] & mask
            if found:
                return (found & -found).bit_length() - 1
            counts ^= low
        return None

    def with_free(self, mask: int, cores: int = 1) -> int:
        """Return the nodes of `mask` that have so many free cores."""
        for nodes in self._by_count[:cores]:
            mask &= ~nodes
        return mask

    def room(self, run: int, cores: int) -> int:
        """Return how many times so many cores are free, each time on one node, in a run of neighbours."""
        free = self.free[(run & -run).bit_length() - 1 : run.bit_length()]
        return sum(free) if cores == 1 else sum(count // cores for count in free)

    def with_gpus(self, wanted: int, mask: int) -> int:
        """Return the nodes of `mask` with so many free devices."""
        return mask_of(index for index in bits(mask) if self.gpus[index] >= wanted)
