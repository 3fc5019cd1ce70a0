"""The status of a JID job: the words of the eLog, and which of them mean what."""

from enum import StrEnum


class JobStatus(StrEnum):
    """The status words that the eLog and the JID use.

    Only DONE is success. Known: START, SUBMITTED, RUNNING, DONE, FAILED, EXITED are the only words
    that the eLog's own pages and the workflow clients know (eLog sources; upstream LUTE's operator).
    """

    START = "START"
    """In the eLog, not yet handed to Slurm."""
    SUBMITTED = "SUBMITTED"
    """In Slurm's queue."""
    RUNNING = "RUNNING"
    DONE = "DONE"
    """Ended with success."""
    FAILED = "FAILED"
    """Ended by its own fault: non-zero exit code, signal, out of memory, node failure."""
    EXITED = "EXITED"
    """Ended from outside: cancelled, out of time, preempted."""

    @property
    def is_active(self) -> bool:
        """True while the job may still run."""
        return self in (JobStatus.START, JobStatus.SUBMITTED, JobStatus.RUNNING)

    @property
    def is_success(self) -> bool:
        """True for the one word that means success."""
        return self is JobStatus.DONE
