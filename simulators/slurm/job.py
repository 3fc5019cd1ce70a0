"""A job, and the states it may go through."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lute.slurm.states import SlurmState
from simulators.slurm.placement import Share
from simulators.slurm.request import JobRequest

TRANSITIONS: Mapping[SlurmState, frozenset[SlurmState]] = {
    SlurmState.PENDING: frozenset({SlurmState.RUNNING, SlurmState.CANCELLED}),
    SlurmState.RUNNING: frozenset(
        {SlurmState.COMPLETING, SlurmState.COMPLETED, SlurmState.FAILED, SlurmState.OUT_OF_MEMORY}
    ),
    SlurmState.COMPLETING: frozenset(
        {
            SlurmState.CANCELLED,
            SlurmState.TIMEOUT,
            SlurmState.PREEMPTED,
            SlurmState.NODE_FAIL,
            SlurmState.PENDING,
        }
    ),
}
"""From each state that is not final, the states that may follow; PENDING again is a requeue."""


class ForbiddenTransitionError(Exception):
    """The controller tried to move a job to a state that cannot follow its own: a fault of the simulator."""


@dataclass(slots=True)
class ArrayPlace:
    """Where a job stands in an array.

    Attributes:
        job_id: the array's id, shared by all its tasks.
        task_id: the task; None while the record stands for several that wait.
        waiting: the tasks that wait, ascending; empty for a single task.
    """

    job_id: int
    task_id: int | None = None
    waiting: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Job:
    """One job of the cluster; only the controller changes it. Times are POSIX seconds.

    Attributes:
        state: its state.
        reason: why it waits, or why it ended as it did, in Slurm's word.
        outcome: the state it is heading for while COMPLETING.
        partition: where it runs; the partitions it asked for, comma separated, until then.
        priority: the higher, the earlier; 0 while held.
        shares: its cores, in node order; empty until it starts.
        cores: the set of its cores on each of its nodes.
        node_names: names of its nodes, the first being where the script runs.
        node_mask: the set of its nodes.
        held_cpus: cores that no other job may use.
        eligible_s: when it may start at the earliest.
        limit_end_s: when its time limit ends its run, whole seconds; far away without a limit.
        planned_start_s: when backfill expects it to start; None if it did not say.
        scheduler: `Main` or `Backfill`, whoever looked at it last.
        exit_code: exit code of the script, 0 until it ended.
        exit_signal: signal that ended the script, or Slurm's own code in its place.
        hold: empty, `user`, `admin` or `requeued`.
        restarts: how often it was requeued.
        requeued_as: as what its last run before a requeue ended.
        canceller_uid: who cancelled it, None if nobody did.
    """

    id: int
    request: JobRequest
    submit_s: float
    partition: str
    priority: int
    state: SlurmState = SlurmState.PENDING
    reason: str = "None"
    outcome: SlurmState | None = None
    shares: tuple[Share, ...] = ()
    cores: tuple[int, ...] = ()
    node_names: tuple[str, ...] = ()
    node_mask: int = 0
    held_cpus: int = 0
    eligible_s: float = 0.0
    start_s: float | None = None
    end_s: float | None = None
    limit_end_s: int = 0
    planned_start_s: int | None = None
    scheduler: str = "Main"
    exit_code: int = 0
    exit_signal: int = 0
    hold: str = ""
    time_limit_min: int | None = None
    restarts: int = 0
    requeued_as: SlurmState | None = None
    canceller_uid: int | None = None
    array: ArrayPlace | None = None

    @property
    def is_placed(self) -> bool:
        """True while the job holds cores."""
        return self.state is SlurmState.RUNNING or self.state is SlurmState.COMPLETING

    @property
    def min_cpus(self) -> int:
        """Cores it needs at least."""
        return self.request.geometry.min_cpus

    @property
    def num_cpus(self) -> int:
        """Cores it has, or would have at least."""
        if self.shares:
            return sum(share.cpus for share in self.shares)
        return self.request.geometry.min_cpus

    @property
    def num_tasks(self) -> int:
        """Tasks it has, or would have at least."""
        if self.shares:
            return sum(share.tasks for share in self.shares)
        return self.request.geometry.min_tasks

    @property
    def num_nodes(self) -> int:
        """Nodes it has, or would have at least."""
        return len(self.shares) or max(1, self.request.geometry.min_nodes or 1)

    def move_to(self, state: SlurmState) -> None:
        """Change the state, as the table allows."""
        if state not in TRANSITIONS.get(self.state, ()):
            raise ForbiddenTransitionError(f"job {self.id}: {self.state} -> {state}")
        self.state = state
