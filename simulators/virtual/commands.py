"""Slurm's commands for somebody who waits until they have answered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from lute.seams import Clock
from lute.seams.commands import Completed
from simulators.slurm.virtual import VirtualSlurm


class WaitingCommands:
    """As a `lute.seams.CommandRunner`, lets the time pass that a command takes."""

    def __init__(self, slurm: VirtualSlurm, clock: Clock) -> None:
        self._slurm = slurm
        self._clock = clock

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Completed:
        """Run a command to its end; see `lute.seams.CommandRunner.run`."""
        self._slurm.took_s = 0.0
        try:
            return self._slurm.run(argv, timeout_s=timeout_s, env=env, cwd=cwd)
        finally:
            if self._slurm.took_s:
                self._clock.sleep(self._slurm.took_s)

    def spawn(self, argv: Sequence[str], **streams: object) -> NoReturn:
        """Refuse; see `VirtualSlurm.spawn`."""
        self._slurm.spawn(argv, **streams)
