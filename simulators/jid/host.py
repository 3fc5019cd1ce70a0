"""The batch host: where the JID runs executables, reads logs and asks Slurm."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from lute.seams import CommandRunner
from lute.seams.commands import CommandTimeout, Completed
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import SlurmJob

START_LIMIT_S = 30.0
"""Known: the JID gives an executable 30 s."""


class HostError(Exception):
    """The host could not do it; the text is what the caller of the JID gets to see."""


class Host(Protocol):
    """What the JID needs of the host."""

    def submit(self, executable: str, parameters: str, env: Mapping[str, str]) -> str:
        """Run a submit script and return the id of the Slurm job that it reports.

        Raises:
            HostError: it failed, took too long, or reports no job.
        """

    def jobs(self, job_ids: Sequence[str]) -> dict[str, SlurmJob]:
        """Return what Slurm knows of these jobs."""

    def cancel(self, job_id: str) -> None:
        """Cancel a job."""

    def read_text(self, path: str) -> str:
        """Return a file's text.

        Raises:
            HostError: it cannot be read.
        """


@runtime_checkable
class TimedHost(Host, Protocol):
    """A host whose work takes no time by itself, and which tells how long it would have taken."""

    def take_took_s(self) -> float:
        """Return the seconds that the work since the last call would have taken."""


def reported_job(executable: str, done: Completed) -> str:
    """Return the id of the Slurm job that a submit script reports (assumed: found wherever it stands).

    Raises:
        HostError: it failed, or reports none.
    """
    if done.exit_code != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise HostError(f"{executable} ended with exit code {done.exit_code}: {said}")
    found = re.search(r"^Submitted batch job (\d+)", done.stdout, re.MULTILINE)
    if not found:
        raise HostError(f"{executable} reported no 'Submitted batch job N'")
    return found[1]


class RealHost:
    """Runs real processes on this machine; the Slurm commands are those on its PATH.

    Args:
        env: the environment of everything it runs.
        work_dir: where submit scripts run, so that relative log paths lie there (the real JID's is not
            known).
    """

    def __init__(self, commands: CommandRunner, env: Mapping[str, str], work_dir: Path) -> None:
        self._commands = commands
        self._env = dict(env)
        self._work_dir = work_dir
        self._slurm = SlurmCommands(commands, self._env)

    def submit(self, executable: str, parameters: str, env: Mapping[str, str]) -> str:
        """Run a submit script; see `Host.submit`."""
        try:
            argv = [executable, *shlex.split(parameters)]
            done = self._commands.run(
                argv, timeout_s=START_LIMIT_S, env=self._env | dict(env), cwd=self._work_dir
            )
        except ValueError as error:
            raise HostError(f"the parameters are no command line: {error}") from error
        except CommandTimeout as error:
            raise HostError(f"{executable} did not return within {START_LIMIT_S:.0f} s") from error
        except OSError as error:
            raise HostError(f"{executable} cannot be run: {error.strerror}") from error
        return reported_job(executable, done)

    def jobs(self, job_ids: Sequence[str]) -> dict[str, SlurmJob]:
        """Ask Slurm."""
        return self._slurm.jobs(job_ids)

    def cancel(self, job_id: str) -> None:
        """Run scancel."""
        self._slurm.cancel(job_id)

    def read_text(self, path: str) -> str:
        """Read a file, broken UTF-8 replaced."""
        try:
            return Path(path).read_bytes().decode(errors="replace")
        except OSError as error:
            raise HostError(f"{path} cannot be read: {error.strerror}") from error
