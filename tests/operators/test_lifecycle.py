"""The life of a step on a clock that only sleeping moves."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from lute.errors import PermanentError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.start import JobGone, RefusedTooLate
from lute.jid.status import JobStatus
from lute.jid.wire import parse_record
from lute.operators.lifecycle import JobMayRun, Lifecycle, Outcome, StepStopped
from lute.operators.waiting import Limits
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
    start_trouble: RemoteError | None = None
    starts: list[float] = field(default_factory=list)
    cancelled: int = 0

    def word(self) -> Any:
        return self.words[max(moment for moment in self.words if moment <= self.clock.elapsed_s)]

    def start_job(self, document: dict[str, Any]) -> JobRecord:
        self.starts.append(self.clock.elapsed_s)
        if self.start_trouble:
            raise self.start_trouble
        return parse_record(document | {"tool_id": "7", "status": self.word(), "log_file_path": "/l/7.out"})

    def known_job(self, document: dict[str, Any], record: JobRecord) -> JobRecord:
        assert record.tool_id == "7"
        return self.start_job(document)

    def job_statuses(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        self.polls.append(self.clock.elapsed_s)
        if self.poll_trouble:
            raise self.poll_trouble
        word = self.word()
        return [] if word == "NOTHING" else [parse_record(records[0].document | {"status": word})]

    def cancel_submission(self, document: dict[str, Any]) -> None:
        assert document["experiment"] == "exp"
        self.cancelled += 1
        if self.kill_trouble:
            raise self.kill_trouble

    def kill_job(self, record: JobRecord) -> None:
        if self.kill_trouble:
            raise self.kill_trouble
        self.killed.append(record.tool_id)

    def job_log_file(self, record: JobRecord) -> str:
        if isinstance(self.log, RemoteError):
            raise self.log
        return self.log


DOCUMENT = {"experiment": "exp"}


def lifecycle_of(jid: FakeJid, *, stop_at_s: float = 1e9) -> Lifecycle:
    client = cast("JidClient", jid)
    return Lifecycle(
        client,
        client,
        clock=jid.clock,
        settings=settings(),
        log=logging.getLogger("test"),
        stopped=lambda: jid.clock.elapsed_s >= stop_at_s,
    )


def run(jid: FakeJid, *, limits: Limits = Limits(5.0), stop_at_s: float = 1e9) -> Outcome:  # noqa: B008
    lifecycle = lifecycle_of(jid, stop_at_s=stop_at_s)
    return lifecycle.conclude(lifecycle.wait(lifecycle.submit(DOCUMENT), DOCUMENT, limits))


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
    assert outcome.log == "[the log of Slurm job 7, /l/7.out, cannot be read: x [e]]\n"


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
    assert jid.clock.elapsed_s == 0, "without a pause before it"


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


def test_an_outage_of_the_jid_costs_nothing_but_time() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING", 600: "DONE"})
    answer = jid.job_statuses

    def down(records: Sequence[JobRecord]) -> list[JobRecord]:
        if 10 < jid.clock.elapsed_s < 10 + 15 * 60:
            jid.polls.append(jid.clock.elapsed_s)
            raise TransientError("down", endpoint="e")
        return answer(records)

    jid.job_statuses = down  # type: ignore[method-assign]
    assert run(jid).status is JobStatus.DONE
    assert jid.killed == []
    assert len(jid.polls) < 60, "back-off"


def test_a_submission_that_failed_for_now_is_cancelled_before_anybody_tries_again() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, start_trouble=TransientError("no reply", endpoint="e"))
    with pytest.raises(TransientError, match="no reply"):
        run(jid)
    assert jid.cancelled == 1
    jid.kill_trouble = TransientError("no reply either", endpoint="e")
    with pytest.raises(PermanentError, match="a job of it may run: no reply either"):
        run(jid)


def test_a_refusal_after_an_unclear_attempt_cancels_what_that_may_have_led_to() -> None:
    trouble = RefusedTooLate("token refused", endpoint="e", http_status=403)
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, start_trouble=trouble)
    with pytest.raises(RefusedTooLate):
        lifecycle_of(jid).submit(DOCUMENT)
    assert jid.cancelled == 1
    jid.kill_trouble = PermanentError("token refused", endpoint="e", http_status=403)
    with pytest.raises(JobMayRun, match="token refused; a job of it may run: token refused"):
        lifecycle_of(jid).submit(DOCUMENT)


def test_a_question_without_an_answer_ends_no_job() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING", 5000: "DONE"})
    lifecycle = lifecycle_of(jid)
    record = lifecycle.submit(DOCUMENT)
    jid.start_trouble = PermanentError("there is no configuration file", endpoint="e")
    assert lifecycle.wait(record, DOCUMENT, Limits(10.0)).status is JobStatus.DONE
    assert len(jid.starts) > 2
    assert jid.killed == []


def test_a_refused_submission_leaves_nothing_to_cancel() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, start_trouble=PermanentError("bad partition", endpoint="e"))
    with pytest.raises(PermanentError, match="bad partition"):
        run(jid)
    assert jid.cancelled == 0


def test_a_job_that_slurm_has_forgotten_is_noticed() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"})
    answer = jid.start_job

    def gone(document: dict[str, Any]) -> JobRecord:
        record = answer(document)
        if jid.clock.elapsed_s > 0:
            raise JobGone("job 7 is gone", endpoint="e")
        return record

    jid.start_job = gone  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="job 7 is gone; Slurm job 7 was cancelled"):
        run(jid)
    assert 600 < jid.clock.elapsed_s < 1300


def test_a_job_that_has_left_its_exit_code_is_taken_by_that() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"})

    def start_job(document: dict[str, Any]) -> JobRecord:
        jid.starts.append(jid.clock.elapsed_s)
        return parse_record(
            document | {"tool_id": "7", "status": "DONE" if jid.clock.elapsed_s else "RUNNING"}
        )

    jid.start_job = start_job  # type: ignore[method-assign]
    assert run(jid).status is JobStatus.DONE
    assert len(jid.starts) == 2


@pytest.mark.parametrize(
    ("limits", "words", "message"),
    [
        (
            Limits(5.0, queue_s=100),
            {0: "SUBMITTED"},
            "has waited in the queue for 10. s, longer than queue_timeout_s",
        ),
        (
            Limits(5.0, run_s=100),
            {0: "SUBMITTED", 500: "RUNNING"},
            "has run for 10. s, longer than run_timeout_s",
        ),
        (
            Limits(5.0, queue_s=100),
            {0: "SUBMITTED", 50: "RUNNING", 500: "SUBMITTED"},
            "has waited in the queue for 10. s",
        ),
    ],
)
def test_a_step_waits_no_longer_than_its_limits(
    limits: Limits, words: dict[float, Any], message: str
) -> None:
    jid = FakeJid(FakeClock(), words)
    with pytest.raises(PermanentError, match=rf"Slurm job 7 {message}.*Slurm job 7 was cancelled"):
        run(jid, limits=limits)
    assert jid.killed == ["7"]


def test_limits_that_are_kept_do_nothing() -> None:
    jid = FakeJid(FakeClock(), {0: "SUBMITTED", 90: "RUNNING", 180: "DONE"})
    assert run(jid, limits=Limits(5.0, queue_s=100, run_s=100)).status is JobStatus.DONE


def test_the_log_of_a_step_tells_its_story(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lost = TransientError("no such file", endpoint="e")
    jid = FakeJid(FakeClock(), {0: "SUBMITTED", 60: "RUNNING", 20_000: "DONE"}, log=lost)
    start_job = jid.start_job

    def no_script(document: dict[str, Any]) -> JobRecord:
        if jid.clock.elapsed_s:
            raise TransientError("no script", endpoint="e")
        return start_job(document)

    jid.start_job = no_script  # type: ignore[method-assign]
    run(jid)
    assert list(dict.fromkeys(caplog.messages)) == [
        "Slurm job 7 submitted",
        "Slurm job 7: RUNNING",
        "The submit script cannot be asked: no script [e]",
        "Slurm job 7: DONE",
        "The log of Slurm job 7 cannot be read: no such file [e]",
    ]


def test_what_is_cut_from_a_log_is_said_to_be_in_the_whole_one() -> None:
    jid = FakeJid(FakeClock(), {0: "DONE"}, log="x" * (settings().logs.max_kib * 1024 + 1))
    assert run(jid).log.startswith("[... 1 earlier characters cut; the whole log: /l/7.out ...]\n")


def test_a_defect_of_ours_leaves_no_job_behind(caplog: pytest.LogCaptureFixture) -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, poll_trouble=ZeroDivisionError("defect"))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        run(jid)
    assert jid.killed == ["7"]
    assert (caplog.records[-1].levelname, caplog.messages[-1]) == ("ERROR", "Slurm job 7 was cancelled")


def test_an_error_keeps_what_it_says_of_the_service() -> None:
    refused = PermanentError("token refused", endpoint="e", http_status=401, next_step="launch again")
    jid = FakeJid(FakeClock(), {0: "RUNNING"}, poll_trouble=refused)
    with pytest.raises(PermanentError) as caught:
        run(jid)
    error = caught.value
    assert error.reason == "token refused; Slurm job 7 was cancelled"
    assert (error.endpoint, error.http_status, error.next_step) == ("e", 401, "launch again")


def test_a_job_that_runs_is_not_concluded() -> None:
    jid = FakeJid(FakeClock(), {0: "RUNNING"})
    lifecycle = lifecycle_of(jid)
    with pytest.raises(ValueError, match="has not ended"):
        lifecycle.conclude(lifecycle.submit(DOCUMENT))


def test_the_end_of_a_job_is_seen_within_a_seventh_of_its_age_or_the_poke_interval() -> None:
    for end_s in (0.2, 3, 20, 47, 300, 3600):
        jid = FakeJid(FakeClock(), {0: "RUNNING", end_s: "DONE"})
        run(jid)
        assert jid.clock.elapsed_s - end_s <= max(0.5, min(5.0, 0.2 * end_s))
