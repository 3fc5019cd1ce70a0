"""What a cluster's administrator decides: slurm.conf, in its own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache

DEFAULT_PARTITIONS: Mapping[str, Mapping[str, int]] = {
    "milano": {f"sdfmilan{index:03d}": 128 for index in range(1, 5)},
    "ampere": {f"sdfampere{index:03d}": 64 for index in range(1, 3)},
}
"""A small S3DF: partition -> node -> cores; the site's names, few nodes."""

DEFAULT_GRES: Mapping[str, str] = {f"sdfampere{index:03d}": "gpu:a100:4" for index in range(1, 3)}
"""Node -> its generic resources, as `Gres=` in slurm.conf."""

TUNED = "bf_interval=1,bf_resolution=1,sched_min_interval=1000,batch_sched_delay=0"
"""SchedulerParameters of a cluster that reacts within a second; the recorded runs rc5 had them."""

_IGNORED_PARAMETERS = frozenset(["sched_min_interval", "bf_continue", "bf_yield_sleep", "bf_yield_interval"])
"""They spare the controller's processor, which does not count here."""


@dataclass(frozen=True)
class SchedulerParameters:
    """How the scheduler works; the defaults are those of Slurm 22.05 (manual page; measured).

    Attributes:
        bf_interval: seconds between two passes of backfill; 0 switches it off.
        bf_resolution: planned starts are rounded down and ends up to so many seconds.
        bf_window: backfill looks so many minutes ahead.
        bf_max_job_test: backfill looks at so many jobs.
        batch_sched_delay: seconds that the main loop waits after its last run.
        sched_interval: seconds between two main loops over the whole queue.
        default_queue_depth: jobs that the main loop looks at otherwise.
    """

    bf_interval: int = 30
    bf_resolution: int = 60
    bf_window: int = 1440
    bf_max_job_test: int = 500
    batch_sched_delay: int = 3
    sched_interval: int = 60
    default_queue_depth: int = 100


@lru_cache(maxsize=16)
def parse_scheduler_parameters(text: str) -> SchedulerParameters:
    """Read `bf_interval=1,bf_resolution=1`; empty for Slurm's defaults.

    Raises:
        ValueError: a parameter is not simulated or has no whole number. Real Slurm ignores it silently.
    """
    known = {item.name for item in fields(SchedulerParameters)}
    values: dict[str, int] = {}
    for word in filter(None, text.split(",")):
        name, _, value = word.partition("=")
        if name in _IGNORED_PARAMETERS:
            continue
        if name not in known or not (value.isascii() and value.isdigit()):
            raise ValueError(f"SchedulerParameters: not simulated: {word}; known: {', '.join(sorted(known))}")
        values[name] = int(value)
    return SchedulerParameters(**values)


@dataclass(frozen=True)
class Latencies:
    """How long the parts of real Slurm take (measured with the TUNED parameters).

    Attributes:
        background_s: period of the loop that runs the main scheduler; 0 makes it, and backfill too, react
            at once.
        main_phase_s, backfill_phase_s: where in each period they run.
        launch_s: from allocation to the first line of the script; in process only.
        completion_s: from the end of the script to the controller's knowing; in process only.
        accounting_start_s, accounting_end_s: until sacct knows of a new job, and of any later change.
        requeue_s: until a requeued job may start again.
    """

    background_s: float = 1.0
    main_phase_s: float = 0.75
    backfill_phase_s: float = 0.4
    launch_s: float = 0.05
    completion_s: float = 0.1
    accounting_start_s: float = 0.7
    accounting_end_s: float = 0.1
    requeue_s: float = 121.0


@dataclass(frozen=True)
class SlurmConf:
    """One cluster.

    Attributes:
        partitions: partition -> node -> cores; the first is the default one.
        node_gres: node -> `gpu:TYPE:COUNT`.
        real_memory_mb: memory of each node; only a request that exceeds it is refused.
        scheduler_parameters: as in slurm.conf.
        min_job_age_s: an ended job is forgotten some time after so many seconds.
        kill_wait_s: from SIGTERM to SIGKILL.
        max_time_min, default_time_min: longest and default time limit of every partition, None for none.
        partition_state: partition -> UP, DOWN, DRAIN or INACTIVE, where it is not UP.
        reservations: names that `--reservation` accepts; they set no cores aside.
        enforce_part_limits: NO accepts jobs beyond a partition's limits, which then wait for ever; ALL
            refuses them.
        accounting: whether there is a database, so that sacct answers.
        accounts: the accounts that exist, the first being the user's default; lower case.
        enforce_associations: whether an account must exist.
        job_requeue: whether jobs are requeued when a node fails, unless they say otherwise.
        limit_sweep_s: seconds between two looks at the time limits (measured: 30).
        step_prefix: what slurmstepd calls itself in a job's output; with `{node}` for the node's name, as
            builds for several nodes on one computer do (measured).
    """

    name: str = "lute"
    partitions: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: DEFAULT_PARTITIONS)
    node_gres: Mapping[str, str] = field(default_factory=dict)
    real_memory_mb: int = 8000
    scheduler_parameters: str = ""
    min_job_age_s: float = 300
    kill_wait_s: float = 5
    max_time_min: int | None = None
    default_time_min: int | None = None
    partition_state: Mapping[str, str] = field(default_factory=dict)
    reservations: frozenset[str] = frozenset()
    enforce_part_limits: str = "NO"
    accounting: bool = False
    accounts: tuple[str, ...] = ()
    enforce_associations: bool = False
    job_requeue: bool = True
    limit_sweep_s: float = 30
    step_prefix: str = "slurmstepd"
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def scheduler(self) -> SchedulerParameters:
        """The scheduler's parameters, read."""
        return parse_scheduler_parameters(self.scheduler_parameters)
