"""The controller: the only code that changes the cluster. It knows neither processes nor sockets.

Its time is an agenda's and jobs run through a `Launcher`, so that it serves a virtual world and a real one.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.admission import Admission, RejectedError
from simulators.slurm.arrays import new_place
from simulators.slurm.backfill import UNLIMITED_S, Backfill, effective_limit, node_choice
from simulators.slurm.clockwork import Clockwork
from simulators.slurm.job import ArrayPlace, Job
from simulators.slurm.nodes import Nodes
from simulators.slurm.placement import Share
from simulators.slurm.queue import Queue, Running
from simulators.slurm.request import UNLIMITED_MIN, JobRequest
from simulators.slurm.scheduler import MainScheduler, is_throttled, waits_for
from simulators.slurm.state import Cluster, Partition
from simulators.slurm.willrun import Future

LAUNCH_FAILURE_CODE = 53
"""ExitCode 0:53 of a job whose script could not be started (measured)."""
OUT_OF_MEMORY_CODE = 125
"""ExitCode 0:125 of a job that ran out of memory, whatever its script did (measured)."""
NODE_FAILURE = " DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS"
REQUEUE = " DUE TO JOB REQUEUE"
REQUEUED_HELD = "job requeued in held state"


class UnknownJobError(Exception):
    """There is no such job in memory."""


class AlreadyEndedError(Exception):
    """The job is ending or has ended."""


class NotPendingError(Exception):
    """The job is not in the state that the change needs."""


class Launcher(Protocol):
    """Runs the jobs that the controller starts."""

    def start(self, job: Job) -> None:
        """Run the script of `job`; report its end with `Controller.ended` or `Controller.launch_failed`."""

    def stop(self, job: Job, cause: str) -> None:
        """End `job`: SIGTERM, then SIGKILL after KillWait; `cause` ends the line in its output."""

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        """Send a signal to the script of `job` alone, or to all its processes."""


class Controller:
    """Accepts, starts, ends and forgets jobs.

    Args:
        cluster: what it controls; jobs in it are taken up as they are.
        agenda: its time, in POSIX seconds.
        launcher: runs the jobs.

    Attributes:
        nodes: changes the state of nodes and partitions.
        on_change: called with a job after each change of it.
        on_end: called with a job that ended.
        on_forget: called with the id of a job that is forgotten.
    """

    def __init__(self, cluster: Cluster, agenda: Agenda, launcher: Launcher) -> None:
        self.cluster = cluster
        self.agenda = agenda
        self.on_change: list[Callable[[Job], None]] = []
        self.on_end: list[Callable[[Job], None]] = []
        self.on_forget: list[Callable[[int], None]] = []
        self.nodes = Nodes(self)
        self._launcher = launcher
        self._admission = Admission(cluster)
        self._queue = Queue()
        self._running = Running()
        self._ended_jobs: deque[Job] = deque()
        self._main = MainScheduler(cluster, self._queue, self._start)
        self._backfill = Backfill(cluster, self._queue, self._running, self._start)
        self._clockwork = Clockwork(
            agenda,
            cluster.conf,
            main=self._run_main,
            backfill=self._run_backfill,
            sweep=self._sweep,
            purge=self._purge,
        )
        for job in cluster.jobs.values():
            self._take_up(job)

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
        self.cluster.jobs[job.id] = job
        self._enqueue(job)
        self._tell(job)
        return job

    def test(self, request: JobRequest) -> tuple[Job, int, tuple[Share, ...]]:
        """Return the id that a job would have had, and when and where it would start (`--test-only`).

        Raises:
            RejectedError: it would not be accepted.
        """
        job = self._new_job(request)
        future = Future(self.cluster, self._running, int(self.now_s))
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
            job.start_s = job.end_s = self.now_s
            job.move_to(SlurmState.CANCELLED)
            self._queue.remove(job)
            self._finish(job)
        elif job.state is SlurmState.RUNNING:
            job.canceller_uid = uid
            self._stop(job, SlurmState.CANCELLED, "None", "")
        else:
            raise AlreadyEndedError(str(job_id))

    def split_task(self, job: Job, task_id: int) -> Job:
        """Give one waiting task of an array a record of its own, so that it can be cancelled alone."""
        if job.state is not SlurmState.PENDING or job.array is None or task_id not in job.array.waiting:
            raise UnknownJobError(f"{job.id}_{task_id}")
        task = self._split(job, task_id)
        if task is not job:
            self._enqueue(task)
            self._tell(task)
        return task

    def send(self, job_id: int, signal_number: int, *, script_only: bool) -> None:
        """Send a signal to a running job; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise AlreadyEndedError(str(job_id))
        self._launcher.send(job, signal_number, script_only=script_only)

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
        self._queue.remove(job)
        self._enqueue(job)
        self._tell(job)

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
            job.hold = "user"
        job.requeued_as = SlurmState.REQUEUED
        self._stop(job, SlurmState.PENDING, "None", REQUEUE)

    def set_time_limit(self, job_id: int, minutes: int) -> None:
        """Change the time limit of a job that has not ended; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state.is_final:
            raise AlreadyEndedError(str(job_id))
        job.time_limit_min = minutes
        if job.is_placed:
            self._running.remove(job)
            self._set_limit_end(job)
            self._running.add(job)
        else:
            self._queue.remove(job)
            self._enqueue(job)
        self._clockwork.changed()
        self._tell(job)

    def set_begin(self, job_id: int, begin_s: float) -> None:
        """Let a pending job start from `begin_s` on; raise UnknownJobError or NotPendingError."""
        job = self.job(job_id)
        if job.state is not SlurmState.PENDING:
            raise NotPendingError(str(job_id))
        job.eligible_s = begin_s
        self._queue.remove(job)
        self._enqueue(job)
        self._tell(job)

    def plan(self) -> None:
        """Work out when each waiting job is expected to start (`squeue --start`)."""
        self._backfill.plan(int(self.now_s))

    def changed(self) -> None:
        """Note that nodes or partitions changed: whoever waits may have a new reason, or start."""
        for job in self._queue.first():
            reason = waits_for(self.cluster, job, self.now_s)
            if reason:
                job.reason = reason
                self._queue.park(job)
                self._tell(job)
        self._clockwork.changed()

    def node_failed(self, index: int) -> None:
        """End or requeue the jobs of a node that failed."""
        for job in list(self._running):
            if job.state is SlurmState.RUNNING and job.node_mask >> index & 1:
                if self._is_requeued(job):
                    job.requeued_as = SlurmState.NODE_FAIL
                    self._stop(job, SlurmState.PENDING, "None", NODE_FAILURE)
                else:
                    self._stop(job, SlurmState.NODE_FAIL, "NodeDown", NODE_FAILURE)

    def preempt(self, job_id: int) -> None:
        """Take a running job's cores away, as a more important job would; it is requeued if it may be."""
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise AlreadyEndedError(str(job_id))
        job.requeued_as = SlurmState.PREEMPTED
        outcome = SlurmState.PENDING if self._is_requeued(job) else SlurmState.PREEMPTED
        self._stop(job, outcome, "None", " DUE TO PREEMPTION")

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
        self._release(job)

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

    def _take_up(self, job: Job) -> None:
        """Go on with a job of an earlier controller."""
        if job.state is SlurmState.PENDING:
            self._enqueue(job)
        elif job.is_placed:
            self._running.add(job)
            self._clockwork.limit_at(job.limit_end_s)
        else:
            self._remember_end(job)

    def _enqueue(self, job: Job) -> None:
        """Put a pending job where it belongs, with its reason."""
        reason = waits_for(self.cluster, job, self.now_s)
        if reason:
            job.reason = reason
            self._queue.park(job)
            if job.eligible_s > self.now_s:
                self.agenda.at(job.eligible_s, self._clockwork.changed)
        else:
            wanted = set(job.request.partitions)
            blocked = any(wanted & set(other.request.partitions) for other in self._queue.ahead_of(job))
            job.reason = "Priority" if blocked else "None"
            self._queue.add(job)
        self._clockwork.changed()

    def _run_main(self, whole_queue: bool) -> bool:
        self._look_at_waiting()
        return self._main.run(None if whole_queue else self.cluster.conf.scheduler.default_queue_depth)

    def _run_backfill(self) -> None:
        self._look_at_waiting()
        self._backfill.run(int(self.now_s))

    def _look_at_waiting(self) -> None:
        """Put those that wait for nothing but room any more among the jobs that may start."""
        for job in list(self._queue.waiting.values()):
            reason = waits_for(self.cluster, job, self.now_s)
            if not reason:
                job.reason = "Priority"
                self._queue.add(job)
            elif job.reason != reason:
                job.reason = reason
                self._tell(job)
            if reason == "DependencyNeverSatisfied" and job.request.kill_on_invalid_dependency:
                self.cancel(job.id)

    def _start(self, job: Job, partition: Partition, shares: tuple[Share, ...], scheduler: str) -> None:
        if job.array is not None and job.array.waiting:
            job = self._split(job, job.array.waiting[0])
        self._queue.remove(job)
        self.cluster.occupy(job, shares)
        job.partition, job.reason, job.scheduler = partition.name, "None", scheduler
        job.planned_start_s = None
        job.start_s = self.now_s
        if job.time_limit_min is None:
            limit = effective_limit(job, partition)
            # measured: without any limit a job gets a year once it starts
            job.time_limit_min = UNLIMITED_S // 60 if limit == UNLIMITED_MIN else limit
        self._set_limit_end(job)
        job.move_to(SlurmState.RUNNING)
        self._running.add(job)
        if job.array is not None and is_throttled(self.cluster, job):
            self._hold_back(job.array.job_id)
        self._tell(job)
        self._launcher.start(job)

    def _hold_back(self, array_id: int) -> None:
        """Let the tasks of an array wait that might start: as many of them run as may."""
        for job in self._queue.first():
            if job.array is not None and job.array.job_id == array_id:
                job.reason = "JobArrayTaskLimit"
                self._queue.park(job)
                self._tell(job)

    def _split(self, job: Job, task_id: int) -> Job:
        """Return the record of one task: a new one, or the array's own for the last that waits (measured)."""
        array = job.array
        if array is None:
            return job
        array.waiting.remove(task_id)
        if not array.waiting:
            array.task_id = task_id
            return job
        task = replace(job, id=self.cluster.take_id(), array=ArrayPlace(array.job_id, task_id))
        self.cluster.jobs[task.id] = task
        self._tell(job)
        return task

    def _set_limit_end(self, job: Job) -> None:
        limit = job.time_limit_min
        start_s = int(job.start_s or 0)
        if limit is None or limit == UNLIMITED_MIN:
            job.limit_end_s = start_s + UNLIMITED_S
        else:
            job.limit_end_s = start_s + limit * 60
            self._clockwork.limit_at(job.limit_end_s)

    def _stop(self, job: Job, outcome: SlurmState, reason: str, cause: str) -> None:
        job.outcome, job.reason = outcome, reason
        job.end_s = self.now_s
        job.move_to(SlurmState.COMPLETING)
        self._tell(job)
        self._launcher.stop(job, cause)

    def _is_requeued(self, job: Job) -> bool:
        asked = job.request.requeue
        return self.cluster.conf.job_requeue if asked is None else asked

    def _release(self, job: Job) -> None:
        """Take back the cores of a job that is over, and forget it or queue it again."""
        self._running.remove(job)
        if not len(self._running):
            self._clockwork.no_limits()
        self.cluster.release(job)
        if job.state is SlurmState.PENDING:
            self._requeued(job)
            self._clockwork.changed()
        else:
            self._finish(job)

    def _requeued(self, job: Job) -> None:
        job.restarts += 1
        job.outcome = job.start_s = job.end_s = None
        job.shares, job.cores, job.node_names, job.node_mask = (), (), (), 0
        job.exit_code = job.exit_signal = 0
        job.partition = ",".join(job.request.partitions)
        job.submit_s = self.now_s
        job.eligible_s = self.now_s + self.cluster.conf.latencies.requeue_s
        if job.hold:
            job.priority = 0
        self._enqueue(job)
        if job.hold:
            job.reason = REQUEUED_HELD
        self._tell(job)

    def _finish(self, job: Job) -> None:
        self._remember_end(job)
        self._tell(job)
        for callback in self.on_end:
            callback(job)
        self._clockwork.changed()

    def _remember_end(self, job: Job) -> None:
        self._ended_jobs.append(job)
        self._clockwork.forget_at((job.end_s or self.now_s) + self.cluster.conf.min_job_age_s)

    def _sweep(self) -> None:
        """End the jobs that are beyond their time limits."""
        for limit_end_s, _, job in list(self._running.entries):
            if limit_end_s > self.now_s:
                self._clockwork.limit_at(limit_end_s)
                break
            if job.state is SlurmState.RUNNING:
                self._stop(job, SlurmState.TIMEOUT, "TimeLimit", " DUE TO TIME LIMIT")

    def _purge(self) -> None:
        """Forget the jobs that ended long ago."""
        age_s = self.cluster.conf.min_job_age_s
        while self._ended_jobs and (self._ended_jobs[0].end_s or 0) + age_s <= self.now_s:
            job = self._ended_jobs.popleft()
            del self.cluster.jobs[job.id]
            for callback in self.on_forget:
                callback(job.id)
        if self._ended_jobs:
            self._clockwork.forget_at((self._ended_jobs[0].end_s or 0) + age_s)

    def _tell(self, job: Job) -> None:
        for callback in self.on_change:
            callback(job)
