"""The daemons of one cluster: starting them, waiting for them, ending them and all that they started."""

import signal
import subprocess  # noqa: TID251 - for standard input's null device and the time-out of a wait
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from lute.seams import Runtime
from lute.seams.commands import CommandTimeout, Completed
from simulators.realslurm.configuration import CLUSTER
from simulators.serve.components import Component, StackError
from simulators.slurm import proctable

_POLL_S = 0.05
_TERMINATE_LIMIT_S = 5.0
_KILL_LIMIT_S = 10.0
_TAIL_LINES = 15
_NEEDED_BY_OTHERS = ("slurmdbd", "mariadbd", "munged")
"""In the order in which they may end."""


class Daemons:
    """Runs daemons in the foreground, as children of this process.

    Args:
        env: the environment of all of them and of the commands; nothing else is inherited.
        slurm_conf: the file that tells this cluster from every other.
    """

    def __init__(self, runtime: Runtime, log_dir: Path, env: Mapping[str, str], slurm_conf: Path) -> None:
        self._runtime = runtime
        self._log_dir = log_dir
        self._env = dict(env) | {"SLURM_CONF": str(slurm_conf)}
        self._mark = f"LUTE_SIM_REAL_SLURM={slurm_conf.parent}"
        self._running: dict[str, Component] = {}

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a daemon; what it writes to standard error goes to NAME.err."""
        log_file = self._log_dir / f"{name}.err"
        marked = self._env | dict([self._mark.split("=", 1)]) | dict(env or {})
        with log_file.open("ab") as output:
            process = self._runtime.commands.spawn(
                argv, env=marked, cwd=self._log_dir, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._running[name] = Component(name, process, log_file)

    def run(self, *argv: str, limit_s: float) -> Completed:
        """Run a command of this cluster to its end.

        Raises:
            StackError: it took too long.
        """
        try:
            return self._runtime.commands.run(argv, timeout_s=limit_s, env=self._env)
        except CommandTimeout as error:
            raise StackError(f"real Slurm does not answer: {error}") from None

    def is_running(self, name: str) -> bool:
        """Return whether a daemon was started and still runs."""
        return name in self._running and self._running[name].process.poll() is None

    def check_alive(self) -> None:
        """Raise `StackError`, with the end of its log, if a daemon ended by itself."""
        for component in self._running.values():
            component.check_alive()

    def reap(self) -> None:
        """Take note of the end of slurmstepd's that have become children of this process.

        They outlive the slurmd that started them, and come to the nearest subreaper above (prctl(2)).
        Nobody else waits for them, and they would stay zombies.
        """
        for process in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):
                if process.name() == "slurmstepd" and process.status() == psutil.STATUS_ZOMBIE:
                    process.wait(0)

    def wait_until(
        self, condition: Callable[[], bool], what: str, limit_s: float, explained_by: str | None = None
    ) -> None:
        """Wait while all daemons live.

        Args:
            explained_by: the daemon whose log tells why it takes too long.

        Raises:
            StackError: a daemon ended, or `condition` was not met in time; with the end of the log.
        """
        deadline_s = self._runtime.clock.monotonic() + limit_s
        while not condition():
            self.check_alive()
            if self._runtime.clock.monotonic() > deadline_s:
                raise StackError(f"{what} after {limit_s:.0f} s{self._tail(explained_by)}")
            self._runtime.clock.sleep(_POLL_S)

    def end(self, *names: str, by: signal.Signals = signal.SIGTERM) -> None:
        """End daemons together, by force if they do not go by themselves; those gone are no error."""
        ending = [self._running.pop(name) for name in names if name in self._running]
        for component in ending:
            component.process.send_signal(by)
        for component in ending:
            try:
                component.process.wait(_TERMINATE_LIMIT_S)
            except subprocess.TimeoutExpired:
                component.process.kill()
                component.process.wait()

    def end_all(self) -> None:
        """End every daemon, then what they left behind.

        Raises:
            StackError: processes survive SIGKILL.
        """
        self.end(*(name for name in self._running if name not in _NEEDED_BY_OTHERS))
        for name in _NEEDED_BY_OTHERS:
            self.end(name)
        deadline_s = self._runtime.clock.monotonic() + _KILL_LIMIT_S
        while left := self._leftovers():
            if self._runtime.clock.monotonic() > deadline_s:
                raise StackError(f"processes of real Slurm do not end: {' '.join(map(str, left))}")
            proctable.send(left, signal.SIGKILL)
            self._runtime.clock.sleep(_POLL_S)

    def _leftovers(self) -> list[int]:
        """Return slurmstepd's and daemons, known by our mark, and the processes of jobs.

        SLURM_CONF alone is also in the environment of whoever uses the cluster: those are not ours.
        """
        conf = f"SLURM_CONF={self._env['SLURM_CONF']}"
        jobs = proctable.with_environment(conf, f"SLURM_CLUSTER_NAME={CLUSTER}")
        return [*proctable.with_environment(self._mark), *jobs]

    def _tail(self, name: str | None) -> str:
        if name is None or name not in self._running:
            return ""
        lines = self._running[name].log_file.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return f"; the end of the log of {name}:\n" + "\n".join(lines)
