"""The table of states."""

import pytest

from lute.jid.status import JobStatus
from lute.slurm.states import JOB_STATUS, SlurmState, parse_state


def test_every_state_has_a_row() -> None:
    assert set(JOB_STATUS) == set(SlurmState)


def test_only_completed_is_success() -> None:
    assert [state for state, status in JOB_STATUS.items() if status.is_success] == [SlurmState.COMPLETED]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SlurmState.PENDING, JobStatus.SUBMITTED),
        (SlurmState.CONFIGURING, JobStatus.SUBMITTED),
        (SlurmState.REQUEUED, JobStatus.SUBMITTED),
        (SlurmState.COMPLETING, JobStatus.RUNNING),
        (SlurmState.SUSPENDED, JobStatus.RUNNING),
        (SlurmState.NODE_FAIL, JobStatus.FAILED),
        (SlurmState.OUT_OF_MEMORY, JobStatus.FAILED),
        (SlurmState.CANCELLED, JobStatus.EXITED),
        (SlurmState.TIMEOUT, JobStatus.EXITED),
        (SlurmState.PREEMPTED, JobStatus.EXITED),
    ],
)
def test_rows(state: SlurmState, status: JobStatus) -> None:
    assert JOB_STATUS[state] is status
    assert state.is_final is not status.is_active


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("CANCELLED by 1001", SlurmState.CANCELLED),
        ("CANCELLED+", SlurmState.CANCELLED),
        ("OUT_OF_ME+", SlurmState.OUT_OF_MEMORY),
        ("  RUNNING\n", SlurmState.RUNNING),
        ("REQUEUE+", None),
        ("COMPLETED_NOT", None),
        ("COMPLETE", None),
        ("completed", None),
        ("slurm_load_jobs error: RUNNING", None),
        ("", None),
    ],
)
def test_parse(text: str, state: SlurmState | None) -> None:
    assert parse_state(text) is state
