"""The processes that share a search, by MPI; without `mpirun` there is one."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from mpi4py import MPI

T = TypeVar("T")


class Ranks:
    """This process among those of the Task.

    Attributes:
        number: of this process, from 0.
        size: number of processes.
    """

    def __init__(self) -> None:
        self._world = MPI.COMM_WORLD
        self.number: int = self._world.Get_rank()
        self.size: int = self._world.Get_size()
        # In memory that all can see: counting takes no message and no waiting.
        node = self._world.Split_type(MPI.COMM_TYPE_SHARED)
        self._window = MPI.Win.Allocate_shared(16, 8, comm=node)
        parts = [self._window.Shared_query(rank)[0] for rank in range(node.Get_size())]
        self._counts = [np.frombuffer(part, np.int64) for part in parts]
        self._own = self._counts[node.Get_rank()]
        self._own[:] = 0

    @property
    def is_first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.number == 0

    @property
    def is_last(self) -> bool:
        """Whether this is the last process, which always gets events; the first does not."""
        return self.number == self.size - 1

    def count(self, *, is_hit: bool) -> None:
        """Count an event of this process."""
        self._own += (1, is_hit)

    def counted(self) -> tuple[int, int]:
        """Return how many events and hits all processes have counted so far."""
        events, hits = np.sum(self._counts, axis=0)
        return int(events), int(hits)

    def from_first(self, make: Callable[[], T]) -> T:
        """Return what the first process makes. All wait for it; if it fails, they are ended with it."""
        value: T = self._world.bcast(make() if self.is_first else None)
        return value

    def exchange(self, value: T) -> list[T]:
        """Return the values of all processes, by their numbers. All wait for all."""
        values: list[T] = self._world.allgather(value)
        return values
