"""Asking Slurm how the jobs of the steps went."""

import math

from lute.errors import ConfigError, LuteError
from lute.seams import Clock
from lute.slurm.commands import SlurmCommands
from lute.slurm.records import SlurmJob

_PAUSE_S = 120.0
"""A Slurm that did not answer is left alone for so long: the launcher has other things to do."""


class JobLookup:
    """Looks jobs up, as long as Slurm answers. Never raises."""

    def __init__(self, slurm: SlurmCommands, clock: Clock) -> None:
        self._slurm = slurm
        self._clock = clock
        self._not_before_s = -math.inf

    def job(self, job_id: str) -> SlurmJob | None:
        """Return a job, None if Slurm cannot be asked or has forgotten it."""
        if not job_id or self._clock.monotonic() < self._not_before_s:
            return None
        try:
            return self._slurm.job(job_id)
        except ConfigError:
            self._not_before_s = math.inf  # there is no Slurm here
        except (LuteError, OSError):
            self._not_before_s = self._clock.monotonic() + _PAUSE_S
        return None
