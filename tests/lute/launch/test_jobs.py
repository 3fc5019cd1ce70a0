"""Asking Slurm how a job went, where that may not answer."""

from typing import Any

import pytest

from lute.errors import ConfigError, PermanentError
from lute.launch.jobs import JobLookup
from tests.fakes import FakeClock


class FakeSlurm:
    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.asked: list[str] = []

    def job(self, job_id: str) -> Any:
        self.asked.append(job_id)
        if self.trouble:
            raise self.trouble
        return f"job {job_id}"


@pytest.mark.parametrize(
    ("trouble", "asked"),
    [(PermanentError("down", endpoint="e"), 2), (OSError("down"), 2), (ConfigError("no squeue"), 1)],
)
def test_a_slurm_that_does_not_answer_is_left_alone_for_a_while(trouble: Exception, asked: int) -> None:
    clock, slurm = FakeClock(), FakeSlurm()
    jobs = JobLookup(slurm, clock)  # type: ignore[arg-type]
    assert jobs.job("") is None
    assert jobs.job("7") == "job 7"
    slurm.trouble = trouble
    slurm.asked.clear()
    for _ in range(4):
        assert jobs.job("7") is None
        clock.sleep(40.0)
    assert len(slurm.asked) == asked
