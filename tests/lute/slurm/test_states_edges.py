"""Every word of squeue's manual page (22.05, JOB STATE CODES), and what a job in that state is to the JID."""

import pytest

from lute.slurm.states import JOB_STATUS, parse_state

WAITS = ("CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT")
RUNS = ("COMPLETING", "RESIZING", "RUNNING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED")
FAILED = ("BOOT_FAIL", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY")
ENDED = ("CANCELLED", "DEADLINE", "PREEMPTED", "REVOKED", "TIMEOUT")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((word, "SUBMITTED") for word in WAITS),
        *((word, "RUNNING") for word in RUNS),
        *((word, "FAILED") for word in FAILED),
        *((word, "EXITED") for word in ENDED),
        ("COMPLETED", "DONE"),
    ],
)
def test_each_word_of_slurm_is_understood(word: str, status: str) -> None:
    state = parse_state(word)
    assert state is not None
    assert (str(state), str(JOB_STATUS[state])) == (word, status)
    assert state.is_final is (status in ("FAILED", "EXITED", "DONE"))
