"""The JID's wire format, word for word."""

import json

import pytest

from lute.errors import PermanentError, RemoteError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.jid.wire import (
    JidRequest,
    job_log_file,
    job_statuses,
    kill_job,
    parse_record,
    parse_reply,
    parse_statuses,
    value_of,
)

DOCUMENT = {"experiment": "mfx1", "tool_id": 7, "status": "RUNNING", "log_file_path": "/l/%J.out"}
TOKEN = "tokens are for one experiment and one user and expire: launch again with a new one"
URL = "check the JID's URL (Airflow Connection jid_default) and the experiment's name"


def test_a_document_is_read() -> None:
    assert parse_record(DOCUMENT) == JobRecord("7", JobStatus.RUNNING, "RUNNING", "/l/7.out", DOCUMENT)
    assert parse_record({}) == JobRecord("", None, "", None, {})
    assert parse_record({"status": "ODD"}) == JobRecord("", None, "ODD", None, {"status": "ODD"})


def test_requests_carry_the_documents() -> None:
    record = parse_record(DOCUMENT)
    assert job_statuses([record, record]) == JidRequest("/job_statuses", [DOCUMENT, DOCUMENT], False)
    assert job_log_file(record) == JidRequest("/mfx1/job_log_file", DOCUMENT, True)
    assert kill_job(record) == JidRequest("/mfx1/kill_job", DOCUMENT, True)


def test_statuses_are_a_list_or_one() -> None:
    record = parse_record(DOCUMENT)
    assert parse_statuses([DOCUMENT, "odd", DOCUMENT]) == [record, record]
    assert parse_statuses(DOCUMENT) == [record]
    assert parse_statuses(None) == []


@pytest.mark.parametrize(
    ("http_status", "content", "kind", "said", "next_step"),
    [
        (401, b"no", PermanentError, "the JID refused the token (HTTP 401): no", TOKEN),
        (403, b"", PermanentError, "the JID refused the token (HTTP 403): (empty)", TOKEN),
        (404, b"a\n b", PermanentError, "the JID refused the request (HTTP 404): a b", URL),
        (201, b"{}", PermanentError, "the JID refused the request (HTTP 201): {}", URL),
        (408, b"x", TransientError, "the JID failed (HTTP 408): x", ""),
        (425, b"x", TransientError, "the JID failed (HTTP 425): x", ""),
        (429, b"x", TransientError, "the JID failed (HTTP 429): x", ""),
        (500, b"\xff", TransientError, "the JID failed (HTTP 500): \ufffd", ""),
        (200, b"<html>", TransientError, "the JID's reply is not JSON: <html>", ""),
        (200, b"[" * 100_000, TransientError, "the JID's reply is not JSON: " + "[" * 300, ""),
        (200, b"[1]", TransientError, "the JID's reply is not understood: [1]", ""),
        (200, b"{}", TransientError, "the JID's reply is not understood: {}", ""),
    ],
)
def test_replies_that_are_none(
    http_status: int, content: bytes, kind: type[RemoteError], said: str, next_step: str
) -> None:
    with pytest.raises(RemoteError) as caught:
        parse_reply("http://jid/x", http_status, content)
    error = caught.value
    assert type(error) is kind
    assert error.what == f"{said} [http://jid/x]"
    assert (error.endpoint, error.http_status, error.next_step) == ("http://jid/x", http_status, next_step)


@pytest.mark.parametrize(("is_final", "kind"), [(True, PermanentError), (False, TransientError)])
@pytest.mark.parametrize("success", [False, None, "true", 1])
def test_a_refusal_is_final_or_not(is_final: bool, kind: type[RemoteError], success: object) -> None:
    request = JidRequest("/x", None, refusal_is_final=is_final)
    reply = parse_reply("e", 200, json.dumps({"success": success, "errormsg": "Bearer abcdefgh1"}).encode())
    with pytest.raises(RemoteError) as caught:
        value_of(request, "e", reply)
    assert type(caught.value) is kind
    assert caught.value.what == "the JID could not do it: Bearer *** [e]"
    assert (caught.value.endpoint, caught.value.http_status) == ("e", 200)


def test_the_value_of_a_success() -> None:
    assert value_of(JidRequest("/x", None), "e", {"success": True, "value": 3}) == 3
    assert value_of(JidRequest("/x", None), "e", {"success": True}) is None
