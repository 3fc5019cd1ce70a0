"""A private Slurm: up with every node idle, down without a trace."""

import signal
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from lute.seams import Runtime
from simulators.realslurm import configuration
from simulators.realslurm.accounting import start_accounting
from simulators.realslurm.daemons import Daemons
from simulators.realslurm.layout import Layout, new_layout, write_private
from simulators.realslurm.munge import munged, write_key
from simulators.realslurm.options import RealSlurmOptions
from simulators.realslurm.programs import missing, search_path
from simulators.serve.components import StackError

_READY_LIMIT_S = 60.0
_COMMAND_LIMIT_S = 30.0
_CANCEL_MARGIN_S = 5.0
_POLL_S = 0.1


class RealSlurm:
    """A context manager: inside it the cluster runs.

    Args:
        folder: for all its files; made if it is not there. One folder serves one start.

    Its daemons run as the current user, root or not; only that user can use it.
    """

    def __init__(
        self, folder: Path, options: RealSlurmOptions | None = None, runtime: Runtime | None = None
    ) -> None:
        self._folder = folder.absolute()
        self._options = options or RealSlurmOptions()
        self._runtime = runtime or Runtime()
        self._layout: Layout | None = None
        env = {"PATH": search_path()}
        self._daemons = Daemons(self._runtime, self._folder / "logs", env, self._folder / "slurm.conf")

    @property
    def environment(self) -> dict[str, str]:
        """What a process that uses this cluster needs in its environment."""
        return {"SLURM_CONF": str(self._folder / "slurm.conf")}

    def start(self) -> None:
        """Bring it up; return when every node is idle.

        Raises:
            StackError: it did not come up, or there is no real Slurm here; nothing is left running.
        """
        if reason := missing(with_accounting=self._options.accounting):
            what, _, install = reason.partition(": ")
            raise StackError(what, next_step=install)
        layout = new_layout(self._folder, list(self._options.nodes))
        try:
            self._layout = layout
            self._bring_up(layout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Cancel every job and end every process; does nothing if it does not run.

        Raises:
            StackError: processes survive SIGKILL.
        """
        if self._layout is None:
            return
        try:
            with suppress(StackError):  # a controller that does not answer cannot cancel
                self._cancel_jobs()
        finally:
            self._daemons.end_all()
            self._layout.remove_run_dir()
            self._layout = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check_alive(self) -> None:
        """Raise `StackError` if a daemon ended that nobody stopped; call it now and then."""
        self._daemons.check_alive()
        self._daemons.reap()

    def stop_controller(self) -> None:
        """End slurmctld as an administrator does; jobs go on."""
        self._daemons.end("slurmctld")

    def kill_controller(self) -> None:
        """End slurmctld as a crash does: it saves nothing more."""
        self._daemons.end("slurmctld", by=signal.SIGKILL)

    def start_controller(self) -> None:
        """Start slurmctld, which reads its saved state; return when every running node answers it again.

        Raises:
            StackError: it did not come up.
        """
        self._daemons.start("slurmctld", ["slurmctld", "-D"])
        self._daemons.wait_until(
            self._controller_answers, "slurmctld does not answer", _READY_LIMIT_S, "slurmctld"
        )
        self._wait_for_nodes(name for name in self._options.nodes if self._daemons.is_running(name))

    def stop_node(self, name: str) -> None:
        """End the slurmd of a node; its jobs go on, and Slurm notices after SlurmdTimeout only (measured)."""
        self._daemons.end(name)

    def start_node(self, name: str) -> None:
        """Start the slurmd of a node; return when the controller can use it.

        Raises:
            StackError: it did not come up.
        """
        self._spawn_node(name)
        self._wait_for_nodes([name])

    def _bring_up(self, layout: Layout) -> None:
        write_key(layout.munge_key)
        write_private(layout.slurm_conf, configuration.slurm_conf(self._options, layout))
        write_private(self._folder / "gres.conf", configuration.gres_conf(self._options, layout))
        for device in configuration.devices(self._options):
            (self._folder / device).touch(mode=0o600)
        self._daemons.start("munged", munged(layout))
        self._daemons.wait_until(layout.munge_socket.exists, "munged is not there", _READY_LIMIT_S, "munged")
        if self._options.accounting:
            start_accounting(self._daemons, layout, self._options.accounts)
        self.start_controller()
        for name in self._options.nodes:
            self._spawn_node(name)
        self._wait_for_nodes(self._options.nodes)

    def _spawn_node(self, name: str) -> None:
        self._pid_file(name).unlink(missing_ok=True)
        self._daemons.start(name, ["slurmd", "-D", "-N", name])

    def _wait_for_nodes(self, names: Iterable[str]) -> None:
        """Wait until slurmd listens and slurmctld has heard from it."""
        for name in names:
            self._daemons.wait_until(
                self._pid_file(name).exists, f"node {name} is not there", _READY_LIMIT_S, name
            )
            self._daemons.wait_until(
                partial(self._is_up, name),
                f"node {name} is not up",
                _READY_LIMIT_S,
                "slurmctld",
            )

    def _is_up(self, name: str) -> bool:
        """Return whether a node answers; to the states of those that do not, sinfo adds a `*`."""
        done = self._daemons.run("sinfo", "-a", "-h", "-n", name, "-o", "%T", limit_s=_COMMAND_LIMIT_S)
        state = done.stdout.strip()
        return bool(state) and not state.endswith("*") and not state.startswith(("down", "unk"))

    def _controller_answers(self) -> bool:
        return self._daemons.run("scontrol", "ping", limit_s=_COMMAND_LIMIT_S).exit_code == 0

    def _cancel_jobs(self) -> None:
        """Cancel every job and wait for the end of all; in vain for the jobs of a node without slurmd."""
        limit_s = self._options.kill_wait_s + _CANCEL_MARGIN_S
        deadline_s = self._runtime.clock.monotonic() + limit_s
        cancelled: set[str] = set()
        while self._daemons.is_running("slurmctld") and self._runtime.clock.monotonic() < deadline_s:
            queue = self._daemons.run("squeue", "-a", "-h", "-o", "%F", limit_s=_COMMAND_LIMIT_S)
            jobs = set(queue.stdout.split())
            if not jobs:
                return
            if new := jobs - cancelled:
                self._daemons.run("scancel", *new, limit_s=_COMMAND_LIMIT_S)
                cancelled |= new
            self._runtime.clock.sleep(_POLL_S)

    def _pid_file(self, name: str) -> Path:
        if self._layout is None:
            raise StackError("this private Slurm does not run", next_step="start() it first")
        return self._layout.pid_file(name)
