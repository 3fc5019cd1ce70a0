"""The client against prepared replies: what each of them means, and what is asked again."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from lute.errors import ConfigError, PermanentError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.start import JobGone, UnclearRefusal
from lute.jid.status import JobStatus
from tests.fakes import FakeClock, settings
from tests.lute.jid.conftest import BASE, DOCUMENT, LIMITS, RECORD, new_client, ok

CALLS: dict[str, Callable[[JidClient], object]] = {
    "/exp/start_job": lambda client: client.start_job(DOCUMENT),
    "/job_statuses": lambda client: client.job_statuses([RECORD]),
    "/exp/job_log_file": lambda client: client.job_log_file(RECORD),
    "/exp/kill_job": lambda client: client.kill_job(RECORD),
}


@pytest.mark.parametrize(
    ("path", "connect_s", "read_s"),
    [
        ("/exp/start_job", LIMITS.connect_s, LIMITS.start_job_s),
        ("/job_statuses", LIMITS.connect_s, LIMITS.read_s),
        ("/exp/job_log_file", LIMITS.connect_s, LIMITS.read_s),
        ("/exp/kill_job", 1.0, 1.5),
    ],
)
def test_no_request_waits_for_ever(
    clock: FakeClock, jid: responses.RequestsMock, path: str, connect_s: float, read_s: float
) -> None:
    jid.post(BASE + path, status=401)
    jid.post(BASE + path, json=ok({"tool_id": "7", "status": "EXITED"}))
    CALLS[path](new_client(clock, "old", "new", renewed=True))
    for call in jid.calls:
        assert call.request.req_kwargs["timeout"] == (connect_s, read_s)  # type: ignore[attr-defined]
    assert len(jid.calls) == 2


REFUSED = {"success": False, "errormsg": "no"}


CHECK_URL = "is the JID up, and is its URL right (Airflow Connection jid_default)?"


SQUEUE = "look at the executable's path, and for the job in squeue"


@pytest.mark.parametrize(
    ("path", "reply", "kind", "said", "next_step"),
    [
        *(
            (
                path,
                {"body": requests.ReadTimeout()},
                TransientError,
                "the JID cannot be reached: ReadTimeout",
                CHECK_URL,
            )
            for path in CALLS
        ),
        *(
            (path, {"status": 500, "body": "x"}, TransientError, "the JID failed (HTTP 500): x", "")
            for path in CALLS
        ),
        ("/job_statuses", {"json": REFUSED}, TransientError, "the JID could not do it: no", ""),
        ("/exp/job_log_file", {"json": REFUSED}, PermanentError, "the JID could not do it: no", ""),
        ("/exp/kill_job", {"json": REFUSED}, PermanentError, "the JID could not do it: no", ""),
        ("/exp/start_job", {"json": REFUSED}, UnclearRefusal, "the JID could not start the job: no", SQUEUE),
        (
            "/exp/start_job",
            {"json": {"success": False, "errormsg": "submit_slurm.sh: try again: x"}},
            TransientError,
            "the JID could not start the job: submit_slurm.sh: try again: x",
            SQUEUE,
        ),
        (
            "/exp/start_job",
            {"json": {"success": False, "errormsg": "submit_slurm.sh: error: x"}},
            PermanentError,
            "the JID could not do it: submit_slurm.sh: error: x",
            "correct that",
        ),
        (
            "/exp/start_job",
            {"json": {"success": False, "errormsg": "submit_slurm.sh: job 7 is gone: x"}},
            JobGone,
            "job 7 is gone: x",
            "look at its log, then clear the step to run it again",
        ),
        (
            "/exp/start_job",
            {"json": {"success": True, "value": {}}},
            UnclearRefusal,
            "the JID's reply names no Slurm job",
            "look for the job with squeue",
        ),
    ],
)
def test_an_error_says_where_and_what_and_what_next(
    clock: FakeClock,
    jid: responses.RequestsMock,
    path: str,
    reply: dict[str, Any],
    kind: type[RemoteError],
    said: str,
    next_step: str,
) -> None:
    jid.post(BASE + path, **reply)
    with pytest.raises(RemoteError) as caught:
        CALLS[path](new_client(clock, patience_s=0))
    error = caught.value
    assert (type(error), error.endpoint) == (kind, BASE + path)
    assert (error.reason, error.next_step) == (said, next_step)


def test_a_renewed_token_is_taken_up(clock: FakeClock, jid: responses.RequestsMock) -> None:
    jid.post(f"{BASE}/job_statuses", status=401, json={"error": "the token has expired"})
    jid.post(f"{BASE}/job_statuses", json=ok([{"tool_id": "7", "status": "RUNNING"}]))
    client = new_client(clock, "old", "new", renewed=True)
    assert client.job_statuses([RECORD])[0].status is JobStatus.RUNNING
    assert [call.request.headers["Authorization"] for call in jid.calls] == ["Bearer old", "Bearer new"]
    assert clock.elapsed_s == 0


def test_a_token_that_shall_be_renewed_is_waited_for(clock: FakeClock, jid: responses.RequestsMock) -> None:
    jid.post(f"{BASE}/job_statuses", status=401, json={"error": "the token has expired"})
    jid.post(f"{BASE}/job_statuses", status=401, json={"error": "the token has expired"})
    jid.post(f"{BASE}/job_statuses", json=ok([{"tool_id": "7", "status": "RUNNING"}]))
    client = new_client(clock, "old", "old", "new", renewed=True)
    assert client.job_statuses([RECORD])[0].status is JobStatus.RUNNING
    assert 0 < clock.elapsed_s < 2


def test_a_token_that_nobody_renews_in_time(clock: FakeClock, jid: responses.RequestsMock) -> None:
    jid.post(f"{BASE}/job_statuses", status=401, json={"error": "the token has expired"})
    with pytest.raises(TransientError, match="has not renewed it yet") as caught:
        new_client(clock, "old", renewed=True).job_statuses([RECORD])
    assert (caught.value.endpoint, caught.value.http_status) == (f"{BASE}/job_statuses", 401)
    assert caught.value.next_step == "is the launcher alive, and its Kerberos ticket valid?"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_fails_at_once_and_says_what_to_do(
    client: JidClient, jid: responses.RequestsMock, status: int
) -> None:
    jid.post(f"{BASE}/job_statuses", status=status, json={"error": "the token has expired"})
    with pytest.raises(PermanentError, match=r"the token has expired.*\n.*launch again"):
        client.job_statuses([RECORD])
    assert len(jid.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 400, 404, 405])
def test_other_refusals_are_permanent(client: JidClient, jid: responses.RequestsMock, status: int) -> None:
    jid.post(f"{BASE}/job_statuses", status=status, headers={"Location": "https://elsewhere/"})
    with pytest.raises(PermanentError, match=f"HTTP {status}"):
        client.job_statuses([RECORD])
    assert len(jid.calls) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"status": 503},
        {"status": 500},
        {"status": 200, "body": "<html>sign in</html>"},
        {"status": 200, "body": "[1]"},
        {"status": 200, "json": {"success": False, "errormsg": "slurm_load_jobs error"}},
        {"body": requests.ConnectionError("reset")},
    ],
)
def test_status_requests_are_repeated_until_an_answer_comes(
    client: JidClient, jid: responses.RequestsMock, bad: dict[str, Any]
) -> None:
    jid.post(f"{BASE}/job_statuses", **bad)
    jid.post(f"{BASE}/job_statuses", json=ok([{"tool_id": 7, "status": "RUNNING"}]))
    assert client.job_statuses([RECORD])[0].status is JobStatus.RUNNING


def test_status_requests_are_given_up_after_the_sites_limit(
    client: JidClient, jid: responses.RequestsMock, clock: FakeClock
) -> None:
    jid.post(f"{BASE}/job_statuses", status=503)
    with pytest.raises(TransientError, match="HTTP 503"):
        client.job_statuses([RECORD])
    limit_s = settings().timeouts.outage_s
    assert limit_s - 30 < clock.elapsed_s <= limit_s
    assert len(jid.calls) < 100


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"tool_id": "7", "status": "DONE"}], [JobStatus.DONE]),
        ({"tool_id": "7", "status": "DONE"}, [JobStatus.DONE]),
        ([], []),
        (None, []),
        ("slurm error", []),
        ([{"tool_id": "7", "status": "PENDING"}], [None]),
        ([{"tool_id": "7"}], [None]),
        ([{"tool_id": "7", "status": "done"}], [None]),
    ],
)
def test_only_the_known_words_are_a_status(
    client: JidClient, jid: responses.RequestsMock, value: Any, expected: list[JobStatus | None]
) -> None:
    jid.post(f"{BASE}/job_statuses", json=ok(value))
    assert [record.status for record in client.job_statuses([RECORD])] == expected


def test_a_log_that_is_not_there_is_not_waited_for(
    client: JidClient, jid: responses.RequestsMock, clock: FakeClock
) -> None:
    jid.post(f"{BASE}/exp/job_log_file", json={"success": False, "errormsg": "/l/7.out: no such file"})
    with pytest.raises(PermanentError, match="no such file"):
        client.job_log_file(RECORD)
    assert clock.elapsed_s == 0


@pytest.mark.parametrize(("value", "text"), [("log\ntext", "log\ntext"), (None, ""), (["x"], "['x']")])
def test_a_log_is_text(client: JidClient, jid: responses.RequestsMock, value: Any, text: str) -> None:
    jid.post(f"{BASE}/exp/job_log_file", json=ok(value))
    assert client.job_log_file(RECORD) == text


@pytest.mark.parametrize(("patience_s", "calls"), [(0.0, 1), (2.0, 3)])
def test_a_kill_is_tried_as_long_as_asked(
    clock: FakeClock, jid: responses.RequestsMock, patience_s: float, calls: int
) -> None:
    jid.post(f"{BASE}/exp/kill_job", status=503)
    with pytest.raises(TransientError):
        new_client(clock, patience_s=patience_s).kill_job(RECORD)
    assert len(jid.calls) == calls
    assert clock.elapsed_s <= patience_s


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("jid.test/jid/ws", "MissingSchema"),
        ("http://", "InvalidURL"),
        ("htp://jid/ws", "InvalidSchema"),
        ("http://jid..test/ws", "LocationParseError"),
        (f"http://{'j' * 64}.test/ws", "LocationParseError"),
    ],
)
def test_an_address_that_is_none_is_a_configuration_error(url: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        new_client(FakeClock(), url=url).start_job(DOCUMENT)
    assert caught.value.what == f"'{url.rstrip('/')}/exp/start_job' is not an address: {why}"
    assert (
        caught.value.next_step == "correct the JID's URL (Airflow Connection jid_default, or the site file)"
    )


@pytest.mark.parametrize("token", ["a\nb", "ü", "\x7f"])
def test_an_impossible_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ConfigError, match="no token has") as caught:
        new_client(FakeClock(), f"Bearer {token}")
    assert token not in str(caught.value)


def test_a_token_in_a_reply_does_not_reach_the_message(
    client: JidClient, jid: responses.RequestsMock
) -> None:
    jid.post(
        f"{BASE}/job_statuses",
        status=404,
        body="you sent Bearer abcdefghijklmnop and eyJhbGciOi.eyJzdWIi.c2ln",
    )
    with pytest.raises(PermanentError) as caught:
        client.job_statuses([RECORD])
    assert "abcdefghijklmnop" not in str(caught.value)
    assert "eyJzdWIi" not in str(caught.value)
