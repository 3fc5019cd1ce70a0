"""When a job is asked about, and what the answers mean, whatever the answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import PermanentError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.wire import parse_record
from lute.operators.waiting import Limits, Wait, poll_interval_s
from tests.fakes import settings

TIMEOUTS = settings().timeouts
DOWN = TransientError("down", endpoint="e")


def record(word: Any = "SUBMITTED", tool_id: str = "7", **more: Any) -> JobRecord:
    return parse_record(
        {"tool_id": tool_id, "status": word, "experiment": "exp", "def": {"name": "T"}} | more
    )


def new_wait(limits: Limits = Limits(10.0)) -> Wait:  # noqa: B008
    return Wait(record(), limits, TIMEOUTS, submitted_s=0.0, now_s=0.0)


def test_poll_intervals() -> None:
    assert [poll_interval_s(age, 5.0) for age in (0, 20, 1000)] == [0.35, 3.2, 5.0]


@pytest.mark.parametrize(("together", "least", "most"), [(1, 45, 50), (3, 14, 17), (6, 7, 9), (100, 7, 9)])
def test_a_day_of_waiting_costs_few_polls_and_doubts(together: int, least: int, most: int) -> None:
    wait, now_s, polls, doubts = new_wait(), 0.0, 0, 0
    while now_s < 24 * 3600:
        now_s += wait.pause_s(now_s)
        wait.told([record("RUNNING")], now_s)
        polls += 1
        if wait.doubts(now_s, together):
            doubts += 1
            wait.asked_script(record("RUNNING"), now_s)
    assert polls < 24 * 362
    assert least <= doubts <= most


def test_a_status_that_may_be_another_jobs_is_none() -> None:
    wait = new_wait()
    wait.told([record("DONE", ""), record("FAILED", "8")], 10.0)
    assert not wait.is_over
    wait.told([record("DONE", ""), record("DONE", "")], 20.0)
    assert not wait.is_over
    wait.told([record("DONE", "")], 30.0)
    assert wait.is_over


def test_after_an_outage_the_script_is_asked_at_once() -> None:
    wait = new_wait()
    wait.told([record("RUNNING")], 10.0)
    assert not wait.doubts(11.0)
    for now_s in (20.0, 40.0, 80.0):
        wait.untold(DOWN, now_s)
    wait.told([record("RUNNING")], 100.0)
    assert not wait.doubts(99.0)
    assert wait.doubts(160.0)
    wait.asked_script(None, 160.0)
    assert not wait.doubts(219.0)
    assert wait.doubts(220.0)


def test_jobs_are_not_doubted_all_at_once() -> None:
    alone, begins, after_outage = [], [], []
    for number in range(100):
        wait = Wait(record(tool_id=str(number)), Limits(10.0), TIMEOUTS, submitted_s=0.0, now_s=0.0)
        alone.append(next(now_s for now_s in range(0, 9000, 10) if wait.doubts(now_s)))
        begins.append(next(now_s for now_s in range(0, 9000, 10) if wait.doubts(now_s, 100)))
        wait.untold(DOWN, 50.0)
        wait.told([record("RUNNING", tool_id=str(number))], 100.0)
        after_outage.append(next(now_s for now_s in range(100, 9000) if wait.doubts(now_s, 100)))
    assert 600 <= min(alone) < 620
    assert 1180 < max(alone) <= 1200
    assert 3600 <= min(begins) < 3700
    assert 7000 < max(begins) <= 7200
    assert max(begins.count(begin) for begin in begins) < 8
    assert 100 <= min(after_outage) < 110
    assert 150 < max(after_outage) <= 160


def test_who_was_only_slow_to_ask_has_no_doubt() -> None:
    wait = new_wait()
    wait.told([record("RUNNING")], 10.0)
    wait.told([record("RUNNING")], 500.0)
    assert not wait.doubts(599.0)


def test_what_is_new_is_told_once() -> None:
    wait = new_wait()
    words = ["SUBMITTED", "RUNNING", "RUNNING", "", "", "ODD", "RUNNING", "DONE"]
    said = [wait.told([record(word)], float(number)) for number, word in enumerate(words)]
    assert said == ["", "RUNNING", "", "(no status)", "", "", "RUNNING", "DONE"]


def test_a_doubt_that_is_cleared_comes_again_after_half_an_hour_for_each_that_waits() -> None:
    wait = new_wait()
    wait.asked_script(record("RUNNING"), 7200.0)
    for together, pause_s in ((1, 1800), (3, 5400), (6, 3 * 3600), (200, 3 * 3600)):
        assert not wait.doubts(7200.0 + pause_s - 1, together)
        assert wait.doubts(7200.0 + pause_s, together)


def test_the_log_of_a_job_is_where_the_jid_last_said() -> None:
    wait = new_wait()
    wait.told([record("RUNNING", log_file_path="/l/%J.out", seen="1")], 1.0)
    wait.told([record("RUNNING")], 2.0)
    assert wait.record.log_file_path == "/l/7.out"
    wait.told([record("RUNNING", log_file_path="/m/%J.out", _id="x")], 3.0)
    assert wait.record.log_file_path == "/m/7.out"
    assert wait.record.document == record("RUNNING", log_file_path="/m/%J.out", seen="1").document


def test_what_ends_a_wait_says_why_and_what_next() -> None:
    unknown = new_wait()
    unknown.told([record("RUNNING")], 100.0)
    with pytest.raises(PermanentError) as caught:
        unknown.told([record("ODD")], 100.0 + TIMEOUTS.unknown_status_s + 1)
    assert caught.value.reason == (
        "the JID tells no status for Slurm job 7: its word is 'ODD',"
        f" for {TIMEOUTS.unknown_status_s + 1:.0f} s now"
    )
    assert (caught.value.endpoint, caught.value.next_step) == (
        "job_statuses",
        "look at the job: scontrol show job 7",
    )
    queued = new_wait(Limits(10.0, queue_s=100.0))
    queued.told([record("SUBMITTED")], 100.0)
    with pytest.raises(PermanentError) as caught:
        queued.told([record("START")], 301.0)
        queued.told([record("START")], 402.0)
    assert caught.value.reason == (
        "Slurm job 7 has waited in the queue for 101 s, longer than queue_timeout_s of the step allows"
    )
    assert (caught.value.endpoint, caught.value.next_step) == (
        "job_statuses",
        "see why: scontrol show job 7; or raise queue_timeout_s in the DAG file",
    )
    running = new_wait(Limits(10.0, run_s=100.0))
    assert running.told([record("SUBMITTED")], 500.0) == "", "run_s is not for the queue"
    running.told([record("RUNNING")], 600.0)
    running.told([record("RUNNING")], 700.0)
    with pytest.raises(PermanentError, match=r"has run for 101 s, longer than run_timeout_s"):
        running.told([record("RUNNING")], 701.0)


def test_the_limit_of_the_queue_is_not_for_a_job_that_runs() -> None:
    wait = new_wait(Limits(10.0, queue_s=100.0))
    wait.told([record("RUNNING")], 50.0)
    assert wait.told([record("RUNNING")], 100_000.0) == ""


def test_no_reply_changes_whose_job_it_is() -> None:
    job = record(user="scientist")
    wait = Wait(job, Limits(10.0), TIMEOUTS, submitted_s=0.0, now_s=0.0)
    wait.told([record("RUNNING", user="root", experiment="other", run_num="8")], 1.0)
    told = wait.record.document
    assert (told["user"], told["experiment"], told["run_num"]) == ("scientist", "exp", "8")


def test_an_outage_of_a_minute_raises_no_doubt() -> None:
    wait = new_wait()
    wait.told([record("RUNNING")], 40.0)
    wait.untold(DOWN, 70.0)
    wait.told([record("RUNNING")], 100.0)
    assert not wait.doubts(599.0)


def test_a_short_hiccup_raises_no_doubt() -> None:
    wait = new_wait()
    wait.untold(DOWN, 10.0)
    wait.told([record("RUNNING")], 20.0)
    assert not wait.doubts(21.0)


def test_failures_are_asked_again_slower_and_slower() -> None:
    wait = new_wait()
    pauses = []
    for number in range(12):
        wait.untold(DOWN, float(number))
        pauses.append(wait.pause_s(float(number)))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30]
    wait.told([record("RUNNING")], 20.0)
    assert wait.pause_s(20.0) == 3.2


def test_an_outage_has_an_end() -> None:
    wait = new_wait()
    wait.untold(DOWN, TIMEOUTS.outage_s)
    with pytest.raises(TransientError):
        wait.untold(DOWN, TIMEOUTS.outage_s + 1)


@pytest.mark.parametrize("found", [[], [record("DONE", tool_id="8")]])
def test_an_answer_about_other_jobs_is_none(found: list[JobRecord]) -> None:
    wait = new_wait()
    assert wait.told(found, 5.0) == "(not in the reply)"
    assert not wait.is_over
    wait.told(found, TIMEOUTS.unknown_status_s)
    with pytest.raises(PermanentError, match="tells no status for Slurm job 7"):
        wait.told(found, TIMEOUTS.unknown_status_s + 1)


def test_the_script_cannot_turn_it_into_another_job_or_wake_it_up() -> None:
    wait = new_wait()
    for answer in (record("DONE", tool_id="8"), record("RUNNING"), record(None)):
        wait.asked_script(answer, 1.0)
        assert wait.record == record()
    wait.asked_script(record("FAILED"), 1.0)
    assert wait.is_over
    assert not wait.doubts(1e6)


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 400),
            st.sampled_from(
                ["SUBMITTED", "RUNNING", "DONE", "FAILED", "EXITED", "PENDING", "", None, "down"]
            ),
        ),
        max_size=60,
    )
)
def test_only_done_is_ever_success_and_identity_stays(story: list[tuple[float, Any]]) -> None:
    wait, now_s = new_wait(Limits(10.0, queue_s=3000, run_s=3000)), 0.0
    last: Any = "SUBMITTED"
    try:
        for passed_s, word in story:
            if wait.is_over:
                break
            now_s += passed_s
            assert 0 < wait.pause_s(now_s) <= 30
            if word == "down":
                wait.untold(DOWN, now_s)
            else:
                last = word
                wait.told([record(word, _id="x", **{"def": {"name": "other"}})], now_s)
    except (PermanentError, TransientError):
        return
    assert wait.is_over == (last in ("DONE", "FAILED", "EXITED"))
    assert wait.record.status_word == (last or "")
    assert wait.record.document["def"] == {"name": "T"}
    assert "_id" not in wait.record.document
