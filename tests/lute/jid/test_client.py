"""The client against prepared replies: what each of them means, and what is asked again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, NewConnectionError

from lute.errors import AmbiguousError, ConfigError, PermanentError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from tests.fakes import FakeClock, fake_runtime, settings

BASE = "http://jid.test/jid/ws"
DOCUMENT = {"_id": "d1", "experiment": "exp", "user": "u", "status": "", "tool_id": ""}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(clock: FakeClock) -> JidClient:
    return JidClient(BASE + "/", "Bearer tok", runtime=fake_runtime(clock), timeouts=settings().timeouts)


@pytest.fixture
def jid() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def ok(value: Any) -> dict[str, Any]:
    return {"success": True, "value": value}


RECORD = JobRecord("7", JobStatus.SUBMITTED, "SUBMITTED", None, DOCUMENT | {"tool_id": "7"})


def test_start_job_sends_the_document_with_the_token(client: JidClient, jid: responses.RequestsMock) -> None:
    value = DOCUMENT | {"tool_id": 7, "status": "SUBMITTED", "log_file_path": "/l/x_%J.out"}
    jid.post(f"{BASE}/exp/start_job", json=ok(value))
    record = client.start_job(DOCUMENT)
    assert (record.tool_id, record.status, record.log_file_path) == ("7", JobStatus.SUBMITTED, "/l/x_7.out")
    sent = jid.calls[0].request
    assert sent.headers["Authorization"] == "Bearer tok"
    assert json.loads(sent.body or "") == DOCUMENT


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_start_job_that_may_have_had_its_effect_is_not_repeated(
    client: JidClient, jid: responses.RequestsMock, status: int
) -> None:
    jid.post(f"{BASE}/exp/start_job", status=status, body="<html>no</html>")
    with pytest.raises(AmbiguousError):
        client.start_job(DOCUMENT)
    assert len(jid.calls) == 1


@pytest.mark.parametrize(
    "error",
    [requests.ReadTimeout(), requests.ConnectionError("reset"), requests.exceptions.ChunkedEncodingError()],
)
def test_a_lost_reply_to_start_job_is_not_repeated(
    client: JidClient, jid: responses.RequestsMock, error: Exception
) -> None:
    jid.post(f"{BASE}/exp/start_job", body=error)
    with pytest.raises(AmbiguousError, match="squeue"):
        client.start_job(DOCUMENT)
    assert len(jid.calls) == 1


def test_a_start_job_that_never_left_is_repeated(
    client: JidClient, jid: responses.RequestsMock, clock: FakeClock
) -> None:
    refused = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    jid.post(f"{BASE}/exp/start_job", body=requests.ConnectionError(MaxRetryError(None, "/", refused)))  # type: ignore[arg-type]
    jid.post(f"{BASE}/exp/start_job", json=ok({"tool_id": "7", "status": "SUBMITTED"}))
    assert client.start_job(DOCUMENT).tool_id == "7"
    assert 0 < clock.elapsed_s < 1


@pytest.mark.parametrize("value", [None, [], {}, {"status": "SUBMITTED"}, "text", {"tool_id": ""}])
def test_a_start_job_reply_without_a_job_is_ambiguous(
    client: JidClient, jid: responses.RequestsMock, value: Any
) -> None:
    jid.post(f"{BASE}/exp/start_job", json=ok(value))
    with pytest.raises(AmbiguousError, match="names no Slurm job"):
        client.start_job(DOCUMENT)


def test_a_failed_submit_script_is_permanent_and_quoted(
    client: JidClient, jid: responses.RequestsMock
) -> None:
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": "invalid partition specified: x"})
    with pytest.raises(PermanentError, match="invalid partition specified: x"):
        client.start_job(DOCUMENT)


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
    assert len(jid.calls) < 80


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


def test_kill_is_tried_once(client: JidClient, jid: responses.RequestsMock, clock: FakeClock) -> None:
    jid.post(f"{BASE}/exp/kill_job", status=503)
    with pytest.raises(TransientError):
        client.kill_job(RECORD)
    assert (len(jid.calls), clock.elapsed_s) == (1, 0)


def test_a_busy_jid_is_asked_again_even_to_start_a_job(
    client: JidClient, jid: responses.RequestsMock
) -> None:
    jid.post(f"{BASE}/exp/start_job", status=429)
    jid.post(f"{BASE}/exp/start_job", json=ok({"tool_id": "7", "status": "SUBMITTED"}))
    assert client.start_job(DOCUMENT).tool_id == "7"


@pytest.mark.parametrize("url", ["jid.test/jid/ws", "http://", "htp://jid/ws"])
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    client = JidClient(url, "tok", runtime=fake_runtime(), timeouts=settings().timeouts)
    with pytest.raises(ConfigError, match="is not an address"):
        client.start_job(DOCUMENT)


@pytest.mark.parametrize("token", ["a\nb", "ü", "\x7f"])
def test_an_impossible_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ConfigError, match="no token has") as caught:
        JidClient(BASE, f"Bearer {token}", runtime=fake_runtime(), timeouts=settings().timeouts)
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
