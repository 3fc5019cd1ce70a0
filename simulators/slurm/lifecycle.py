"""The life of jobs: waiting, starting, ending, running again, being forgotten."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.backfill import UNLIMITED_S, Backfill, effective_limit
from simulators.slurm.clockwork import Clockwork
from simulators.slurm.job import ArrayPlace, Job
from simulators.slurm.placement import Share
from simulators.slurm.queue import Queue, Running
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.scheduler import MainScheduler, is_throttled, waits_for
from simulators.slurm.state import Cluster, Partition


class Launcher(Protocol):
    """Runs the jobs that start."""

    def start(self, job: Job) -> None:
        """Run the script of `job`; report its end with `Controller.ended` or `Controller.launch_failed`."""

    def stop(self, job: Job, cause: str) -> None:
        """End `job`: SIGTERM, then SIGKILL after KillWait; `cause` ends the line in its output."""

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        """Send a signal to the script of `job` alone, or to all its processes."""


class Lifecycle:
    """Moves jobs from state to state.

    Args:
        cluster: its jobs are taken up as they are.
        agenda: its time, in POSIX seconds.
        launcher: runs the jobs.

    Attributes:
        queue, running: the jobs that wait and those that hold cores.
        on_change: called with a job after each change of it.
        on_end: called with a job that ended.
        on_forget: called with the id of a job that is forgotten.
    """

    def __init__(self, cluster: Cluster, agenda: Agenda, launcher: Launcher) -> None:
        self.queue, self.running = Queue(), Running()
        self.on_change: list[Callable[[Job], None]] = []
        self.on_end: list[Callable[[Job], None]] = []
        self.on_forget: list[Callable[[int], None]] = []
        self.launcher = launcher
        self.backfill = Backfill(cluster, self.queue, self.running, self.start)
        self._cluster = cluster
        self._agenda = agenda
        self._ended_jobs: deque[Job] = deque()
        self._main = MainScheduler(cluster, self.queue, self.start)
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

    def _take_up(self, job: Job) -> None:
        """Go on with a job of an earlier controller."""
        if job.state is SlurmState.PENDING:
            self.enqueue(job)
        elif job.is_placed:
            self.running.add(job)
            self._clockwork.limit_at(job.limit_end_s)
        else:
            self._remember_end(job)

    def enqueue(self, job: Job) -> None:
        """Put a pending job where it belongs, with its reason."""
        self.queue.remove(job)
        reason = waits_for(self._cluster, job, self._agenda.now_s)
        if reason:
            job.reason = reason
            self.queue.park(job)
            if job.eligible_s > self._agenda.now_s:
                self._agenda.at(job.eligible_s, self._clockwork.changed)
        else:
            wanted = set(job.request.partitions)
            blocked = any(wanted & set(other.request.partitions) for other in self.queue.ahead_of(job))
            job.reason = "Priority" if blocked else "None"
            self.queue.add(job)
        self._clockwork.changed()

    def drop(self, job: Job) -> None:
        """Cancel a job that waits."""
        job.start_s = job.end_s = self._agenda.now_s
        job.move_to(SlurmState.CANCELLED)
        self.queue.remove(job)
        self.finish(job)

    def changed(self) -> None:
        """Note that nodes or partitions changed: whoever waits may have a new reason, or start."""
        for job in self.queue.first():
            reason = waits_for(self._cluster, job, self._agenda.now_s)
            if reason:
                job.reason = reason
                self.queue.park(job)
                self.tell(job)
        self._clockwork.changed()

    def plan(self) -> None:
        """Work out when each waiting job is expected to start (`squeue --start`)."""
        self.backfill.plan(int(self._agenda.now_s))

    def stop(self, job: Job, outcome: SlurmState, reason: str, cause: str) -> None:
        job.outcome, job.reason = outcome, reason
        job.end_s = self._agenda.now_s
        job.move_to(SlurmState.COMPLETING)
        self.tell(job)
        self.launcher.stop(job, cause)

    def release(self, job: Job) -> None:
        """Take back the cores of a job that is over, and forget it or queue it again."""
        self.running.remove(job)
        if not len(self.running):
            self._clockwork.no_limits()
        self._cluster.release(job)
        if job.state is SlurmState.PENDING:
            self._requeued(job)
            self._clockwork.changed()
        else:
            self.finish(job)

    def finish(self, job: Job) -> None:
        """Note that a job is over for good."""
        self._remember_end(job)
        self.tell(job)
        for callback in self.on_end:
            callback(job)
        self._clockwork.changed()

    def split(self, job: Job, task_id: int) -> Job:
        """Return the record of one task: a new one, or the array's own for the last that waits (measured)."""
        array = job.array
        if array is None:
            return job
        array.waiting.remove(task_id)
        if not array.waiting:
            array.task_id = task_id
            return job
        task = replace(job, id=self._cluster.take_id(), array=ArrayPlace(array.job_id, task_id))
        self._cluster.jobs[task.id] = task
        self.tell(job)
        return task

    def set_limit_end(self, job: Job) -> None:
        """Note when the time limit of a job that has started ends its run."""
        self.running.remove(job)
        limit = job.time_limit_min
        start_s = int(job.start_s or 0)
        if limit is None or limit == UNLIMITED_MIN:
            job.limit_end_s = start_s + UNLIMITED_S
        else:
            job.limit_end_s = start_s + limit * 60
            self._clockwork.limit_at(job.limit_end_s)
        self.running.add(job)

    def is_requeued(self, job: Job) -> bool:
        """True if a job runs again after its node failed."""
        asked = job.request.requeue
        return self._cluster.conf.job_requeue if asked is None else asked

    def tell(self, job: Job) -> None:
        """Let everybody know that a job changed."""
        for callback in self.on_change:
            callback(job)

    def _run_main(self, whole_queue: bool) -> bool:
        self._look_at_waiting()
        return self._main.run(None if whole_queue else self._cluster.conf.scheduler.default_queue_depth)

    def _run_backfill(self) -> None:
        self._look_at_waiting()
        self.backfill.run(int(self._agenda.now_s))

    def _look_at_waiting(self) -> None:
        """Put those that wait for nothing but room any more among the jobs that may start."""
        for job in list(self.queue.waiting.values()):
            reason = waits_for(self._cluster, job, self._agenda.now_s)
            if not reason:
                job.reason = "Priority"
                self.queue.add(job)
            elif job.reason != reason:
                job.reason = reason
                self.tell(job)
            if reason == "DependencyNeverSatisfied" and job.request.kill_on_invalid_dependency:
                self.drop(job)

    def start(self, job: Job, partition: Partition, shares: tuple[Share, ...], scheduler: str) -> None:
        if job.array is not None and job.array.waiting:
            job = self.split(job, job.array.waiting[0])
        self.queue.remove(job)
        self._cluster.occupy(job, shares)
        job.partition, job.reason, job.scheduler = partition.name, "None", scheduler
        job.planned_start_s = None
        job.start_s = self._agenda.now_s
        if job.time_limit_min is None:
            limit = effective_limit(job, partition)
            # measured: backfill gives a year to a job that it starts and that has no limit at all
            is_open = limit == UNLIMITED_MIN and scheduler == "Backfill"
            job.time_limit_min = UNLIMITED_S // 60 if is_open else limit
        job.move_to(SlurmState.RUNNING)
        self.set_limit_end(job)
        if job.array is not None and is_throttled(self._cluster, job):
            self._hold_back(job.array.job_id)
        self.tell(job)
        self.launcher.start(job)

    def _hold_back(self, array_id: int) -> None:
        """Let the tasks of an array wait that might start: as many of them run as may."""
        for job in self.queue.first():
            if job.array is not None and job.array.job_id == array_id:
                job.reason = "JobArrayTaskLimit"
                self.queue.park(job)
                self.tell(job)

    def _requeued(self, job: Job) -> None:
        job.restarts += 1
        job.outcome = job.start_s = job.end_s = None
        job.shares, job.cores, job.node_names, job.node_mask = (), (), (), 0
        job.exit_code = job.exit_signal = 0
        job.partition = ",".join(job.request.partitions)
        job.submit_s = self._agenda.now_s
        job.eligible_s = self._agenda.now_s + self._cluster.conf.latencies.requeue_s
        if job.hold:
            job.priority = 0
        self.enqueue(job)
        self.tell(job)

    def _remember_end(self, job: Job) -> None:
        self._ended_jobs.append(job)
        self._clockwork.forget_at((job.end_s or self._agenda.now_s) + self._cluster.conf.min_job_age_s)

    def _sweep(self) -> None:
        """End the jobs that are beyond their time limits."""
        for limit_end_s, _, job in list(self.running.entries):
            if limit_end_s > self._agenda.now_s:
                self._clockwork.limit_at(limit_end_s)
                break
            if job.state is SlurmState.RUNNING:
                self.stop(job, SlurmState.TIMEOUT, "TimeLimit", " DUE TO TIME LIMIT")

    def _purge(self) -> None:
        """Forget the jobs that ended long ago."""
        age_s = self._cluster.conf.min_job_age_s
        while self._ended_jobs and (self._ended_jobs[0].end_s or 0) + age_s <= self._agenda.now_s:
            job = self._ended_jobs.popleft()
            del self._cluster.jobs[job.id]
            for callback in self.on_forget:
                callback(job.id)
        if self._ended_jobs:
            self._clockwork.forget_at((self._ended_jobs[0].end_s or 0) + age_s)
