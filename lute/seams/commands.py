"""Commands: running other programs, from argument lists, never through a shell string."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol


@dataclass(frozen=True)
class Completed:
    """What a command left behind.

    Attributes:
        exit_code: its exit code, or minus the number of the signal that ended it.
        stdout: its standard output, broken UTF-8 replaced.
        stderr: its standard error, broken UTF-8 replaced.
    """

    exit_code: int
    stdout: str
    stderr: str


class CommandTimeout(Exception):
    """A command was still running after its time limit and has been killed."""


class CommandRunner(Protocol):
    """What production may ask of other programs."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Completed:
        """Run `argv` to its end.

        Args:
            argv: the program and its arguments.
            timeout_s: it is killed after so many seconds, together with its children.
            env: its whole environment; None inherits.
            cwd: its working directory; None inherits.

        Raises:
            CommandTimeout: it was killed.
            FileNotFoundError: there is no such program.
        """

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: IO[bytes] | int | None = None,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> "subprocess.Popen[bytes]":
        """Start `argv` as the leader of its own session and return without waiting for it."""


class SystemCommands:
    """Runs programs on this machine."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Completed:
        """Run `argv` to its end; see `CommandRunner.run`."""
        with self.spawn(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except BaseException as error:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # it leads its own session: its children too
                if isinstance(error, subprocess.TimeoutExpired):
                    raise CommandTimeout(f"{argv[0]} was still running after {timeout_s:g} s") from None
                raise
        return Completed(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"))

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: IO[bytes] | int | None = None,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> "subprocess.Popen[bytes]":
        """Start `argv`; see `CommandRunner.spawn`."""
        return subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            start_new_session=True,
        )
