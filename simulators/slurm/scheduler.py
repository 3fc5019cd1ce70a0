"""The main scheduling loop: strict first come, first served per partition.

The first job that cannot start gets the reason Resources and blocks every later job of its partition, and of
partitions that share its nodes; others go on (measured).
"""

from simulators.slurm.backfill import StartJob, node_choice
from simulators.slurm.dependency import Verdict, judge
from simulators.slurm.job import Job
from simulators.slurm.placement import place
from simulators.slurm.queue import Queue
from simulators.slurm.request import Geometry
from simulators.slurm.state import Cluster, Partition
from simulators.slurm.willrun import ever_runs

NODES_DOWN = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
"""Reason of a job that only waits for nodes to come back (manual page)."""


HOLDS = {
    "user": "JobHeldUser",
    "admin": "JobHeldAdmin",
    "requeued": "job requeued in held state",
}
"""Who holds a job -> its reason (measured)."""


class MainScheduler:
    """Starts jobs in order."""

    def __init__(self, cluster: Cluster, queue: Queue, start: StartJob) -> None:
        self._cluster = cluster
        self._queue = queue
        self._start = start
        self._known: dict[tuple[Geometry, int, int], bool] = {}

    def run(self, depth: int | None) -> bool:
        """Start what may start now.

        Args:
            depth: look at so many jobs; None for all.

        Returns:
            True if jobs beyond `depth` might start too.
        """
        blocked: set[str] = set()
        blocked_nodes = 0
        partitions = len(self._cluster.partitions)
        for job in self._queue.first(depth):
            if job not in self._queue:
                continue  # an earlier start made it wait for something else, or somebody cancelled it
            while not self._try(job, blocked, blocked_nodes):
                newly = [name for name in job.request.partitions if name not in blocked]
                if newly:
                    job.reason = self._why_not(job, newly)
                    if job.reason == "Resources":
                        blocked.update(newly)
                        for name in newly:
                            blocked_nodes |= self._cluster.partitions[name].mask
                break
            if len(blocked) == partitions:
                return False
        return depth is not None and len(self._queue) > depth

    def _try(self, job: Job, blocked: set[str], blocked_nodes: int) -> bool:
        """Start a job, or all tasks of an array that may start; False if something of it must wait."""
        cluster = self._cluster
        for name in job.request.partitions:
            if name in blocked:
                continue
            partition = cluster.partitions[name]
            if not partition.starts_jobs:
                continue
            required, allowed = node_choice(cluster, job, partition)
            while True:
                shares = place(
                    job.request.geometry, allowed & ~blocked_nodes, cluster.pool, cluster.cpus, required
                )
                if shares is None:
                    break
                self._start(job, partition, shares, "Main")
                if job not in self._queue:
                    return True
        return False

    def _why_not(self, job: Job, names: list[str]) -> str:
        cluster = self._cluster
        for name in names:
            required, allowed = node_choice(cluster, job, cluster.partitions[name])
            if required & ~cluster.available:
                down = ",".join(cluster.names(required & ~cluster.available))
                return f"ReqNodeNotAvail, UnavailableNodes:{down}"
            if self._ever_runs(job, allowed, required):
                return "Resources"
        is_short = any(cluster.partitions[name].mask & ~cluster.available for name in names)
        return NODES_DOWN if is_short else "BadConstraints"

    def _ever_runs(self, job: Job, allowed: int, required: int) -> bool:
        key = job.request.geometry, allowed, required
        if key not in self._known:
            self._known[key] = ever_runs(self._cluster, job, allowed, required)
        return self._known[key]


def waits_for(cluster: Cluster, job: Job, now_s: float) -> str:
    """Return why `job` may not start even on an empty cluster; such jobs block nobody. Empty if it may."""
    if job.hold:
        return HOLDS[job.hold]
    if job.reason == "DependencyNeverSatisfied":
        return job.reason  # measured: for ever, even when the other job is forgotten
    if job.request.dependency:
        verdict = judge(job, cluster.jobs)
        if verdict is Verdict.WAIT:
            return "Dependency"
        if verdict is Verdict.NEVER:
            return "DependencyNeverSatisfied"
    if job.eligible_s > now_s:
        return "BeginTime"
    array = job.array
    if array is not None and is_throttled(cluster, job):
        return "JobArrayTaskLimit"
    limits = [partition_limit(cluster.partitions[name], job) for name in job.request.partitions]
    return limits[0] if all(limits) else ""


def is_throttled(cluster: Cluster, job: Job) -> bool:
    """True if as many tasks of the array of `job` run as may (`%N` in `--array`)."""
    spec, array = job.request.array, job.array
    if spec is None or array is None or not spec.throttle:
        return False
    placed = sum(
        1
        for other in cluster.jobs.values()
        if other.is_placed and other.array is not None and other.array.job_id == array.job_id
    )
    return placed >= spec.throttle


def partition_limit(partition: Partition, job: Job) -> str:
    """Return the limit of `partition` that `job` exceeds: accepted, but pending for ever (measured)."""
    if not partition.starts_jobs:
        return "PartitionDown" if partition.state == "DOWN" else "PartitionInactive"
    geometry = job.request.geometry
    if (geometry.min_nodes or 1) > len(partition.nodes):
        return "PartitionNodeLimit"
    if geometry.min_cpus > partition.total_cpus:
        return "PartitionConfig"
    return "PartitionTimeLimit" if is_too_long(job.time_limit_min, partition) else ""


def is_too_long(limit_min: int | None, partition: Partition) -> bool:
    """True if a time limit is beyond the longest that `partition` allows."""
    return limit_min is not None and partition.max_time_min is not None and limit_min > partition.max_time_min
