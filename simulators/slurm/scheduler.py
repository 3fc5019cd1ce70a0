"""Which pending jobs start now, and why the others do not. Pure: it reads the cluster and changes nothing.

Strict first come, first served per partition: a job that cannot start blocks every later job of its
partition (measured for Slurm's main loop). Backfill is not simulated.
"""

from dataclasses import dataclass

from lute.slurm.states import SlurmState
from simulators.slurm.dependency import Verdict, judge
from simulators.slurm.placement import Room, place
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.state import Cluster, Job, Partition, Share


@dataclass(frozen=True)
class Start:
    """A job that starts now."""

    job_id: int
    partition: str
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Plan:
    """What one pass over the queue decides.

    Attributes:
        starts: the jobs that start, in order.
        reasons: why each job that stays waits.
        invalid: the jobs whose dependency can never be met.
    """

    starts: tuple[Start, ...]
    reasons: dict[int, str]
    invalid: tuple[int, ...]


def plan(cluster: Cluster) -> Plan:
    """Return what to start now."""
    free = {node: cluster.free_cpus(node) for node in cluster.nodes}
    blocked: set[str] = set()
    starts: list[Start] = []
    reasons: dict[int, str] = {}
    invalid: list[int] = []
    for job in cluster.jobs.values():
        if job.state is not SlurmState.PENDING:
            continue
        reason = waits_for(cluster, job)
        if reason:
            reasons[job.id] = reason
            if reason == "DependencyNeverSatisfied":
                invalid.append(job.id)
            continue
        start = _start(cluster, job, free, blocked)
        if isinstance(start, str):
            reasons[job.id] = start
            continue
        starts.append(start)
        for share in start.shares:
            free[share.node] -= share.held
    return Plan(tuple(starts), reasons, tuple(invalid))


def waits_for(cluster: Cluster, job: Job) -> str:
    """Return why `job` may not start even on an empty cluster; such jobs block nobody. Empty if it may."""
    if job.is_held:
        return "JobHeldUser"
    verdict = judge(job, cluster.jobs)
    if verdict is Verdict.WAIT:
        return "Dependency"
    if verdict is Verdict.NEVER:
        return "DependencyNeverSatisfied"
    limits = [partition_limit(cluster, cluster.partitions[name], job) for name in job.request.partitions]
    return limits[0] if all(limits) else ""


def partition_limit(cluster: Cluster, partition: Partition, job: Job) -> str:
    """Return the limit of `partition` that `job` exceeds: accepted, but pending for ever (measured)."""
    request = job.request
    if (request.min_nodes or 1) > len(partition.nodes):
        return "PartitionNodeLimit"
    if request.min_cpus > sum(cluster.nodes[name].cpus for name in partition.nodes):
        return "PartitionConfig"
    limit = request.time_limit_min
    if limit is not None and partition.max_time_min is not None:
        asked = UNLIMITED_MIN if limit == 0 else limit
        if asked > partition.max_time_min:
            return "PartitionTimeLimit"
    return ""


def rooms_of(cluster: Cluster, partition: Partition, free: dict[str, int] | None = None) -> list[Room]:
    """Return the nodes of `partition`, empty ones unless `free` says otherwise."""
    return [
        Room(name, cluster.nodes[name].cpus, cluster.nodes[name].cpus if free is None else free[name])
        for name in partition.nodes
    ]


def _start(cluster: Cluster, job: Job, free: dict[str, int], blocked: set[str]) -> Start | str:
    reason = "Priority"
    for name in job.request.partitions:
        partition = cluster.partitions[name]
        if name in blocked or partition_limit(cluster, partition, job):
            continue
        shares = place(job.request.geometry, rooms_of(cluster, partition, free))
        if shares:
            return Start(job.id, name, shares)
        blocked.add(name)
        reason = "Resources"
    return reason
