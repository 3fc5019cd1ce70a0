"""When a job could start if running jobs end at their time limits: Slurm's will-run test.

As select/cons_tres does it: now if there is room; else running jobs are taken away in the order of their
ends, in groups, and the job is tried after each group. So a planned start may be later than the exact one.
The groups end 30, 60, 120... s after the first end, which is rounded up to the next half minute of the clock;
groups without a job are left out (measured in the log of 22.05.8 with DebugFlags=SelectType).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from simulators.slurm.job import Job
from simulators.slurm.placement import Share, is_plain, place
from simulators.slurm.pool import Pool, bits
from simulators.slurm.queue import Running
from simulators.slurm.state import Cluster

FIRST_WINDOW_S = 30

_FEW = 4
"""Where a set has less than one in so many nodes, jobs are looked up by node."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A moment at which a job has room.

    Attributes:
        start_s: POSIX seconds.
        mask: the nodes it may have.
        required: those it must have.
        ended: how many of the running jobs, by the end of their limits, are taken as ended by then.
    """

    start_s: int
    mask: int
    required: int
    ended: int


class Future:
    """What will be free when, as seen from one moment; worthless once a job starts or ends.

    Args:
        now_s: the moment, POSIX seconds.
    """

    def __init__(self, cluster: Cluster, running: Running, now_s: int) -> None:
        self._cluster = cluster
        self._entries = running.entries
        self._now_s = now_s
        # what is free after so many running jobs have ended, for the numbers asked so far
        self._pools: dict[int, Pool] = {0: cluster.pool}
        self._asked = [0]
        self._by_node: list[list[int]] = []

    def opening(self, job: Job, mask: int, required: int) -> Opening | None:
        """Return when `job` has room on the nodes of `mask`: now, later, or never (None)."""
        wanted, total = job.min_cpus, self._cluster.pool.total(mask)
        if total >= wanted and self._fits(job, mask, required, 0, total):
            return Opening(self._now_s, mask, required, 0)
        entries, count = self._entries, len(self._entries)
        first_end_s = group_end_s = end_s = last = 0
        is_tested = True
        for position, cores in self._ends_on(mask):
            end_s, last = entries[position][0], position + 1
            total += cores
            if not first_end_s:
                first_end_s, group_end_s = end_s, group_end(end_s, end_s)
            is_tested = last < count and entries[last][0] > group_end_s
            if is_tested:
                group_end_s = group_end(first_end_s, entries[last][0])
                if total >= wanted and self._fits(job, mask, required, last, total):
                    return Opening(self._end_of(end_s), mask, required, last)
        if not is_tested and total >= wanted and self._fits(job, mask, required, last, total):
            return Opening(self._end_of(end_s), mask, required, last)
        return None

    def shares(self, job: Job, opening: Opening) -> tuple[Share, ...]:
        """Return what `job` would get at `opening`."""
        pool = self._pool_after(opening.ended)
        shares = place(job.request.geometry, opening.mask, pool, self._cluster.cpus, opening.required)
        assert shares is not None, f"job {job.id} was found to fit, and does not"  # noqa: S101
        return shares

    def _fits(self, job: Job, mask: int, required: int, ended: int, total: int) -> bool:
        """True if `job` has room after so many ends; `total` cores of `mask` are free then."""
        geometry = job.request.geometry
        if not required and geometry.cpus == 1 and not geometry.gpus_per_node and is_plain(geometry):
            return total >= job.min_cpus  # any cores will do
        return place(geometry, mask, self._pool_after(ended), self._cluster.cpus, required) is not None

    def _ends_on(self, mask: int) -> Iterator[tuple[int, int]]:
        """Yield the running jobs that hold nodes of `mask`, by their limits' ends, and how many cores."""
        entries = self._entries
        positions: Iterable[int] = range(len(entries))
        if mask.bit_count() * _FEW < len(self._cluster.nodes):
            positions = self._positions_on(mask)
        for position in positions:
            other = entries[position][2]
            shared = other.node_mask & mask
            if shared == other.node_mask:
                yield position, other.held_cpus
            elif shared:
                yield position, sum(share.held for share in other.shares if mask >> share.node & 1)

    def _positions_on(self, mask: int) -> list[int]:
        """Return the same jobs, without a look at the others."""
        if not self._by_node:
            self._by_node = [[] for _ in self._cluster.nodes]
            for position, (_, _, other) in enumerate(self._entries):
                for node in bits(other.node_mask):
                    self._by_node[node].append(position)
        by_node = self._by_node
        return sorted({position for node in bits(mask) for position in by_node[node]})

    def _pool_after(self, ended: int) -> Pool:
        known = self._pools.get(ended)
        if known is None:
            place_of = bisect_right(self._asked, ended)
            nearest = self._asked[place_of - 1]
            known = self._pools[ended] = self._pools[nearest].copy()
            for _, _, other in self._entries[nearest:ended]:
                gpus = other.request.geometry.gpus_per_node
                for share in other.shares:
                    known.take(share.node, -share.held)
                    known.gpus[share.node] += gpus
            self._asked.insert(place_of, ended)
        return known

    def _end_of(self, limit_end_s: int) -> int:
        """Return when a running job is expected to end; one beyond its limit soon will (known)."""
        if limit_end_s > self._now_s:
            return limit_end_s
        return max(self._now_s + 1, limit_end_s + int(self._cluster.conf.kill_wait_s))


def group_end(first_end_s: int, end_s: int) -> int:
    """Return when the group of ends ends to which `end_s` belongs; the first of all ends is `first_end_s`."""
    origin_s = (first_end_s // FIRST_WINDOW_S + 1) * FIRST_WINDOW_S
    window_s = FIRST_WINDOW_S
    while end_s > origin_s + window_s:
        window_s *= 2
    return origin_s + window_s


def ever_runs(cluster: Cluster, job: Job, mask: int, required: int) -> bool:
    """True if the job fits on the nodes of `mask` when nothing else runs there."""
    pool = cluster.pool.copy()
    for index in bits(mask):
        pool.take(index, pool.free[index] - cluster.cpus[index])
        pool.gpus[index] = cluster.nodes[index].gpus
    return place(job.request.geometry, mask, pool, cluster.cpus, required) is not None
