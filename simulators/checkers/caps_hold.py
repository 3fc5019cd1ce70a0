"""A step's cap on cores holds."""

import re
from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker

_INDEX = re.compile(r"\[\d+\]$")


@checker
def caps_hold(history: History, facts: Facts) -> Iterator[str]:
    """No job asks for more cores than its operator's `max_cores`."""
    for job in history.jobs.values():
        cap = facts.caps.get(_INDEX.sub("", job.label))
        if cap is not None and job.cpus > cap:
            yield f"job {job.job_id} of {job.task} has {job.cpus} cores, its cap is {cap}"
