"""The differential report: tables for people, a dictionary for programs."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from simulators.workload.compare import Comparison, JobDifference, Summary


def show(comparisons: Sequence[Comparison], summary: Summary, console: Console) -> None:
    """Print a table of each mix's jobs, one of the mixes, and the summary.

    The column `by` has who started a job, on real Slurm and on the fake: M is the main scheduler, B backfill.
    """
    for comparison in comparisons:
        console.print(_jobs(comparison))
    console.print(_mixes(comparisons))
    console.print(
        f"{summary.jobs} jobs of {summary.mixes} mixes: {summary.same_nodes:.1%} on the same nodes, "
        f"{summary.same_cores:.1%} on the same cores, {summary.same_state:.1%} with the same state, "
        f"{summary.swapped_pairs} pairs in another order",
        f"start error: median {summary.median_start_error_s:.2f} s, most {summary.max_start_error_s:.2f} s",
        f"makespan error: median {summary.median_makespan_error_percent:.2f} %, "
        f"most {summary.max_makespan_error_percent:.2f} %",
        "the fake is within its limits" if summary.is_within_limits else "the fake is NOT within its limits",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )


def as_dict(comparisons: Sequence[Comparison], summary: Summary) -> dict[str, object]:
    """Return the report, ready for JSON; the expected run is the real one."""
    mixes = [
        {
            "name": comparison.name,
            "makespan_s": comparison.makespan_s,
            "makespan_error_percent": round(comparison.makespan_error_percent, 3),
            "swapped": comparison.swapped,
            "jobs": [_job(job) for job in comparison.jobs],
        }
        for comparison in comparisons
    ]
    return {"is_within_limits": summary.is_within_limits, "summary": asdict(summary), "mixes": mixes}


def _job(job: JobDifference) -> dict[str, object]:
    return {
        "name": job.expected.name,
        "start_error_s": job.start_error_s,
        "same_nodes": job.same_nodes,
        "same_cores": job.same_cores,
        "same_state": job.same_state,
        "expected": job.expected.model_dump(by_alias=True),
        "actual": job.actual.model_dump(by_alias=True),
    }


def _jobs(comparison: Comparison) -> Table:
    headers = ("job", "start s", "error", "nodes", "fake's", "cores", "by", "state")
    table = Table(*headers, title=f"{comparison.name}, by start on real Slurm", box=SIMPLE_HEAD)
    for job in comparison.jobs:
        real, fake = job.expected, job.actual
        table.add_row(
            real.name,
            f"{real.script_start_s:.2f}",
            f"{job.start_error_s:+.2f}",
            real.nodelist,
            "same" if job.same_nodes else fake.nodelist,
            "same" if job.same_cores else "differ",
            f"{real.started_by[0]}/{fake.started_by[0]}",
            "same" if job.same_state else f"{real.state}, fake {fake.state}",
        )
    return table


def _mixes(comparisons: Sequence[Comparison]) -> Table:
    headers = ("mix", "same nodes", "same cores", "makespan s", "error %", "pairs swapped")
    table = Table(*headers, title="mixes", box=SIMPLE_HEAD)
    for comparison in comparisons:
        table.add_row(
            comparison.name,
            f"{sum(job.same_nodes for job in comparison.jobs)} of {len(comparison.jobs)}",
            f"{sum(job.same_cores for job in comparison.jobs)} of {len(comparison.jobs)}",
            f"{comparison.makespan_s:.1f}",
            f"{comparison.makespan_error_percent:.2f}",
            " ".join("/".join(pair) for pair in comparison.swapped),
        )
    return table
