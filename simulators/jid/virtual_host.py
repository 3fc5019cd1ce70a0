"""The batch host of the virtual world: submit_slurm.sh's stand-in, and Slurm in process."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import PurePosixPath

from lute.seams.commands import CommandTimeout, Completed
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState
from simulators.jid import submit_script
from simulators.jid.host import START_LIMIT_S, HostError, reported_job
from simulators.jid.submit_once import Records, Submitter
from simulators.slurm import patterns
from simulators.slurm.commands.fields import end_time_s, start_time_s
from simulators.slurm.hostlist import compress
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster
from simulators.slurm.virtual import VirtualSlurm


class VirtualHost:
    """One host; see `simulators.jid.host.TimedHost`.

    It knows one script, `submit_slurm.sh`, in whatever folder.

    Args:
        slurm: its Slurm.
        env: the environment of everything it runs.
        work_dir: where submit scripts run; None for the home of whom the cluster runs as.
        is_file: tells whether there is a file (the Tasks' configuration) at an absolute path.

    Attributes:
        records: of the submissions.
    """

    def __init__(
        self,
        slurm: VirtualSlurm,
        env: Mapping[str, str] | None = None,
        work_dir: str | None = None,
        *,
        is_file: Callable[[str], bool] = lambda _path: True,
    ) -> None:
        self._slurm = slurm
        self._env = {**slurm.env, **(env or {})}
        self._work_dir = PurePosixPath(work_dir or slurm.person.home)
        self._is_file = is_file
        self._commands = SlurmCommands(slurm, self._env)
        self._took_s = 0.0
        self.records = Records()
        self._shown: dict[int, tuple[tuple[object, ...], SlurmJob]] = {}
        slurm.controller.life.on_forget.append(self._forget)
        slurm.controller.life.on_change.append(self._note_end)

    def submit(self, executable: str, parameters: str, env: Mapping[str, str]) -> str:
        """Run a submit script; see `simulators.jid.host.Host.submit`."""
        try:
            argv = [executable, *shlex.split(parameters)]
            if any("\0" in text for text in (*argv, *env.values())):
                raise ValueError("embedded null byte")  # as Python says when it starts a process
        except ValueError as error:
            raise HostError(f"the parameters are no command line: {error}") from error
        if not executable.endswith(f"/{submit_script.NAME}"):
            raise HostError(f"{executable} cannot be run: No such file or directory")
        now = datetime.fromtimestamp(self._slurm.agenda.now_s, UTC)
        try:
            return reported_job(executable, self._run_script(argv, self._env | dict(env), now))
        except _OutOfTime as error:
            raise HostError(f"{executable} did not return within {START_LIMIT_S:.0f} s") from error

    def jobs(self, job_ids: Sequence[str]) -> dict[str, SlurmJob]:
        """Return what Slurm knows; the same as `scontrol show job` says, without the text where possible.

        Of a job that waits, the start is the one that backfill expected when it last looked.
        """
        found: dict[str, SlurmJob] = {}
        for job_id in dict.fromkeys(job_ids):
            record = self._record(job_id)
            if record is None:
                with self._counting():
                    record = self._commands.job(job_id)
            if record is not None:
                found[job_id] = record
        return found

    def cancel(self, job_id: str) -> None:
        """Run scancel."""
        with self._counting():
            self._commands.cancel(job_id)

    def read_text(self, path: str) -> str:
        """Return what a job printed, broken UTF-8 replaced."""
        try:
            text = self._slurm.files[path]
        except KeyError:
            raise HostError(f"{path} cannot be read: No such file or directory") from None
        return text if text.isascii() else text.encode(errors="surrogateescape").decode(errors="replace")

    def take_took_s(self) -> float:
        """Return how long Slurm's commands would have taken since the last call."""
        took_s, self._took_s = self._took_s, 0.0
        return took_s

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count how long the command inside takes; of several, all but the last take no time."""
        try:
            yield
        finally:
            self._took_s += self._slurm.took_s

    def _run_script(self, argv: Sequence[str], env: Mapping[str, str], now: datetime) -> Completed:
        does = submit_script.submit(argv, env, now, cwd=str(self._work_dir), is_file=self._is_file)
        if isinstance(does, submit_script.Refusal):
            return Completed(does.exit_code, does.stdout, does.stderr)
        limit = _Limit(self._slurm, does.env, self._work_dir)
        try:
            if does.once is None:
                done = limit.run(does.argv, START_LIMIT_S)
            else:
                submitter = Submitter(does.once, self.records, limit.run, now.timestamp())
                done = submitter.call(does.argv)
                limit.took_s += submitter.waited_s
        finally:
            self._took_s += min(limit.took_s, START_LIMIT_S)
        return Completed(done.exit_code, done.stdout, does.stderr + done.stderr)

    def _forget(self, job_id: int) -> None:
        self._shown.pop(job_id, None)

    def _note_end(self, job: Job) -> None:
        """Keep what a job's own script leaves: its exit code, unless something of it was killed."""
        ended_itself = job.state in (SlurmState.COMPLETED, SlurmState.FAILED) and not job.exit_signal
        if ended_itself and job.request.comment:
            self.records.ended(job.request.comment, job.id, job.exit_code)

    def _record(self, job_id: str) -> SlurmJob | None:
        """Return a job without asking scontrol, None where scontrol must be asked."""
        slurm = self._slurm
        if slurm.is_down or not (job_id.isascii() and job_id.isdigit()):
            return None
        job = slurm.cluster.jobs.get(int(job_id))
        if job is None:
            return None
        # What changes while the rest stays; a job that ran again in between became eligible again.
        shown = job.state, job.reason, job.planned_start_s, job.eligible_s, job.time_limit_min
        known = self._shown.get(job.id)
        if known is None or known[0] != shown:
            known = self._shown[job.id] = shown, slurm_job(job, slurm.cluster)
        return known[1]


class _Limit:
    """The time that the JID gives a script: its commands share it."""

    def __init__(self, slurm: VirtualSlurm, env: Mapping[str, str], work_dir: PurePosixPath) -> None:
        self.took_s = 0.0
        self._slurm = slurm
        self._env = env
        self._work_dir = work_dir

    def run(self, argv: Sequence[str], timeout_s: float) -> Completed:
        left_s = START_LIMIT_S - self.took_s
        try:
            done = self._slurm.run(argv, timeout_s=min(timeout_s, left_s), env=self._env, cwd=self._work_dir)
        except CommandTimeout as error:
            self.took_s += min(timeout_s, left_s)
            if left_s <= timeout_s:
                raise _OutOfTime from error
            raise
        self.took_s += self._slurm.took_s
        return done


class _OutOfTime(Exception):
    """The JID ends the script."""


def slurm_job(job: Job, cluster: Cluster) -> SlurmJob:
    """Return what `scontrol show job` says first of a job, read (a test compares them)."""
    request = job.request
    return SlurmJob(
        job_id=str(job.id),
        name=request.name,
        state=job.state,
        reason="" if job.reason == "None" else job.reason.replace(" ", "_"),
        exit_code=f"{job.exit_code}:{job.exit_signal}",
        nodes=compress(job.node_names),
        num_cpus=job.num_cpus,
        partition=job.partition,
        account=request.account,
        submit_time=_moment(job.submit_s),
        start_time=_moment(start_time_s(job)),
        end_time=_moment(end_time_s(job, cluster)),
        stdout_path=patterns.shown(patterns.output_pattern(job), job),
        work_dir=request.work_dir,
    )


def _moment(time_s: float | None) -> datetime | None:
    """Return POSIX seconds as Slurm prints them: whole ones."""
    return None if time_s is None else datetime.fromtimestamp(int(time_s), UTC)
