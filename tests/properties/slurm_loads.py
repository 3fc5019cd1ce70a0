"""Loads for a small cluster: who submits what, and when."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from simulators.slurm.admission import RejectedError
from simulators.slurm.models import JobModel
from tests.simulators.slurm.virtual import START_S, Virtual

PARTITIONS = {"milano": {"a": 4, "b": 4, "c": 3, "d": 1}, "ampere": {"g": 4, "d": 1}}
"""Nodes of odd sizes; one of them is in both partitions."""
GRES = {"g": "gpu:2"}


@dataclass(frozen=True)
class Submission:
    """One job: when it comes, how long it runs, and the rest of its request."""

    at_s: float
    duration_s: float
    request: Mapping[str, Any]


def shapes(*, most: int = 13) -> st.SearchStrategy[dict[str, Any]]:
    """Geometries: plain ones, several cores a task, node ranges, tasks per node, whole nodes."""
    ntasks = st.integers(1, most)
    return st.one_of(
        st.fixed_dictionaries({"ntasks": ntasks}),
        st.fixed_dictionaries({"ntasks": st.integers(1, 4), "cpus_per_task": st.integers(1, 4)}),
        st.builds(
            # sbatch never lets a request ask for more nodes than tasks
            lambda ntasks, low, more: {
                "ntasks": ntasks,
                "min_nodes": min(low, ntasks),
                "max_nodes": low + more,
            },
            ntasks,
            st.integers(1, 3),
            st.integers(0, 2),
        ),
        st.builds(
            lambda ntasks, most_nodes: {"ntasks": ntasks, "min_nodes": 0, "max_nodes": most_nodes},
            ntasks,
            st.integers(1, 3),
        ),
        st.fixed_dictionaries({"ntasks": ntasks, "ntasks_per_node": st.integers(1, 4)}),
        st.fixed_dictionaries({"ntasks": ntasks, "exclusive": st.just(True)}),
    )


def loads(*, max_size: int = 25, extras: bool = False) -> st.SearchStrategy[list[Submission]]:
    """Loads whose jobs end before their limits.

    Args:
        extras: with arrays, devices, two partitions, and jobs without a limit.
    """

    def build(
        gap_s: float, limit: int, share: float, shape: dict[str, Any], extra: dict[str, Any]
    ) -> tuple[float, float, dict[str, Any]]:
        return gap_s, share * (limit * 60 - 2), {"time_limit_min": limit, **shape, **extra}

    nothing: st.SearchStrategy[dict[str, Any]] = st.just({})
    extra = nothing
    if extras:
        extra = st.one_of(
            nothing,
            st.just({"partitions": ("ampere",), "gpus_per_node": 2, "ntasks": 1}),
            st.just({"partitions": ("milano", "ampere")}),
            st.just({"array": "1-4"}),
            st.just({"array": "1-5%2"}),
            st.just({"time_limit_min": None}),
            st.just({"nodelist": ("b",), "ntasks": 2}),
        )
    jobs = st.builds(
        build,
        st.sampled_from([0.0, 0.3, 1.0, 20.0, 61.5]),
        st.integers(1, 6),
        st.sampled_from([0.02, 0.5, 0.9, 1.0]),
        shapes(most=12),
        extra,
    )

    def at_their_times(rows: list[tuple[float, float, dict[str, Any]]]) -> list[Submission]:
        moment_s, found = 0.0, []
        for gap_s, duration_s, request in rows:
            moment_s += gap_s
            found.append(Submission(moment_s, duration_s, request))
        return found

    return st.lists(jobs, min_size=1, max_size=max_size).map(at_their_times)


def draw_load(random: Random, size: int, *, longest: float = 1.0) -> list[Submission]:
    """Return a load drawn from a stream of random numbers, heavy enough for a long queue.

    Args:
        longest: how long a job runs at most, as a share of its limit.
    """
    moment_s, found = 0.0, []
    for _ in range(size):
        moment_s += random.expovariate(1 / random.choice([2, 20]))
        limit = random.randint(1, 6)
        request: dict[str, Any] = {"time_limit_min": limit}
        kind = random.random()
        if kind < 0.5:
            request["ntasks"] = random.choice([1, 1, 2, 3, 5, 8, 12])
        elif kind < 0.7:
            request |= {"ntasks": random.randint(1, 4), "cpus_per_task": random.randint(1, 3)}
        elif kind < 0.85:
            request |= {"ntasks": random.randint(2, 10), "min_nodes": 2, "max_nodes": random.randint(2, 4)}
        else:
            request["exclusive"] = True
        found.append(Submission(moment_s, random.random() * longest * (limit * 60 - 2), request))
    return found


def plan_load(virtual: Virtual, load: list[Submission]) -> None:
    """Let the jobs of `load` come at their times; those that are refused do not come."""

    def submit(item: Submission) -> None:
        with suppress(RejectedError):
            virtual.submit(model=JobModel(item.duration_s), **item.request)

    for item in load:
        virtual.agenda.at(START_S + item.at_s, lambda item=item: submit(item))  # type: ignore[misc]
