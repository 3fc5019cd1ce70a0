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
    assert [poll_interval_s(age, 5.0) for age in (0, 20, 1000)] == [0.5, 3.0, 5.0]


def test_an_hour_of_waiting_costs_few_polls_and_two_doubts() -> None:
    wait, now_s, polls, doubts = new_wait(), 0.0, 0, 0
    while now_s < 3600:
        now_s += wait.pause_s(now_s)
        wait.told([record("RUNNING")], now_s)
        polls += 1
        if wait.doubts(now_s):
            doubts += 1
            wait.asked_script(record("RUNNING"), now_s)
    assert polls < 400
    assert doubts == 2


def test_after_an_outage_the_script_is_asked_at_once() -> None:
    wait = new_wait()
    wait.told([record("RUNNING")], 10.0)
    assert not wait.doubts(11.0)
    for now_s in (20.0, 40.0, 80.0):
        wait.untold(DOWN, now_s)
    wait.told([record("RUNNING")], 100.0)
    assert wait.doubts(100.0)
    wait.asked_script(None, 100.0)
    assert not wait.doubts(159.0)
    assert wait.doubts(160.0)


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
    assert wait.pause_s(20.0) == 3.0


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
