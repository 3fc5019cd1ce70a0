"""What a cluster is made of, and the states a job may go through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lute.slurm.states import SlurmState
from simulators.slurm.request import JobRequest

TRANSITIONS: Mapping[SlurmState, frozenset[SlurmState]] = {
    SlurmState.PENDING: frozenset({SlurmState.RUNNING, SlurmState.CANCELLED}),
    SlurmState.RUNNING: frozenset(
        {SlurmState.COMPLETING, SlurmState.COMPLETED, SlurmState.FAILED, SlurmState.NODE_FAIL}
    ),
    SlurmState.COMPLETING: frozenset(
        {
            SlurmState.CANCELLED,
            SlurmState.TIMEOUT,
            SlurmState.PREEMPTED,
            SlurmState.NODE_FAIL,
            SlurmState.OUT_OF_MEMORY,
        }
    ),
}
"""From each state that is not final, the states that may follow."""


class ForbiddenTransitionError(Exception):
    """The controller tried to move a job to a state that cannot follow its own: a fault of the simulator."""


@dataclass(frozen=True)
class Node:
    """One computer: its name and its cores, each of one CPU."""

    name: str
    cpus: int


@dataclass(frozen=True)
class Partition:
    """A set of nodes that jobs ask for by name.

    Attributes:
        nodes: names of its nodes, in index order.
        is_default: True for the partition of a job that names none.
        max_time_min: the longest time limit, None for no limit.
    """

    name: str
    nodes: tuple[str, ...]
    is_default: bool = False
    max_time_min: int | None = None


@dataclass(frozen=True)
class Share:
    """What a job has of one node.

    Attributes:
        tasks: tasks placed there.
        cpus: cores that the job reports.
        held: cores that no other job may use; more than `cpus` where whole nodes are blocked.
    """

    node: str
    tasks: int
    cpus: int
    held: int


@dataclass
class Job:
    """One job of the cluster; only the controller changes it.

    Attributes:
        state: its state.
        reason: why it waits, or why it ended as it did, in Slurm's word.
        outcome: the final state it is heading for while COMPLETING.
        partition: where it runs; the partitions it asked for, comma separated, until then.
        shares: its cores, in node order; empty until it starts.
        exit_code: exit code of the script, 0 until it ended.
        exit_signal: signal that ended the script, or Slurm's own code in its place.
    """

    id: int
    request: JobRequest
    submit_time: datetime
    partition: str
    state: SlurmState = SlurmState.PENDING
    reason: str = "None"
    outcome: SlurmState | None = None
    shares: tuple[Share, ...] = ()
    start_time: datetime | None = None
    end_time: datetime | None = None
    exit_code: int = 0
    exit_signal: int = 0
    is_held: bool = False
    time_limit_min: int | None = None

    @property
    def is_placed(self) -> bool:
        """True while the job holds cores."""
        return self.state in (SlurmState.RUNNING, SlurmState.COMPLETING)

    @property
    def node_names(self) -> list[str]:
        """Names of its nodes, the first being where the script runs."""
        return [share.node for share in self.shares]

    @property
    def num_cpus(self) -> int:
        """Cores it has, or would have at least."""
        if self.shares:
            return sum(share.cpus for share in self.shares)
        return self.request.min_cpus

    @property
    def num_tasks(self) -> int:
        """Tasks it has, or would have at least."""
        if self.shares:
            return sum(share.tasks for share in self.shares)
        return self.request.min_tasks

    @property
    def num_nodes(self) -> int:
        """Nodes it has, or would have at least."""
        return len(self.shares) or max(1, self.request.min_nodes or 1)

    @property
    def priority(self) -> int:
        """Slurm's priority/basic: first come, first served (measured)."""
        return 4294901760 - self.id

    def move_to(self, state: SlurmState) -> None:
        """Change the state, as the table allows."""
        if state not in TRANSITIONS.get(self.state, ()):
            raise ForbiddenTransitionError(f"job {self.id}: {self.state} -> {state}")
        self.state = state


@dataclass
class Cluster:
    """Nodes, partitions and jobs.

    Attributes:
        reservations: names that `--reservation` accepts; they set no cores aside.
        jobs: every job in memory, by id, in order of submission.
    """

    name: str
    nodes: dict[str, Node]
    partitions: dict[str, Partition]
    reservations: frozenset[str] = frozenset()
    jobs: dict[int, Job] = field(default_factory=dict)
    next_id: int = 1

    def default_partition(self) -> Partition | None:
        """Return the partition of jobs that name none."""
        return next((part for part in self.partitions.values() if part.is_default), None)

    def free_cpus(self, node: str) -> int:
        """Return the cores of `node` that no job holds."""
        held = sum(
            share.held
            for job in self.jobs.values()
            if job.is_placed
            for share in job.shares
            if share.node == node
        )
        return self.nodes[node].cpus - held

    def take_id(self) -> int:
        """Return the next job id; a refused job may leave a gap (measured)."""
        self.next_id += 1
        return self.next_id - 1


def new_cluster(
    partitions: Mapping[str, Mapping[str, int]],
    *,
    name: str = "lute",
    reservations: frozenset[str] = frozenset(),
    max_time_min: int | None = None,
) -> Cluster:
    """Return a cluster of `partitions`: name -> node name -> cores; the first is the default."""
    nodes = {node: Node(node, cpus) for part in partitions.values() for node, cpus in part.items()}
    table = {
        part: Partition(part, tuple(members), is_default=index == 0, max_time_min=max_time_min)
        for index, (part, members) in enumerate(partitions.items())
    }
    return Cluster(name, nodes, table, reservations)


DEFAULT_PARTITIONS: Mapping[str, Mapping[str, int]] = {
    "milano": {f"sdfmilan{index:03d}": 128 for index in range(1, 5)},
    "ampere": {f"sdfampere{index:03d}": 64 for index in range(1, 3)},
}
"""A small S3DF: the site's names and cores per node, few nodes."""
