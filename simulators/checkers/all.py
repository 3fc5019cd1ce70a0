"""All checkers, and running them."""

from dataclasses import dataclass

from simulators.checkers import (  # noqa: F401 - importing them registers them
    caps_hold,
    each_log_once,
    ends_in_time,
    launcher_tells_the_truth,
    never_oversubscribed,
    no_job_after_task,
    no_job_left,
    no_secret,
    one_live_job_per_try,
    request_budget,
    state_is_the_jobs,
)
from simulators.checkers.history import History
from simulators.checkers.model import Checker, Facts, checker

CHECKERS: dict[str, Checker] = dict(checker)
"""By name."""


@dataclass(frozen=True)
class Broken:
    """One invariant that a run broke."""

    checker: str
    text: str


def check(history: History, facts: Facts) -> list[Broken]:
    """Return everything that a run broke."""
    return [Broken(found.name, text) for found in CHECKERS.values() for text in found.check(history, facts)]
