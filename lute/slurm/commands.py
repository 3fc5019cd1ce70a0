"""Asking Slurm about jobs, and cancelling them, with its own commands."""

import re
from collections.abc import Iterable, Mapping, Sequence

from lute.errors import ConfigError, PermanentError, TransientError
from lute.seams.commands import CommandRunner, CommandTimeout, Completed
from lute.slurm.records import (
    MARK_FORMAT,
    QUEUE_FORMAT,
    MarkedJob,
    QueueEntry,
    SlurmJob,
    parse_job,
    parse_marks,
    parse_queue,
)

_UNKNOWN = "Invalid job id specified"
_TRANSIENT = (
    "Unable to contact slurm controller",
    "Socket timed out",
    "Zero Bytes were transmitted",
    "Connection refused",
    "Connection timed out",
    "Resource temporarily unavailable",
)
"""What Slurm's clients say when the controller does not answer. The first is measured, the others assumed."""

_STEERING = ("SQUEUE_", "SCANCEL_", "SACCT_")
"""Variables that change what the commands do or print."""


class SlurmCommands:
    """Runs `scontrol`, `squeue` and `scancel`.

    Args:
        runner: runs them.
        env: their environment.
        timeout_s: after so long without an answer the controller counts as not reachable; real clients
            give up by themselves after 9 to 18 s (measured).
    """

    def __init__(self, runner: CommandRunner, env: Mapping[str, str], timeout_s: float = 30) -> None:
        self._runner = runner
        self._timeout_s = timeout_s
        kept = {name: value for name, value in env.items() if not name.startswith(_STEERING)}
        self._env = {**kept, "TZ": "UTC", "SLURM_TIME_FORMAT": "standard"}

    def jobs(self, ids: Iterable[str]) -> dict[str, SlurmJob]:
        """Return the jobs that Slurm still remembers, by id.

        Raises:
            TransientError: the controller does not answer.
        """
        found = {job_id: self.job(job_id) for job_id in dict.fromkeys(ids)}
        return {job_id: job for job_id, job in found.items() if job is not None}

    def job(self, job_id: str) -> SlurmJob | None:
        """Return one job, None if Slurm does not know it or has forgotten it.

        Raises:
            TransientError: the controller does not answer.
            PermanentError: it answers something else.
        """
        done = self._run(["scontrol", "-o", "show", "job", _checked(job_id)])
        if done.exit_code == 0:
            return parse_job(done.stdout)
        if _UNKNOWN in done.stderr:
            return None
        raise self._failure("scontrol", done)

    def cancel(self, *job_ids: str) -> None:
        """Cancel jobs; one that is unknown or has ended is no error.

        Raises:
            TransientError: the controller does not answer.
            PermanentError: it refuses, for example because the job is somebody else's.
        """
        done = self._run(["scancel", *map(_checked, job_ids)])
        said = [line for line in done.stderr.splitlines() if line.strip() and _UNKNOWN not in line]
        if done.exit_code != 0 and (said or _UNKNOWN not in done.stderr):
            raise self._failure("scancel", done)

    def queue(self) -> list[QueueEntry]:
        """Return all jobs of the cluster that Slurm remembers, the finished ones too.

        Raises:
            TransientError: the controller does not answer.
            PermanentError: it answers something else.
        """
        done = self._run(["squeue", "-h", "-t", "all", "-o", QUEUE_FORMAT])
        if done.exit_code != 0:
            raise self._failure("squeue", done)
        return parse_queue(done.stdout)

    def own_jobs(self) -> list[MarkedJob]:
        """Return the caller's jobs that have not ended, with their comments.

        Raises:
            TransientError: the controller does not answer.
            PermanentError: it answers something else.
        """
        done = self._run(["squeue", "--me", "--noheader", "-o", MARK_FORMAT])
        if done.exit_code != 0:
            raise self._failure("squeue", done)
        return parse_marks(done.stdout)

    def _run(self, argv: Sequence[str]) -> Completed:
        try:
            return self._runner.run(argv, timeout_s=self._timeout_s, env=self._env)
        except CommandTimeout as error:
            raise TransientError(f"Slurm does not answer: {error}", endpoint=argv[0]) from None
        except FileNotFoundError:
            raise ConfigError(
                f"there is no {argv[0]} on PATH", next_step="run on a computer with the Slurm commands"
            ) from None

    @staticmethod
    def _failure(program: str, done: Completed) -> TransientError | PermanentError:
        said = " ".join((done.stderr or done.stdout).split())[:500] or f"exit code {done.exit_code}"
        if any(text in said for text in _TRANSIENT):
            return TransientError(
                f"Slurm does not answer: {said}", endpoint=program, next_step="ask again in a while"
            )
        return PermanentError(f"{program} failed: {said}", endpoint=program)


def _checked(job_id: str) -> str:
    """Return `job_id` if it looks like one (`12`, `12_3`), so that it can never be taken for an option."""
    if not re.fullmatch("[0-9]+(_[0-9]+)?", job_id):
        raise ConfigError(f"{job_id!r} is not a Slurm job id")
    return job_id
