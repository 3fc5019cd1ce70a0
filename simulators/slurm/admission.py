"""What the controller checks before it takes a job, and the words in which it refuses (measured)."""

from simulators.slurm.backfill import node_choice
from simulators.slurm.dependency import is_valid
from simulators.slurm.job import Job
from simulators.slurm.request import Geometry, JobRequest
from simulators.slurm.scheduler import is_too_long, partition_limit
from simulators.slurm.state import Cluster
from simulators.slurm.willrun import ever_runs

NO_CONFIGURATION = "Requested node configuration is not available"


class RejectedError(Exception):
    """The controller refuses a job.

    Args:
        text: Slurm's words for it.
        warning: what sbatch prints before them, empty for nothing.
    """

    def __init__(self, text: str, warning: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.warning = warning


class Admission:
    """Checks jobs for one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._fitting: set[tuple[Geometry, tuple[str, ...]]] = set()

    def check(self, request: JobRequest) -> None:
        """Check what needs no job id.

        Raises:
            RejectedError: the job is not accepted.
        """
        cluster = self._cluster
        if not request.partitions:
            raise RejectedError("No partition specified or system default partition")
        for name in request.partitions:
            if name not in cluster.partitions:
                raise RejectedError(
                    "Invalid partition name specified", f"invalid partition specified: {name}"
                )
        if not any(cluster.partitions[name].state in ("UP", "DOWN") for name in request.partitions):
            raise RejectedError("Required partition not available (inactive or drain)")
        conf = cluster.conf
        if conf.enforce_associations and (request.account or "").lower() not in conf.accounts:
            raise RejectedError("Invalid account or account/partition combination specified")
        if request.reservation and not set(request.reservation.split(",")) <= conf.reservations:
            raise RejectedError("Requested reservation is invalid")
        if not is_valid(request.dependency):
            raise RejectedError("Job dependency problem")
        if any(name not in cluster.index for name in (*request.nodelist, *request.exclude)):
            raise RejectedError("Invalid node name specified")
        if request.geometry.max_nodes == 0:
            raise RejectedError("Node count specification invalid")
        if conf.enforce_part_limits == "ALL":
            self._check_limits(request)

    def _check_limits(self, request: JobRequest) -> None:
        geometry = request.geometry
        for name in request.partitions:
            partition = self._cluster.partitions[name]
            if (geometry.min_nodes or 1) > len(partition.nodes):
                raise RejectedError("Node count specification invalid")
            if geometry.min_cpus > partition.total_cpus:
                raise RejectedError("More processors requested than permitted")
            if is_too_long(request.time_limit_min, partition):
                raise RejectedError("Requested time limit is invalid (missing or exceeds some limit)")

    def check_nodes(self, job: Job) -> None:
        """Refuse a job that does not fit on the empty cluster, unless it exceeds a limit (measured).

        Raises:
            RejectedError: its id is lost then.
        """
        request = job.request
        geometry, memory = request.geometry, request.memory_env
        cluster = self._cluster
        has_memory = memory is None or memory[1] <= cluster.conf.real_memory_mb
        if has_memory and self._fits(job):
            return
        biggest = max(
            (cluster.cpus[node] for name in request.partitions for node in cluster.partitions[name].nodes),
            default=0,
        )
        if geometry.cpus > biggest:
            raise RejectedError(NO_CONFIGURATION, "CPU count per node can not be satisfied")
        if not has_memory:
            raise RejectedError(NO_CONFIGURATION, "Memory specification can not be satisfied")
        raise RejectedError(NO_CONFIGURATION)

    def _fits(self, job: Job) -> bool:
        """True if a job fits on the empty cluster, or exceeds a limit in a partition."""
        request = job.request
        geometry = request.geometry
        key = geometry, request.partitions
        takes_any_node = not request.nodelist and not request.exclude
        if takes_any_node and key in self._fitting:
            return True
        cluster = self._cluster
        for name in request.partitions:
            partition = cluster.partitions[name]
            if geometry.cpus > max((cluster.cpus[node] for node in partition.nodes), default=0):
                continue
            required, _ = node_choice(cluster, job, partition)
            # nodes that are down come back: they count here
            nodes = partition.mask
            for excluded in request.exclude:
                nodes &= ~(1 << cluster.index[excluded])
            if partition_limit(partition, job):
                return True
            if ever_runs(cluster, job, nodes, required):
                if takes_any_node:
                    self._fitting.add(key)
                return True
        return False
