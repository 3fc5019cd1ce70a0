"""Which chain of steps decided how long a workflow took."""

from collections.abc import Mapping, Sequence


def critical_path(ended: Mapping[str, float], downstream: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the chain of steps that ended last: each step after the one that it waited for longest.

    Args:
        ended: when each step that ran ended, in seconds; of steps with equal times the later one counts as
            the last.
        downstream: for each step, the steps right behind it.
    """
    order = {step: (end_s, place) for place, (step, end_s) in enumerate(ended.items())}
    path: list[str] = []
    candidates = list(ended)
    while candidates:
        last = max(candidates, key=lambda step: order[step])
        path.insert(0, last)
        candidates = [step for step in ended if last in downstream.get(step, ())]
    return path
