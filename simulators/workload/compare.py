"""How far two runs of the same mix are from each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from simulators.slurm.hostlist import expand
from simulators.workload.mix import JobRecord, MixRun

SAME_NODES_LIMIT = 0.95
"""At least so many of all jobs must be on the same nodes."""
MAKESPAN_LIMIT_PERCENT = 1.7
"""The median of the mixes' makespan errors must not exceed it."""
START_LIMIT_S = 1.0
"""The median of all jobs' start errors must not exceed it."""

_SAME_MOMENT_S = 1.0
"""Jobs that start within so many seconds have no order: the scheduler's period is a second."""


@dataclass(frozen=True)
class JobDifference:
    """One job in both runs.

    Attributes:
        start_error_s: start in the second run minus that in the first, in seconds.
    """

    expected: JobRecord
    actual: JobRecord
    start_error_s: float
    same_nodes: bool
    same_cores: bool
    same_state: bool


@dataclass(frozen=True)
class Comparison:
    """One mix in both runs.

    Attributes:
        name: what the mix is called.
        swapped: pairs of jobs that start in one order in one run and in the other in the other.
        makespan_s: last end of the expected run.
        makespan_error_percent: difference of the last ends, as a share of the expected one; never negative.
    """

    name: str
    jobs: tuple[JobDifference, ...]
    swapped: tuple[tuple[str, str], ...]
    makespan_s: float
    makespan_error_percent: float


@dataclass(frozen=True)
class Summary:
    """All mixes together; shares are from 0 to 1."""

    mixes: int
    jobs: int
    same_nodes: float
    same_cores: float
    same_state: float
    swapped_pairs: int
    median_start_error_s: float
    max_start_error_s: float
    median_makespan_error_percent: float
    max_makespan_error_percent: float

    @property
    def is_within_limits(self) -> bool:
        """True if the fake is true enough: the three limits of this module."""
        return (
            self.same_nodes >= SAME_NODES_LIMIT
            and self.median_makespan_error_percent <= MAKESPAN_LIMIT_PERCENT
            and self.median_start_error_s <= START_LIMIT_S
        )


def compare(name: str, expected: MixRun, actual: MixRun) -> Comparison:
    """Compare two runs that have the same jobs."""
    others = {record.name: record for record in actual.results}
    jobs = tuple(
        _difference(record, others[record.name])
        for record in sorted(expected.results, key=lambda record: record.script_start_s)
    )
    expected_s = max(record.end_s for record in expected.results)
    actual_s = max(record.end_s for record in actual.results)
    return Comparison(
        name, jobs, _swapped(jobs), expected_s, 100 * abs(actual_s - expected_s) / max(expected_s, 1e-9)
    )


def summarise(comparisons: Sequence[Comparison]) -> Summary:
    """Return the figures of all mixes together.

    Raises:
        ValueError: there is none.
    """
    jobs = [job for comparison in comparisons for job in comparison.jobs]
    if not jobs:
        raise ValueError("there is nothing to summarise")
    start_errors_s = [abs(job.start_error_s) for job in jobs]
    makespans = [comparison.makespan_error_percent for comparison in comparisons]
    return Summary(
        mixes=len(comparisons),
        jobs=len(jobs),
        same_nodes=sum(job.same_nodes for job in jobs) / len(jobs),
        same_cores=sum(job.same_cores for job in jobs) / len(jobs),
        same_state=sum(job.same_state for job in jobs) / len(jobs),
        swapped_pairs=sum(len(comparison.swapped) for comparison in comparisons),
        median_start_error_s=median(start_errors_s),
        max_start_error_s=max(start_errors_s),
        median_makespan_error_percent=median(makespans),
        max_makespan_error_percent=max(makespans),
    )


def _difference(expected: JobRecord, actual: JobRecord) -> JobDifference:
    return JobDifference(
        expected,
        actual,
        start_error_s=round(actual.script_start_s - expected.script_start_s, 3),
        same_nodes=expand(actual.nodelist) == expand(expected.nodelist),
        same_cores=actual.cores == expected.cores,
        same_state=actual.state == expected.state,
    )


def _swapped(jobs: Sequence[JobDifference]) -> tuple[tuple[str, str], ...]:
    """Return the pairs that start in the other order; `jobs` are in the expected one."""
    return tuple(
        (first.expected.name, second.expected.name)
        for first, second in combinations(jobs, 2)
        if second.expected.script_start_s - first.expected.script_start_s > _SAME_MOMENT_S
        and first.actual.script_start_s - second.actual.script_start_s > _SAME_MOMENT_S
    )
