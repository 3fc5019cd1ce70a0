"""Random loads: the same seed gives the same jobs."""

from collections.abc import Iterator

from simulators.kernel.seeds import Seeds
from simulators.workload.load import LoadJob

_LIMIT_FACTORS = (1.2, 2.0, 5.0)
"""Users ask for more time than they need, some for much more."""


def random_load(
    seeds: Seeds, *, jobs: int, load: float, cpus: int, max_procs: int = 128, mean_run_s: float = 3600.0
) -> Iterator[LoadJob]:
    """Yield jobs one by one, by submission.

    Cores are uniform, run times exponential, arrivals Poisson. Streams: `load.arrivals`, `load.procs`,
    `load.run_times`, `load.limits`.

    Args:
        jobs: how many.
        load: offered load: the cores that would be busy on average if no job waited, divided by `cpus`.
        cpus: cores of the cluster.
        max_procs: most cores of one job.
        mean_run_s: mean run time in seconds.

    Raises:
        ValueError: the load or the number of cores is not positive.
    """
    if load <= 0 or cpus < 1 or max_procs < 1:
        raise ValueError(f"a load needs cores and must be above 0, not {load} of {cpus} cores")
    mean_procs = (1 + max_procs) / 2
    rate_per_s = load * cpus / (mean_procs * mean_run_s)
    arrivals, procs = seeds.stream("load.arrivals"), seeds.stream("load.procs")
    run_times, limits = seeds.stream("load.run_times"), seeds.stream("load.limits")
    submit_s = 0.0
    for _ in range(jobs):
        submit_s += arrivals.expovariate(rate_per_s)
        run_s = run_times.expovariate(1 / mean_run_s)
        yield LoadJob(submit_s, run_s, procs.randint(1, max_procs), run_s * limits.choice(_LIMIT_FACTORS))
