"""What a cluster is made of: nodes, partitions and the jobs in memory."""

from dataclasses import dataclass, field

from simulators.slurm.conf import SlurmConf
from simulators.slurm.cores import choose_cores
from simulators.slurm.job import Job
from simulators.slurm.placement import Share, nodes_of
from simulators.slurm.pool import Pool, mask_of

FIRST_PRIORITY = 4294901759
"""Priority of the first job; each later one has one less (measured, priority/basic)."""


@dataclass(slots=True)
class Node:
    """One computer: its cores, each of one CPU, in two sockets.

    Attributes:
        index: its place in the cluster.
        gpu_type, gpus: its devices.
        admin: empty, `DRAIN` or `DOWN`, as an administrator or a failure left it.
        responding: False once it is down because it does not answer.
        reason: why, in the administrator's words.
        free_cores: the set of cores that no job holds.
    """

    name: str
    index: int
    cpus: int
    gpu_type: str = ""
    gpus: int = 0
    admin: str = ""
    responding: bool = True
    reason: str = ""
    free_cores: int = 0

    @property
    def is_available(self) -> bool:
        """True if jobs may start on it."""
        return not self.admin


@dataclass(slots=True)
class Partition:
    """A set of nodes that jobs ask for by name.

    Attributes:
        nodes: indices of its nodes, ascending.
        mask: the same as a set.
        state: UP, DOWN (jobs wait), DRAIN (no new jobs) or INACTIVE (neither).
    """

    name: str
    nodes: tuple[int, ...]
    mask: int
    is_default: bool
    total_cpus: int
    max_time_min: int | None
    default_time_min: int | None
    state: str = "UP"

    @property
    def starts_jobs(self) -> bool:
        """True if jobs in its queue may start."""
        return self.state in ("UP", "DRAIN")


@dataclass
class Cluster:
    """Nodes, partitions and jobs.

    Attributes:
        index: node name -> index.
        pool: what is free of each node.
        available: the set of nodes on which jobs may start.
        jobs: every job in memory, by id, in order of submission.
    """

    conf: SlurmConf
    nodes: list[Node]
    partitions: dict[str, Partition]
    index: dict[str, int]
    pool: Pool
    available: int
    cpus: list[int]
    jobs: dict[int, Job] = field(default_factory=dict)
    next_id: int = 1
    next_priority: int = FIRST_PRIORITY

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.conf.name

    def default_partition(self) -> Partition | None:
        """Return the partition of jobs that name none."""
        return next((part for part in self.partitions.values() if part.is_default), None)

    def names(self, mask: int) -> list[str]:
        """Return the names of a set of nodes."""
        return [node.name for node in self.nodes if mask >> node.index & 1]

    def take_id(self) -> int:
        """Return the next job id; a refused job may leave a gap (measured)."""
        self.next_id += 1
        return self.next_id - 1

    def take_priority(self) -> int:
        """Return the priority of a job that goes to the end of the queue."""
        self.next_priority -= 1
        return self.next_priority + 1

    def occupy(self, job: Job, shares: tuple[Share, ...]) -> None:
        """Give a job its cores and devices."""
        gpus, cores = job.request.geometry.gpus_per_node, []
        for share in shares:
            node = self.nodes[share.node]
            chosen = choose_cores(node.free_cores, share.held, node.cpus)
            node.free_cores ^= chosen
            cores.append(chosen)
            self.pool.take(share.node, share.held)
            self.pool.gpus[share.node] -= gpus
        job.shares, job.cores, job.node_mask = shares, tuple(cores), nodes_of(shares)
        job.held_cpus = sum(share.held for share in shares)
        job.node_names = tuple(self.nodes[share.node].name for share in shares)

    def restore(self, job: Job) -> None:
        """Mark as taken what a job of an earlier controller holds."""
        for share, cores in zip(job.shares, job.cores, strict=True):
            self.nodes[share.node].free_cores &= ~cores
            self.pool.take(share.node, share.held)
            self.pool.gpus[share.node] -= job.request.geometry.gpus_per_node

    def set_available(self, node: Node) -> None:
        """Let jobs start on a node, or not, as its state says."""
        bit = 1 << node.index
        self.available = self.available | bit if node.is_available else self.available & ~bit

    def release(self, job: Job) -> None:
        """Take back what a job held; what it reports stays."""
        gpus = job.request.geometry.gpus_per_node
        for share, cores in zip(job.shares, job.cores, strict=True):
            self.nodes[share.node].free_cores |= cores
            self.pool.take(share.node, -share.held)
            self.pool.gpus[share.node] += gpus


def new_cluster(conf: SlurmConf) -> Cluster:
    """Return the cluster that `conf` describes, without jobs.

    Raises:
        ValueError: a node's cores differ between partitions, or its Gres cannot be read.
    """
    nodes: list[Node] = []
    index: dict[str, int] = {}
    for members in conf.partitions.values():
        for name, cpus in members.items():
            if name not in index:
                index[name] = len(nodes)
                gpu_type, gpus = _read_gres(conf.node_gres.get(name, ""))
                nodes.append(Node(name, len(nodes), cpus, gpu_type, gpus, free_cores=(1 << cpus) - 1))
            elif nodes[index[name]].cpus != cpus:
                raise ValueError(f"node {name} has {cpus} cores in one partition and others in another")
    partitions = {}
    for number, (name, members) in enumerate(conf.partitions.items()):
        indices = tuple(sorted(index[node] for node in members))
        partitions[name] = Partition(
            name,
            indices,
            mask_of(indices),
            is_default=number == 0,
            total_cpus=sum(nodes[node].cpus for node in indices),
            max_time_min=conf.max_time_min,
            default_time_min=conf.default_time_min,
            state=conf.partition_state.get(name, "UP"),
        )
    cpus_of = [node.cpus for node in nodes]
    return Cluster(
        conf,
        nodes,
        partitions,
        index,
        Pool(cpus_of, [node.gpus for node in nodes]),
        (1 << len(nodes)) - 1,
        cpus_of,
    )


def _read_gres(text: str) -> tuple[str, int]:
    """Read `gpu:a100:4` or `gpu:4`."""
    if not text:
        return "", 0
    kind, *middle, count = text.split(":")
    if kind != "gpu" or len(middle) > 1 or not count.isdigit():
        raise ValueError(f"Gres={text}: only gpu:TYPE:COUNT is simulated")
    return "".join(middle), int(count)
