"""Status requests stay within their budget."""

from collections import Counter
from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker

_FIRST = 40
_INTERVAL_S = 4.5
"""About one request in 5 s once a job is not young any more, and one in ten per cent of its age before."""


@checker
def request_budget(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """A waiting job costs at most 40 status requests, and one more in each 4.5 s of its life."""
    asked = Counter(
        entry["actor"] for entry in history.exchanges if entry["endpoint"] == "jid.job_statuses"
    )
    for client, times in asked.items():
        lives = [
            ((job.end_s if job.end_s is not None else history.end_s) - job.submit_s)
            for job in history.jobs.values()
            if job.task == client
        ]
        disturbed = sum(entry["target"] == client for entry in history.faults)
        allowed = _FIRST * max(1, len(lives)) + sum(lives) / _INTERVAL_S + 40 * disturbed
        if times > allowed:
            yield f"{client} asked for its status {times} times in {sum(lives):.0f} s"
