"""The states of a Slurm job, and what each means to the JID.

The base states and flags are those of `squeue`'s manual page (22.05, JOB STATE CODES).
"""

import re
from enum import StrEnum

from lute.jid.status import JobStatus


class SlurmState(StrEnum):
    """What `scontrol show job`, `squeue -o %T` and `sacct` print as the state of a job."""

    BOOT_FAIL = "BOOT_FAIL"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    COMPLETING = "COMPLETING"
    """Its end is decided, some of its processes may still live; hides the final state (measured)."""
    CONFIGURING = "CONFIGURING"
    DEADLINE = "DEADLINE"
    FAILED = "FAILED"
    NODE_FAIL = "NODE_FAIL"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    PENDING = "PENDING"
    PREEMPTED = "PREEMPTED"
    REQUEUED = "REQUEUED"
    REQUEUE_FED = "REQUEUE_FED"
    REQUEUE_HOLD = "REQUEUE_HOLD"
    RESIZING = "RESIZING"
    RESV_DEL_HOLD = "RESV_DEL_HOLD"
    REVOKED = "REVOKED"
    RUNNING = "RUNNING"
    SIGNALING = "SIGNALING"
    SPECIAL_EXIT = "SPECIAL_EXIT"
    """Requeued and held: it may be released and run again."""
    STAGE_OUT = "STAGE_OUT"
    STOPPED = "STOPPED"
    SUSPENDED = "SUSPENDED"
    TIMEOUT = "TIMEOUT"

    @property
    def is_final(self) -> bool:
        """True if a job in this state does not run again by itself.

        A requeued job passes through NODE_FAIL or PREEMPTED, then is PENDING again, same id (measured).
        """
        return not JOB_STATUS[self].is_active


JOB_STATUS: dict[SlurmState, JobStatus] = {
    SlurmState.BOOT_FAIL: JobStatus.FAILED,
    SlurmState.CANCELLED: JobStatus.EXITED,
    SlurmState.COMPLETED: JobStatus.DONE,
    SlurmState.COMPLETING: JobStatus.RUNNING,
    SlurmState.CONFIGURING: JobStatus.SUBMITTED,
    SlurmState.DEADLINE: JobStatus.EXITED,
    SlurmState.FAILED: JobStatus.FAILED,
    SlurmState.NODE_FAIL: JobStatus.FAILED,
    SlurmState.OUT_OF_MEMORY: JobStatus.FAILED,
    SlurmState.PENDING: JobStatus.SUBMITTED,
    SlurmState.PREEMPTED: JobStatus.EXITED,
    SlurmState.REQUEUED: JobStatus.SUBMITTED,
    SlurmState.REQUEUE_FED: JobStatus.SUBMITTED,
    SlurmState.REQUEUE_HOLD: JobStatus.SUBMITTED,
    SlurmState.RESIZING: JobStatus.RUNNING,
    SlurmState.RESV_DEL_HOLD: JobStatus.SUBMITTED,
    SlurmState.REVOKED: JobStatus.EXITED,
    SlurmState.RUNNING: JobStatus.RUNNING,
    SlurmState.SIGNALING: JobStatus.RUNNING,
    SlurmState.SPECIAL_EXIT: JobStatus.SUBMITTED,
    SlurmState.STAGE_OUT: JobStatus.RUNNING,
    SlurmState.STOPPED: JobStatus.RUNNING,
    SlurmState.SUSPENDED: JobStatus.RUNNING,
    SlurmState.TIMEOUT: JobStatus.EXITED,
}
"""What the JID says of a job in each state. Inferred from the clients of the site's JID."""


def parse_state(text: str) -> SlurmState | None:
    """Return the state that `text` starts with, None if its first word is no state.

    `CANCELLED by 1001` is what sacct prints, and `OUT_OF_ME+` what it prints in a narrow column.
    """
    match = re.match(r"\s*([A-Z_]+)(\+?)(?=\s|$)", text)
    if match is None:
        return None
    word, cut = match.groups()
    found = [state for state in SlurmState if state == word or (cut and state.startswith(word))]
    return found[0] if len(found) == 1 else None
