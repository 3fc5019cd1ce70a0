"""The process in which the launcher runs: its environment, its streams, the signals that end it."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol, TextIO

from lute.launch.log_files import LogFiles, SystemLogFiles
from lute.seams import Runtime, current_runtime

if TYPE_CHECKING:
    from lute.arp.kerberos import TicketCopy

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
"""The folder of the scripts, in a clone."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asks the launcher to end. Nobody's `except Exception` may swallow it: Slurm asks once only."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Signals(Protocol):
    """Whoever delivers signals."""

    def raise_interrupted(self) -> None:
        """From now on, let each of SIGINT, SIGTERM and SIGHUP raise `Interrupted` where the launcher is."""

    def ignore(self) -> None:
        """From now on, let them do nothing: the launcher is tidying up."""


class ProcessSignals:
    """The signals of this process."""

    def raise_interrupted(self) -> None:
        """Install the handler; see `Signals.raise_interrupted`."""
        for number in _SIGNALS:
            signal.signal(number, self._interrupt)

    def ignore(self) -> None:
        """Ignore them; see `Signals.ignore`."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    @staticmethod
    def _interrupt(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)


def _copy_tickets(env: Mapping[str, str], runtime: Runtime) -> "TicketCopy | None":
    from lute.arp.kerberos import copy_tickets

    return copy_tickets(env, runtime)


def environment() -> dict[str, str]:
    """Return the process environment as a value."""
    from lute.settings import environment as read  # here, so that `--help` does not wait for it

    return read()


@dataclass
class Process:
    """What surrounds the launcher; by default this process.

    Attributes:
        stdout: where everything about the run goes; None for the process's standard output at the time of
            use.
        stderr: where errors of the launcher itself go; None likewise.
        log_files: the logs of jobs, as far as this computer sees them.
        copy_tickets: makes the copy of the user's Kerberos tickets that is the run's own.
        scripts: the folder of the launcher's own script, in the clone or installation that it belongs to.
    """

    env: Mapping[str, str] = field(default_factory=lambda: environment())
    runtime: Runtime = field(default_factory=lambda: current_runtime())
    signals: Signals = field(default_factory=ProcessSignals)
    stdout: TextIO | None = None
    stderr: TextIO | None = None
    log_files: LogFiles = field(default_factory=SystemLogFiles)
    copy_tickets: "Callable[[Mapping[str, str], Runtime], TicketCopy | None]" = _copy_tickets
    scripts: Path = SCRIPTS

    @property
    def stream(self) -> TextIO:
        """Where everything about the run goes, now."""
        return self.stdout or sys.stdout

    def write(self, text: str) -> None:
        """Write a line, at once.

        Raises:
            OSError: the disk under it is full, or its reader has gone.
        """
        self.stream.write(text + "\n")
        self.stream.flush()

    def write_anything(self) -> None:
        """Let the streams stand every text: a job may print what the user's locale cannot."""
        for stream in (self.stdout or sys.stdout, self.stderr or sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    def write_error(self, text: str) -> None:
        """Write a line to standard error."""
        with contextlib.suppress(OSError):
            print(text, file=self.stderr or sys.stderr, flush=True)

    def abandon_output(self) -> None:
        """Write no more to an output that failed: the interpreter would try at its end, and fail again."""
        if self.stdout is None:
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - lives as long as the interpreter
