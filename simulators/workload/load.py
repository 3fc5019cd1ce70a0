"""What replays need of a job: when it comes, how long it runs, how much it asks for."""

from enum import IntEnum
from typing import NamedTuple


class Outcome(IntEnum):
    """How a job ended; the numbers are those of the Standard Workload Format, field 11."""

    FAILED = 0
    COMPLETED = 1
    CANCELLED = 5


class LoadJob(NamedTuple):
    """One job of a load.

    Attributes:
        submit_s: seconds since the load's start.
        run_s: how long it runs if nobody ends it.
        procs: cores.
        limit_s: time limit that it asks for.
        outcome: how it ends if nobody ends it before.
    """

    submit_s: float
    run_s: float
    procs: int
    limit_s: float
    outcome: Outcome = Outcome.COMPLETED
