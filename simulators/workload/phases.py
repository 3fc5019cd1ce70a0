"""When the loops of a real slurmctld ran, so that the fake can do the same.

They run once a second (TUNED) from its start on; where in a second decides whether what ends just then
counts.
"""

import cmath
import math
from dataclasses import replace

from simulators.slurm.conf import Latencies
from simulators.workload.mix import MixRun

LAUNCH_S = 0.025
COMPLETION_S = 0.01
"""Of private Slurms on an idle computer: medians of 240 jobs were 24 ms and 6 ms."""

_MAIN_AFTER_BACKFILL_S = 0.07
"""Both loops begin when slurmctld does; the main one runs a little later (measured: 0.03 s to 0.1 s)."""
_MAIN_TOO_EARLY_S = 0.03
"""So much later where it found nothing to start: what ends 0.06 s after a look comes too late."""


def latencies_of(run: MixRun) -> Latencies:
    """Return the latencies of the cluster of a run, as far as the starts of its jobs tell them."""
    starts_s = [
        (run.origin_posix_s or 0.0) + record.script_start_s - LAUNCH_S
        for record in run.results
        if record.started_by == "Backfill"
    ]
    latencies = Latencies(launch_s=LAUNCH_S, completion_s=COMPLETION_S)
    if not starts_s:
        return latencies
    phase_s = _mean_phase(starts_s)
    has_main = any(record.started_by == "Main" for record in run.results)
    later_s = _MAIN_AFTER_BACKFILL_S if has_main else _MAIN_TOO_EARLY_S
    return replace(latencies, backfill_phase_s=phase_s, main_phase_s=(phase_s + later_s) % 1)


def _mean_phase(moments_s: list[float]) -> float:
    """Return the mean of where in a second some moments are: a second is a circle."""
    total = sum(cmath.exp(2j * math.pi * (moment_s % 1)) for moment_s in moments_s)
    return cmath.phase(total) / (2 * math.pi) % 1
