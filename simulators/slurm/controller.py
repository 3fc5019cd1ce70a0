"""The controller: all that may be asked of the cluster. It knows neither processes nor sockets."""

from dataclasses import replace

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.admission import Admission, RejectedError
from simulators.slurm.arrays import new_place
from simulators.slurm.backfill import node_choice
from simulators.slurm.job import Job
from simulators.slurm.lifecycle import Launcher, Lifecycle
from simulators.slurm.nodes import Nodes
from simulators.slurm.placement import Share
from simulators.slurm.request import JobRequest
from simulators.slurm.state import Cluster
from simulators.slurm.willrun import Future

LAUNCH_FAILURE_CODE = 53
"""ExitCode 0:53 of a job whose script could not be started (measured)."""
OUT_OF_MEMORY_CODE = 125
"""ExitCode 0:125 of a job that ran out of memory, whatever its script did (measured)."""
NODE_FAILURE = " DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS"
REQUEUE = " DUE TO JOB REQUEUE"
PREEMPTION = " DUE TO PREEMPTION"


class UnknownJobError(Exception):
    """There is no such job in memory."""


class AlreadyEndedError(Exception):
    """The job is ending or has ended."""


class NotPendingError(Exception):
    """The job is not in the state that the change needs."""


class Controller:
    """Accepts jobs and orders, and hears how jobs end.

    Args:
        cluster: what it controls; jobs in it are taken up as they are.
        agenda: its time, in POSIX seconds.
        launcher: runs the jobs.

    Attributes:
        life: what happens to the jobs.
        nodes: changes the state of nodes and partitions.
    """

    def __init__(self, cluster: Cluster, agenda: Agenda, launcher: Launcher) -> None:
        self.cluster = cluster
        self.agenda = agenda
        self.life = Lifecycle(cluster, agenda, launcher)
        self.nodes = Nodes(self)
        self._admission = Admission(cluster)

    @property
    def now_s(self) -> float:
        """The time in POSIX seconds."""
        return self.agenda.now_s

    def submit(self, request: JobRequest) -> Job:
        """Take a job into the queue.

        Raises:
            RejectedError: it is not accepted; its id may be lost (measured).
        """
        job = self._new_job(request)
        self.life.enqueue(job)
        self.cluster.jobs[job.id] = job
        self.life.tell(job)
        return job

    def test(self, request: JobRequest) -> tuple[Job, int, tuple[Share, ...]]:
        """Return the id that a job would have had, and when and where it would start (`--test-only`).

        Raises:
            RejectedError: it would not be accepted.
        """
        job = self._new_job(request)
        future = Future(self.cluster, self.life.running, int(self.now_s))
        for name in request.partitions:
            required, allowed = node_choice(self.cluster, job, self.cluster.partitions[name])
            opening = future.opening(job, allowed, required)
            if opening is not None:
                job.partition = name
                return job, opening.start_s, future.shares(job, opening)
        raise RejectedError("Requested node configuration is not available")

    def job(self, job_id: int) -> Job:
        """Return a job in memory; raise UnknownJobError if there is none."""
        try:
            return self.cluster.jobs[job_id]
        except KeyError:
            raise UnknownJobError(str(job_id)) from None

    def cancel(self, job_id: int, uid: int | None = None) -> None:
        """End a job from outside; raise UnknownJobError or AlreadyEndedError.

        Args:
            uid: who does it, None for Slurm itself.
        """
        job = self.job(job_id)
        if job.state is SlurmState.PENDING:
            job.canceller_uid = uid
            self.life.drop(job)
        elif job.state is SlurmState.RUNNING:
            job.canceller_uid = uid
            self.life.stop(job, SlurmState.CANCELLED, "None", "")
        elif job.state is SlurmState.COMPLETING and job.outcome is SlurmState.PENDING:
            # As slurmctld's _job_signal: a job on its way back into the queue does not get there.
            job.canceller_uid, job.outcome = uid, SlurmState.CANCELLED
        else:
            raise AlreadyEndedError(str(job_id))

    def split_task(self, job: Job, task_id: int) -> Job:
        """Give one waiting task of an array a record of its own, so that it can be cancelled alone."""
        if job.state is not SlurmState.PENDING or job.array is None or task_id not in job.array.waiting:
            raise UnknownJobError(f"{job.id}_{task_id}")
        task = self.life.split(job, task_id)
        if task is not job:
            self.life.enqueue(task)
            self.life.tell(task)
        return task

    def send(self, job_id: int, signal_number: int, *, script_only: bool) -> None:
        """Send a signal to a running job; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise AlreadyEndedError(str(job_id))
        self.life.launcher.send(job, signal_number, script_only=script_only)

    def hold(self, job_id: int, *, by: str) -> None:
        """Hold a pending job by `user` or `admin`; release it with an empty `by`.

        Raises:
            UnknownJobError: there is no such job.
            NotPendingError: it does not wait.
        """
        job = self.job(job_id)
        if job.state is not SlurmState.PENDING:
            raise NotPendingError(str(job_id))
        if by:
            job.priority = 0
        elif job.hold:
            job.priority = self.cluster.take_priority() - job.request.nice
        job.hold = by
        self.life.enqueue(job)
        self.life.tell(job)

    def requeue(self, job_id: int, *, hold: bool = False) -> None:
        """Run a job again, from the beginning, later (`scontrol requeue`).

        Raises:
            UnknownJobError: there is no such job.
            NotPendingError: it does not run.
        """
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise NotPendingError(str(job_id))
        if hold:
            job.hold = "requeued"
        job.requeued_as = SlurmState.REQUEUED
        self.life.stop(job, SlurmState.PENDING, "None", REQUEUE)

    def set_time_limit(self, job_id: int, minutes: int) -> None:
        """Change the time limit of a job that has not ended; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state.is_final:
            raise AlreadyEndedError(str(job_id))
        job.time_limit_min = minutes
        if job.is_placed:
            self.life.set_limit_end(job)
        else:
            self.life.enqueue(job)
        self.life.tell(job)

    def set_begin(self, job_id: int, begin_s: float) -> None:
        """Let a pending job start from `begin_s` on; raise UnknownJobError or NotPendingError."""
        job = self.job(job_id)
        if job.state is not SlurmState.PENDING:
            raise NotPendingError(str(job_id))
        job.eligible_s = begin_s
        self.life.enqueue(job)
        self.life.tell(job)

    def node_failed(self, index: int) -> None:
        """End or requeue the jobs of a node that failed."""
        for job in list(self.life.running):
            if job.state is SlurmState.RUNNING and job.node_mask >> index & 1:
                if self.life.is_requeued(job):
                    job.requeued_as = SlurmState.NODE_FAIL
                    self.life.stop(job, SlurmState.PENDING, "None", NODE_FAILURE)
                else:
                    self.life.stop(job, SlurmState.NODE_FAIL, "NodeDown", NODE_FAILURE)

    def preempt(self, job_id: int) -> None:
        """Take a running job's cores away, as a more important job would; it is requeued if it may be."""
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise AlreadyEndedError(str(job_id))
        job.requeued_as = SlurmState.PREEMPTED
        outcome = SlurmState.PENDING if self.life.is_requeued(job) else SlurmState.PREEMPTED
        self.life.stop(job, outcome, "None", PREEMPTION)

    def ended(self, job_id: int, exit_code: int, exit_signal: int, *, out_of_memory: bool = False) -> None:
        """Note that the script of a job ended, and that no process of it is left."""
        job = self.job(job_id)
        job.exit_code, job.exit_signal = exit_code, exit_signal
        if job.state is SlurmState.COMPLETING and job.outcome is not None:
            job.move_to(job.outcome)
        else:
            job.end_s = self.now_s
            job.reason = "None"
            if out_of_memory:
                job.exit_code, job.exit_signal, job.reason = 0, OUT_OF_MEMORY_CODE, "OutOfMemory"
                job.move_to(SlurmState.OUT_OF_MEMORY)
            elif exit_signal:  # measured: not what one expects, but what 22.05 says
                job.reason = "JobLaunchFailure"
                job.move_to(SlurmState.FAILED)
            elif exit_code:
                job.reason = "NonZeroExitCode"
                job.move_to(SlurmState.FAILED)
            else:
                job.move_to(SlurmState.COMPLETED)
        self.life.release(job)

    def launch_failed(self, job_id: int) -> None:
        """Note that a job could not be started: no working directory, no output file."""
        self.ended(job_id, 0, LAUNCH_FAILURE_CODE)

    def _new_job(self, request: JobRequest) -> Job:
        if request.account != request.account.lower():
            request = replace(request, account=request.account.lower())  # measured: names are case-folded
        if not request.account and self.cluster.conf.accounts:
            request = replace(request, account=self.cluster.conf.accounts[0])
        self._admission.check(request)
        job_id = self.cluster.take_id()
        hold = "user" if request.hold else ""
        job = Job(
            id=job_id,
            request=request,
            submit_s=self.now_s,
            partition=",".join(request.partitions),
            priority=0 if hold else self.cluster.take_priority() - request.nice,
            eligible_s=request.begin_s,
            hold=hold,
            time_limit_min=request.time_limit_min,
            array=new_place(job_id, request.array),
        )
        self._admission.check_nodes(job)
        return job
