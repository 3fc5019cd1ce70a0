"""The fake Slurm keeps its own books."""

from collections.abc import Iterator, Mapping
from math import inf

from simulators.checkers.history import History, JobFacts
from simulators.checkers.model import Facts, checker

_HOLDING = frozenset(["RUNNING", "COMPLETING", "SUSPENDED"])


@checker
def never_oversubscribed(history: History, facts: Facts) -> Iterator[str]:
    """Jobs never hold more cores of a node than it has."""
    has = {node: cores for nodes in facts.partitions.values() for node, cores in nodes.items()}
    changes: list[tuple[float, int, str]] = []
    for job in history.jobs.values():
        for start_s, end_s, nodes in _held(job):
            for node, cores in nodes.items():
                changes += [(start_s, cores, node), (end_s, -cores, node)]
    held: dict[str, int] = {}
    told: set[str] = set()
    for _, cores, node in sorted(changes):  # what is given back at a moment is free at that moment
        held[node] = held.get(node, 0) + cores
        if held[node] > has.get(node, 0) and node not in told:
            told.add(node)
            yield f"{held[node]} cores of {node} were held at once, it has {has.get(node, 0)}"


def _held(job: JobFacts) -> Iterator[tuple[float, float, Mapping[str, int]]]:
    """Yield each time during which it held cores, and the cores by node; the last may have no end."""
    for start_s, nodes in job.cores.items():
        ends = [time_s for time_s, state in job.states if time_s >= start_s and state not in _HOLDING]
        yield start_s, min(ends, default=inf), nodes
