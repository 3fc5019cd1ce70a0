"""The controller: the only code that changes the cluster. It knows neither processes nor sockets.

Time comes from a function and jobs run through a `Launcher`, so that it works on a virtual clock as well.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from lute.slurm.states import SlurmState
from simulators.slurm.dependency import is_valid
from simulators.slurm.placement import place
from simulators.slurm.request import UNLIMITED_MIN, JobRequest
from simulators.slurm.scheduler import partition_limit, plan, rooms_of
from simulators.slurm.state import Cluster, Job

LAUNCH_FAILURE_CODE = 53
"""ExitCode 0:53 of a job whose script could not be started (measured)."""


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


class UnknownJobError(Exception):
    """There is no such job in memory."""


class AlreadyEndedError(Exception):
    """The job is ending or has ended."""


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
        cluster: what it controls.
        now: returns the time, timezone-aware.
        launcher: runs the jobs.
        min_job_age_s: a finished job is forgotten after so many seconds (Slurm's MinJobAge, default 300).
        limit_sweep_s: seconds between two looks at the time limits (measured: 30).
    """

    def __init__(
        self,
        cluster: Cluster,
        now: Callable[[], datetime],
        launcher: Launcher,
        *,
        min_job_age_s: float = 300,
        limit_sweep_s: float = 30,
    ) -> None:
        self.cluster = cluster
        self.now = now
        self.on_end: list[Callable[[Job], None]] = []
        self._launcher = launcher
        self._min_job_age = timedelta(seconds=min_job_age_s)
        self._limit_sweep = timedelta(seconds=limit_sweep_s)
        self._last_sweep = now()

    def submit(self, request: JobRequest) -> Job:
        """Take a job into the queue and start it if it fits.

        Raises:
            RejectedError: it is not accepted; its id may be lost (measured).
        """
        partitions = self._check(request)
        job_id = self.cluster.take_id()
        job = Job(
            id=job_id,
            request=request,
            submit_time=self.now(),
            partition=",".join(partitions),
            is_held=request.hold,
            time_limit_min=request.time_limit_min or UNLIMITED_MIN,
        )
        self._check_nodes(job)
        self.cluster.jobs[job_id] = job
        self.schedule()
        return job

    def job(self, job_id: int) -> Job:
        """Return a job in memory; raise UnknownJobError if there is none."""
        try:
            return self.cluster.jobs[job_id]
        except KeyError:
            raise UnknownJobError(str(job_id)) from None

    def cancel(self, job_id: int) -> None:
        """End a job from outside; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state is SlurmState.PENDING:
            job.start_time = job.end_time = self.now()
            job.move_to(SlurmState.CANCELLED)
            self._ended(job)
        elif job.state is SlurmState.RUNNING:
            self._stop(job, SlurmState.CANCELLED, "None", "")
        else:
            raise AlreadyEndedError(str(job_id))

    def send(self, job_id: int, signal_number: int, *, script_only: bool) -> None:
        """Send a signal to a running job; raise UnknownJobError or AlreadyEndedError."""
        job = self.job(job_id)
        if job.state is not SlurmState.RUNNING:
            raise AlreadyEndedError(str(job_id))
        self._launcher.send(job, signal_number, script_only=script_only)

    def hold(self, job_id: int, *, held: bool) -> None:
        """Hold a pending job, or release it."""
        job = self.job(job_id)
        if job.state is not SlurmState.PENDING:
            raise AlreadyEndedError(str(job_id))
        job.is_held = held
        job.reason = "JobHeldUser" if held else "None"
        self.schedule()

    def ended(self, job_id: int, exit_code: int, exit_signal: int) -> None:
        """Note that the script of a job ended, and that no process of it is left."""
        job = self.job(job_id)
        job.exit_code, job.exit_signal = exit_code, exit_signal
        if job.state is SlurmState.COMPLETING and job.outcome is not None:
            job.move_to(job.outcome)
        else:
            job.end_time = self.now()
            failed = bool(exit_code or exit_signal)
            job.move_to(SlurmState.FAILED if failed else SlurmState.COMPLETED)
            if exit_signal:  # measured: not what one expects, but what 22.05 says
                job.reason = "JobLaunchFailure"
            elif exit_code:
                job.reason = "NonZeroExitCode"
        self._ended(job)
        self.schedule()

    def launch_failed(self, job_id: int) -> None:
        """Note that a job could not be started: no working directory, no output file."""
        job = self.job(job_id)
        if job.state is SlurmState.RUNNING:
            job.end_time = self.now()
            job.reason = "JobLaunchFailure"
            job.exit_signal = LAUNCH_FAILURE_CODE
            job.move_to(SlurmState.FAILED)
            self._ended(job)
            self.schedule()
        else:
            self.ended(job_id, 0, LAUNCH_FAILURE_CODE)

    def tick(self) -> None:
        """Do what is due by now: time limits and forgetting. Call it every second or so."""
        now = self.now()
        for job in list(self.cluster.jobs.values()):
            if job.state.is_final and job.end_time and now - job.end_time >= self._min_job_age:
                del self.cluster.jobs[job.id]
        if now - self._last_sweep >= self._limit_sweep:
            self._last_sweep = now
            for job in list(self.cluster.jobs.values()):
                if job.state is SlurmState.RUNNING and self._is_over_time(job, now):
                    self._stop(job, SlurmState.TIMEOUT, "TimeLimit", " DUE TO TIME LIMIT")
        self.schedule()

    def schedule(self) -> None:
        """Start every job that may start now."""
        decided = plan(self.cluster)
        for job_id, reason in decided.reasons.items():
            self.cluster.jobs[job_id].reason = reason
        for start in decided.starts:
            job = self.cluster.jobs[start.job_id]
            partition = self.cluster.partitions[start.partition]
            job.partition, job.shares, job.reason = start.partition, start.shares, "None"
            job.start_time = self.now()
            if job.request.time_limit_min is None:
                job.time_limit_min = partition.max_time_min or UNLIMITED_MIN
            job.move_to(SlurmState.RUNNING)
            self._launcher.start(job)
        for job_id in decided.invalid:
            if self.cluster.jobs[job_id].request.kill_on_invalid_dependency:
                self.cancel(job_id)

    def _stop(self, job: Job, outcome: SlurmState, reason: str, cause: str) -> None:
        job.outcome, job.reason = outcome, reason
        job.end_time = self.now()
        job.move_to(SlurmState.COMPLETING)
        self._launcher.stop(job, cause)

    def _ended(self, job: Job) -> None:
        for callback in list(self.on_end):
            callback(job)

    @staticmethod
    def _is_over_time(job: Job, now: datetime) -> bool:
        limit = job.time_limit_min
        if limit is None or limit == UNLIMITED_MIN or job.start_time is None:
            return False
        return now - job.start_time >= timedelta(minutes=limit)

    def _check(self, request: JobRequest) -> list[str]:
        if not request.partitions:
            raise RejectedError("No partition specified or system default partition")
        for name in request.partitions:
            if name not in self.cluster.partitions:
                raise RejectedError(
                    "Invalid partition name specified", f"invalid partition specified: {name}"
                )
        if request.reservation and not set(request.reservation.split(",")) <= self.cluster.reservations:
            raise RejectedError("Requested reservation is invalid")
        if not is_valid(request.dependency):
            raise RejectedError("Job dependency problem")
        if request.geometry.max_nodes == 0:
            raise RejectedError("Node count specification invalid")
        return list(request.partitions)

    def _check_nodes(self, job: Job) -> None:
        """Refuse a job that does not fit on the empty cluster, unless it exceeds a limit (measured)."""
        geometry = job.request.geometry
        refusal = "Requested node configuration is not available"
        for name in job.request.partitions:
            partition = self.cluster.partitions[name]
            rooms = rooms_of(self.cluster, partition)
            if geometry.cpus > max(room.cpus for room in rooms):
                continue
            if partition_limit(self.cluster, partition, job) or place(geometry, rooms):
                return
        biggest = max(
            self.cluster.nodes[node].cpus
            for name in job.request.partitions
            for node in self.cluster.partitions[name].nodes
        )
        too_wide = geometry.cpus > biggest
        raise RejectedError(refusal, "CPU count per node can not be satisfied" if too_wide else "")
