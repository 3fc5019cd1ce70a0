"""sched/backfill: later jobs may start early if that delays no earlier job's planned start.

Every pending job is planned, in order, with the time limits of all; each plan sets whole nodes aside from its
start to its end, so a later job may use them only outside that time (known from Slurm's documentation;
measured on 24 recorded and many random jobs).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import accumulate
from operator import and_

from simulators.slurm.job import Job
from simulators.slurm.placement import Share, nodes_of
from simulators.slurm.pool import bits
from simulators.slurm.queue import Queue, Running
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.state import Cluster, Partition
from simulators.slurm.willrun import Future, Opening

UNLIMITED_S = 365 * 86400
"""How long a job without a time limit counts for planning (known)."""

StartJob = Callable[[Job, Partition, tuple[Share, ...], str], None]
"""Starts a job, or one task of an array: job, partition, shares and `Main` or `Backfill`."""


class Plan:
    """Which nodes are not set aside, over time: segments from each beginning to the next one.

    Attributes:
        first_use_s: node -> when it is first set aside.
    """

    def __init__(self, now_s: int, mask: int) -> None:
        self.first_use_s: dict[int, int] = {}
        self._begins = [now_s]
        self._masks = [mask]

    def windows(self, start_s: int, length_s: int) -> "Windows":
        """Return what is free of plans for `length_s` seconds, from `start_s` on."""
        return Windows(self._begins, self._masks, start_s, length_s)

    def reserve(self, start_s: int, end_s: int, nodes: int) -> None:
        """Set nodes aside."""
        first, last = self._split(max(start_s, self._begins[0])), self._split(end_s)
        for place in range(first, last):
            self._masks[place] &= ~nodes
        for node in bits(nodes):
            self.first_use_s[node] = min(start_s, self.first_use_s.get(node, start_s))

    def overlaps(self, start_s: int, end_s: int, nodes: int) -> bool:
        """True if some of the nodes are set aside at some moment of the time given."""
        place = bisect_right(self._begins, start_s) - 1
        stop = bisect_left(self._begins, end_s)
        return any(nodes & ~self._masks[index] for index in range(max(0, place), stop))

    def _split(self, moment_s: int) -> int:
        """Return the index of the segment that begins at `moment_s`, made if need be."""
        place = bisect_left(self._begins, moment_s)
        if place == len(self._begins) or self._begins[place] != moment_s:
            self._begins.insert(place, moment_s)
            self._masks.insert(place, self._masks[place - 1])
        return place


class Windows:
    """The nodes that nobody planned during a time of fixed length, which moves on.

    The segments in that time form a queue that knows what all its sets have in common: of those before
    `_middle`, what each has in common with all up to there; of the others, what all have in common.
    """

    def __init__(self, begins: list[int], masks: list[int], start_s: int, length_s: int) -> None:
        self._begins = begins
        self._masks = masks
        self._length_s = length_s
        self._place = self._middle = self._end = bisect_right(begins, start_s) - 1
        self._older: list[int] = []
        self._newer = -1

    def at(self, start_s: int) -> tuple[int, int]:
        """Return the nodes free from `start_s` on, and when the plans next change (0: never).

        Args:
            start_s: not before that of the last call.
        """
        begins, masks, count = self._begins, self._masks, len(self._begins)
        place, end, end_s = self._place, self._end, start_s + self._length_s
        while end < count and begins[end] <= end_s:
            self._newer &= masks[end]
            end += 1
        while place + 1 < count and begins[place + 1] <= start_s:
            place += 1
        if place >= self._middle:
            self._older = list(accumulate(reversed(masks[place:end]), and_))
            self._middle, self._newer = end, -1
        self._place, self._end = place, end
        later_s = begins[place + 1] if place + 1 < count else 0
        return self._older[self._middle - place - 1] & self._newer, later_s


class Backfill:
    """One pass after the other over the queue."""

    def __init__(self, cluster: Cluster, queue: Queue, running: Running, start: StartJob) -> None:
        self._cluster = cluster
        self._queue = queue
        self._running = running
        self._start = start
        self._parameters = cluster.conf.scheduler

    def run(self, now_s: int) -> None:
        """Start what may start now.

        Jobs are planned only as long as one behind them could still start: plans of others change nothing.
        """
        jobs = self._queue.first(self._parameters.bf_max_job_test)
        plan = Plan(now_s, self._cluster.available)
        future = Future(self._cluster, self._running, now_s)
        hopes = self._hopeful(jobs)
        position = 0
        while hopes:
            if position > hopes[-1] or not self._has_room(jobs[hopes[-1]], plan, now_s):
                hopes.pop()
                continue
            job = jobs[position]
            if job not in self._queue:  # an earlier start made it wait, or somebody cancelled it
                position += 1
                continue
            place = self._consider(job, plan, future, now_s)
            if place is not None:
                self._start(job, *place, "Backfill")
                future = Future(self._cluster, self._running, now_s)
            if place is None or job not in self._queue:
                position += 1

    def _hopeful(self, jobs: list[Job]) -> list[int]:
        """Return the positions of the jobs for which enough cores are free now."""
        cluster = self._cluster
        room = {
            name: cluster.pool.total(part.mask & cluster.available)
            for name, part in cluster.partitions.items()
        }
        return [
            position
            for position, job in enumerate(jobs)
            if any(job.min_cpus <= room[name] for name in job.request.partitions)
        ]

    def _has_room(self, job: Job, plan: Plan, now_s: int) -> bool:
        """True if the nodes that nobody planned for the time of `job` have enough free cores now."""
        cluster, free = self._cluster, self._cluster.pool.free
        for name in job.request.partitions:
            partition = cluster.partitions[name]
            end_s = now_s + limit_seconds(job, partition)
            room = 0
            for node in bits(cluster.pool.with_free(partition.mask & cluster.available)):
                if plan.first_use_s.get(node, end_s + 1) > end_s:
                    room += free[node]
                    if room >= job.min_cpus:
                        return True
        return False

    def plan(self, now_s: int) -> None:
        """Set `planned_start_s` of every job that may start some time; start none."""
        plan = Plan(now_s, self._cluster.available)
        future = Future(self._cluster, self._running, now_s)
        for job in self._queue.first(self._parameters.bf_max_job_test):
            place = self._consider(job, plan, future, now_s)
            if place is not None:
                partition, shares = place
                job.planned_start_s = now_s
                plan.reserve(now_s, now_s + limit_seconds(job, partition), nodes_of(shares))

    def _consider(
        self, job: Job, plan: Plan, future: Future, now_s: int
    ) -> tuple[Partition, tuple[Share, ...]] | None:
        """Return where `job` may start now; None after planning it, in the partition that has it first."""
        best: tuple[int, int, int] | None = None
        for name in job.request.partitions:
            partition = self._cluster.partitions[name]
            if not partition.starts_jobs:
                continue
            found = self._earliest(job, partition, plan, future, now_s)
            if found is None:
                continue
            start_s, shares = found
            if start_s <= now_s:
                return partition, shares
            if best is None or start_s < best[0]:
                best = start_s, limit_seconds(job, partition), nodes_of(shares)
        job.planned_start_s = None
        if best is not None:
            start_s, limit_s, nodes = best
            job.planned_start_s = start_s
            step_s = max(1, self._parameters.bf_resolution)
            plan.reserve(start_s // step_s * step_s, -(-(start_s + limit_s) // step_s) * step_s, nodes)
        return None

    def _earliest(
        self, job: Job, partition: Partition, plan: Plan, future: Future, now_s: int
    ) -> tuple[int, tuple[Share, ...]] | None:
        """Return the first start that touches no plan, and the shares then; None if there is none."""
        required, allowed = node_choice(self._cluster, job, partition)
        min_nodes = max(1, job.request.geometry.min_nodes or 1)
        limit_s, from_s = limit_seconds(job, partition), now_s
        windows = plan.windows(now_s, limit_s)
        openings: dict[int, Opening | None] = {}
        while True:
            mask, later_s = windows.at(from_s)
            mask &= allowed
            if mask not in openings:
                is_enough = mask.bit_count() >= min_nodes and not required & ~mask
                openings[mask] = future.opening(job, mask, required) if is_enough else None
            opening = openings[mask]
            if opening is None:
                if not later_s:
                    return None
                from_s = later_s
                continue
            start_s = max(opening.start_s, from_s)
            if start_s > now_s:
                if later_s and start_s > later_s:
                    from_s = later_s
                    continue
                if start_s > now_s + self._parameters.bf_window * 60:
                    return None
            shares = future.shares(job, opening)
            if start_s > now_s and plan.overlaps(start_s, start_s + limit_s, nodes_of(shares)):
                from_s = start_s if start_s > from_s else later_s
                if not from_s:
                    return None
                continue
            return start_s, shares


def limit_seconds(job: Job, partition: Partition) -> int:
    """Return the time limit of a job in a partition, in seconds."""
    minutes = effective_limit(job, partition)
    return UNLIMITED_S if minutes == UNLIMITED_MIN else minutes * 60


def effective_limit(job: Job, partition: Partition) -> int:
    """Return the time limit of a job in a partition, in minutes: its own, else the partition's."""
    if job.time_limit_min is not None:
        return job.time_limit_min
    if partition.default_time_min is not None:
        return partition.default_time_min
    return UNLIMITED_MIN if partition.max_time_min is None else partition.max_time_min


def node_choice(cluster: Cluster, job: Job, partition: Partition) -> tuple[int, int]:
    """Return the nodes that a job must have, and those that it may have now or later."""
    required = 0
    for name in job.request.nodelist:
        required |= 1 << cluster.index[name]
    allowed = partition.mask & cluster.available
    for name in job.request.exclude:
        allowed &= ~(1 << cluster.index[name])
    return required, allowed
