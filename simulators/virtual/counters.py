"""What the Executor of each job tells the eLog: the status of its Task, at its start and at its end."""

from collections.abc import Callable, Mapping

from lute.arp.counters import Counters, CountersError
from lute.seams import Runtime
from lute.slurm.states import SlurmState
from lute.tasks.result import TaskStatus
from simulators.kernel.actors import Actors
from simulators.slurm.job import Job

_REPORTED: Mapping[SlurmState, TaskStatus] = {
    SlurmState.RUNNING: TaskStatus.RUNNING,
    SlurmState.COMPLETED: TaskStatus.COMPLETED,
    SlurmState.FAILED: TaskStatus.FAILED,
    SlurmState.CANCELLED: TaskStatus.CANCELLED,
    SlurmState.TIMEOUT: TaskStatus.CANCELLED,
    SlurmState.PREEMPTED: TaskStatus.CANCELLED,
}
"""Of other ends (its node died, the kernel killed it) the Executor cannot tell."""
_START_S = 0.2
"""Until the Executor's own first line."""


class CounterReports:
    """Reports with production's own client, in an actor for each report: the job does not wait for it.

    Args:
        wants: tells whether a job reports.
        say: adds a line to what a job prints.
    """

    def __init__(
        self,
        actors: Actors,
        runtime: Callable[[], Runtime],
        wants: Callable[[Job], bool],
        say: Callable[[Job, str], None],
    ) -> None:
        self._actors = actors
        self._runtime = runtime
        self._wants = wants
        self._say = say
        self._told: dict[int, TaskStatus] = {}

    def changed(self, job: Job) -> None:
        """Take note of a change of a job."""
        status = _REPORTED.get(job.state)
        has_run = job.id in self._told or job.state is SlurmState.RUNNING
        if status is None or not has_run or self._told.get(job.id) is status or not self._wants(job):
            return
        self._told[job.id] = status
        counters = Counters.from_environment(job.request.env, self._runtime())
        if counters is not None:
            self._actors.spawn(f"executor of job {job.id}", lambda: self._report(counters, job, status))

    def _report(self, counters: Counters, job: Job, status: TaskStatus) -> None:
        self._actors.sleep(_START_S)
        try:
            counters.update({f"{job.request.name} status": str(status.value)})
        except CountersError as error:
            # As the Executor: what others make of its report never changes the verdict.
            self._say(job, f"LUTE: the status {status.value} could not be reported: {error}\n")
