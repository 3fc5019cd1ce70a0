"""The fake Slurm keeps its own books."""

from collections.abc import Iterator
from itertools import pairwise

from simulators.checkers.history import History, JobFacts
from simulators.checkers.model import Facts, checker
from simulators.slurm.conf import DEFAULT_PARTITIONS

_CORES = {node: cores for nodes in DEFAULT_PARTITIONS.values() for node, cores in nodes.items()}


@checker
def never_oversubscribed(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """Jobs never hold more cores of a node than it has."""
    spans = [span for job in history.jobs.values() for span in _running(job, history.end_s)]
    for start_s, _, cores in spans:
        for node in cores:
            held = sum(other.get(node, 0) for from_s, to_s, other in spans if from_s <= start_s < to_s)
            if node in _CORES and held > _CORES[node]:
                yield f"{held} cores of {node} were held at once"


def _running(job: JobFacts, end_s: float) -> Iterator[tuple[float, float, dict[str, int]]]:
    """Yield each time during which it held cores, from RUNNING to the state after, and the cores by node."""
    moments = [*job.states, (end_s, "")]
    for (time_s, state), (next_s, _) in pairwise(moments):
        if state == "RUNNING":
            yield time_s, next_s, job.cores.get(time_s, {})
