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
    """A try costs at most 40 status requests, and one more in each 4.5 s for which it asks."""
    asked: dict[str, list[float]] = {}
    for entry in history.exchanges:
        if entry["endpoint"] == "jid.job_statuses":
            asked.setdefault(entry["actor"], []).append(entry["sent_s"])
    disturbed = Counter(entry["target"] for entry in history.faults)
    for client, times in asked.items():
        if client == "triggerer":  # it asks for all that are deferred
            jobs, targets = len(history.jobs), set(disturbed)
        else:
            jobs, targets = sum(job.task == client for job in history.jobs.values()), {client}
        span_s = times[-1] - times[0]
        faults = sum(disturbed[target] for target in targets)
        allowed = _FIRST * (max(1, jobs) + faults) + span_s / _INTERVAL_S
        if len(times) > allowed:
            yield f"{client} asked for its status {len(times)} times in {span_s:.0f} s"
