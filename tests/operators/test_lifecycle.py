"""The life of a step on a clock that only sleeping moves."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from lute.errors import PermanentError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.jid.wire import parse_record
from lute.operators.lifecycle import Lifecycle, Outcome, StepStopped, poll_interval_s
from tests.fakes import FakeClock, settings


@dataclass
class FakeJid:
    """A JID with one job, whose status word is that of the latest moment passed."""

    clock: FakeClock
    words: dict[float, Any]
    log: str | RemoteError = "the log"
    polls: list[float] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    kill_trouble: RemoteError | None = None
    poll_trouble: RemoteError | None = None

    def word(self) -> Any:
        return self.words[max(moment for moment in self.words if moment <= self.clock.elapsed_s)]

    def start_job(self, document: dict[str, Any]) -> JobRecord:
        return parse_record(document | {"tool_id": "7", "status": self.word(), "log_file_path": "/l/7.out"})

    def job_statuses(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        self.polls.append(self.clock.elapsed_s)
        if self.poll_trouble:
            raise self.poll_trouble
        word = self.word()
        return [] if word == "NOTHING" else [parse_record(records[0].document | {"status": word})]

    def kill_job(self, record: JobRecord) -> None:
        if self.kill_trouble:
            raise self.kill_trouble
        self.killed.append(record.tool_id)

    def job_log_file(self, record: JobRecord) -> str:
        if isinstance(self.log, RemoteError):
            raise self.log
        return self.log


def run(jid: FakeJid, *, poke_interval_s: float = 5.0, stop_at_s: float = 1e9) -> Outcome:
    remembered: list[JobRecord] = []
    lifecycle = Lifecycle(
        cast("JidClient", jid),
        clock=jid.clock,
        settings=settings(),
        poke_interval_s=poke_interval_s,
        log=logging.getLogger("test"),
        remember=remembered.append,
        stopped=lambda: jid.clock.elapsed_s >= stop_at_s,
    )
    try:
        return lifecycle.run({"experiment": "exp"})
    finally:
        assert [record.tool_id for record in remembered] == ["7"]


@pytest.mark.parametrize("word", ["DONE", "FAILED", "EXITED"])
def test_a_final_word_ends_the_step(word: str) -> None:
    outcome = run(FakeJid(FakeClock(), {0: "SUBMITTED", 3: "RUNNING", 10: word}))
    assert (outcome.status, outcome.log) == (JobStatus(word), "the log")


@pytest.mark.parametrize("word", ["PENDING", "", None, "done", "COMPLETED", "NOTHING", "TIMEOUT"])
def test_what_is_no_status_is_asked_again_and_never_success(word: str | None) -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING", 5: word})
    with pytest.raises(PermanentError, match="tells no status for Slurm job 7"):
        run(jid)
    limit_s = settings().timeouts.unknown_status_s
    assert limit_s < jid.clock.elapsed_s - 5 < limit_s + 15
    assert jid.killed == ["7"]


def test_a_passing_lack_of_status_does_no_harm() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING", 5: "NOTHING", 50: "RUNNING", 55: "", 100: "DONE"})
    assert run(jid).status is JobStatus.DONE


@pytest.mark.parametrize("error", [TransientError("x", endpoint="e"), PermanentError("x", endpoint="e")])
@pytest.mark.parametrize("word", ["DONE", "FAILED"])
def test_a_log_that_cannot_be_read_changes_no_verdict(error: RemoteError, word: str) -> None:
    outcome = run(FakeJid(FakeClock(), {0: word}, log=error))
    assert outcome.status is JobStatus(word)
    assert "cannot be read: x" in outcome.log
    assert "/l/7.out" in outcome.log


def test_a_stopped_step_asks_nothing_more() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"})
    with pytest.raises(StepStopped, match="Slurm job 7 was cancelled"):
        run(jid, stop_at_s=30)
    assert max(jid.polls) < 30
    assert jid.killed == ["7"]


def test_a_step_stopped_while_it_was_submitted_cancels_its_job() -> None:
    jid = FakeJid(FakeClock(), {0: "SUBMITTED"})
    with pytest.raises(StepStopped, match="Slurm job 7 was cancelled"):
        run(jid, stop_at_s=0)
    assert (jid.polls, jid.killed) == ([], ["7"])


def test_a_jid_lost_for_good_costs_the_job_and_says_so() -> None:
    lost = TransientError("no answer", endpoint="e")
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, poll_trouble=lost)
    with pytest.raises(TransientError, match=r"no answer.*; Slurm job 7 was cancelled"):
        run(jid)
    assert jid.killed == ["7"]


def test_nobody_tries_again_beside_a_job_that_may_still_run() -> None:
    lost = TransientError("no answer", endpoint="e")
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, poll_trouble=lost, kill_trouble=lost)
    with pytest.raises(PermanentError, match="Slurm job 7 may still run"):
        run(jid)


def test_a_reply_cannot_make_it_another_job() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING", 5: "DONE"})
    answer = jid.job_statuses

    def confused(records: Sequence[JobRecord]) -> list[JobRecord]:
        assert records[0].document["tool_id"] == "7"
        assert records[0].document["experiment"] == "exp"
        (now,) = answer(records)
        return [parse_record(now.document | {"tool_id": "", "experiment": None})]

    jid.job_statuses = confused  # type: ignore[method-assign]
    assert run(jid).record.document["experiment"] == "exp"


def test_the_end_of_a_job_is_seen_within_a_tenth_of_its_age_or_the_poke_interval() -> None:
    for end_s in (0.2, 3, 20, 47, 300, 3600):
        jid = FakeJid(FakeClock(), {0: "RUNNING", end_s: "DONE"})
        run(jid)
        assert jid.clock.elapsed_s - end_s <= max(1.0, min(5.0, 0.1 * end_s))


def test_poll_intervals() -> None:
    assert [poll_interval_s(age, 5.0) for age in (0, 20, 1000)] == [1.0, 2.0, 5.0]
