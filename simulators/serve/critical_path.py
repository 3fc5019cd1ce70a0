"""How long a workflow's jobs take at least: the longest chain of steps."""

from collections.abc import Mapping, Sequence


def critical_path(run_times_s: Mapping[str, float], downstream: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the chain of steps with the greatest total run time, first step first.

    Args:
        run_times_s: run time of each step that ran.
        downstream: for each step, the steps right behind it; acyclic.
    """
    best: dict[str, list[str]] = {}

    def longest_from(step: str) -> list[str]:
        if step not in best:
            tails = [longest_from(following) for following in downstream.get(step, ())]
            tail = max(tails, key=lambda chain: _total_s(chain, run_times_s), default=[])
            best[step] = ([step] if step in run_times_s else []) + tail
        return best[step]

    chains = [longest_from(step) for step in run_times_s]
    return max(chains, key=lambda chain: _total_s(chain, run_times_s), default=[])


def _total_s(chain: Sequence[str], run_times_s: Mapping[str, float]) -> float:
    return sum(run_times_s[step] for step in chain)
