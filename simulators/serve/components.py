"""The processes of a served stack: starting them, and making sure that none is left."""

import contextlib
import ctypes
import signal
import subprocess  # noqa: TID251 - for the type of a started process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from lute.errors import LuteError
from lute.seams import Runtime

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_TERMINATE_LIMIT_S = 3.0


class StackError(LuteError):
    """The served stack could not be brought up."""


@dataclass(frozen=True)
class Component:
    """One started process and the file that takes its output."""

    name: str
    process: "subprocess.Popen[bytes]"
    log_file: Path

    def check_alive(self) -> None:
        """Raise if it has ended.

        Raises:
            StackError: with the end of its output.
        """
        if self.process.poll() is not None:
            tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-15:])
            raise StackError(f"{self.name} ended with exit code {self.process.returncode}:\n{tail}")


class Components:
    """Starts processes, each with its output in a file of its own, and ends them all."""

    def __init__(self, runtime: Runtime, log_dir: Path) -> None:
        self._runtime = runtime
        self._log_dir = log_dir
        self._started: list[Component] = []
        log_dir.mkdir(parents=True, exist_ok=True)
        # Whatever loses its parent below us becomes our child, so that `stop` can find it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Component:
        """Start a process in a session of its own."""
        log_file = self._log_dir / f"{name}.log"
        with log_file.open("ab") as output:
            process = self._runtime.commands.spawn(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        component = Component(name, process, log_file)
        self._started.append(component)
        return component

    def run(self, name: str, argv: Sequence[str], env: Mapping[str, str], *, limit_s: float) -> None:
        """Run a process to its end.

        Raises:
            StackError: it failed or took too long.
        """
        component = self.start(name, argv, env)
        try:
            exit_code = component.process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{name} took longer than {limit_s:.0f} s; see {component.log_file}") from error
        self._started.remove(component)
        if exit_code != 0:
            component.check_alive()

    def check_alive(self) -> None:
        """Raise `StackError` if any of them has ended."""
        for component in self._started:
            component.check_alive()

    def stop(self) -> None:
        """End every process below this one; the last started first, kindly, then by force."""
        for component in reversed(self._started):
            if component.process.poll() is None:
                component.process.send_signal(signal.SIGTERM)
        psutil.wait_procs(_below_this(), timeout=_TERMINATE_LIMIT_S)
        while survivors := _below_this():
            for process in survivors:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(survivors, timeout=_TERMINATE_LIMIT_S)
        self._started.clear()


def _below_this() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
