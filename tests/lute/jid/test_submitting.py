"""start_job against prepared replies: what each of them means, and what is asked again."""

import json
from typing import Any

import pytest
import requests
import responses

from lute.errors import PermanentError, TransientError
from lute.jid.client import JidClient
from lute.jid.start import JobGone, RefusedTooLate
from lute.jid.status import JobStatus
from lute.jid.wire import parse_record
from tests.fakes import FakeClock
from tests.lute.jid.conftest import BASE, DOCUMENT, LIMITS, new_client, ok


def test_start_job_sends_the_document_with_the_token(client: JidClient, jid: responses.RequestsMock) -> None:
    value = DOCUMENT | {"tool_id": 7, "status": "SUBMITTED", "log_file_path": "/l/x_%J.out"}
    jid.post(f"{BASE}/exp/start_job", json=ok(value))
    record = client.start_job(DOCUMENT)
    assert (record.tool_id, record.status, record.log_file_path) == ("7", JobStatus.SUBMITTED, "/l/x_7.out")
    sent = jid.calls[0].request
    assert sent.headers["Authorization"] == "Bearer tok"
    assert json.loads(sent.body or "") == DOCUMENT


def test_what_the_jid_leaves_out_of_a_started_job_is_as_it_was_sent(
    client: JidClient, jid: responses.RequestsMock
) -> None:
    value = {"tool_id": "7", "status": "SUBMITTED"}
    jid.post(f"{BASE}/exp/start_job", json=ok(value))
    assert client.start_job(DOCUMENT).document == DOCUMENT | value


LOST: list[dict[str, Any]] = [
    *({"status": status, "body": "<html>no</html>"} for status in (408, 429, 500, 502, 503, 504)),
    *({"status": 200, "body": body} for body in ("", "[1]", "{}", "<html>sign in</html>", "[" * 100_000)),
    {"body": requests.ReadTimeout()},
    {"body": requests.ConnectionError("reset")},
    {"body": requests.exceptions.ChunkedEncodingError()},
    {"json": {"success": False, "errormsg": "submit_slurm.sh: try again: Slurm does not answer"}},
    {"json": {"success": False, "errormsg": "submit_slurm.sh did not return within 30 s"}},
    {"json": {"success": False}},
    *({"json": ok(value)} for value in (None, [], {}, {"status": "SUBMITTED"}, "text", {"tool_id": ""})),
]


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: str(next(iter(lost.values())))[:40])
def test_a_start_job_without_a_clear_answer_is_asked_again(
    client: JidClient, jid: responses.RequestsMock, clock: FakeClock, lost: dict[str, Any]
) -> None:
    jid.post(f"{BASE}/exp/start_job", **lost)
    jid.post(f"{BASE}/exp/start_job", json=ok({"tool_id": "7", "status": "SUBMITTED"}))
    assert client.start_job(DOCUMENT).tool_id == "7"
    assert 0 < clock.elapsed_s < 1
    assert len({call.request.body for call in jid.calls}) == 1, "the same document, so the same job"


@pytest.mark.parametrize(
    ("refusal", "limit_s"),
    [
        ("x ended with exit code 75: submit_slurm.sh: try again: Slurm does not answer", LIMITS.outage_s),
        ("/x/submit_slurm.sh cannot be run: No such file or directory", LIMITS.retry_s),
    ],
)
def test_patience_with_a_refusal_depends_on_what_it_says(
    client: JidClient, jid: responses.RequestsMock, clock: FakeClock, refusal: str, limit_s: float
) -> None:
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": refusal})
    with pytest.raises(TransientError, match=refusal):
        client.start_job(DOCUMENT)
    assert limit_s - 30 < clock.elapsed_s <= limit_s


@pytest.mark.parametrize("unclear", [True, False])
def test_a_refusal_after_an_unclear_attempt_is_one_of_its_own(
    client: JidClient, jid: responses.RequestsMock, unclear: bool
) -> None:
    if unclear:
        jid.post(f"{BASE}/exp/start_job", body=requests.ConnectionError("reset"))
    jid.post(f"{BASE}/exp/start_job", status=403, json={"success": False})
    with pytest.raises(PermanentError, match="refused the token") as caught:
        client.start_job(DOCUMENT)
    assert isinstance(caught.value, RefusedTooLate) is unclear
    assert (caught.value.http_status, caught.value.endpoint) == (403, f"{BASE}/exp/start_job")


def test_of_a_known_job_the_script_is_asked_how_it_is(client: JidClient, jid: responses.RequestsMock) -> None:
    said = "submit_slurm.sh: job 7 has ended with exit code 3"
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": said})
    known = parse_record(DOCUMENT | {"tool_id": "7", "status": "RUNNING"})
    assert client.known_job(DOCUMENT, known).status is JobStatus.FAILED
    sent = json.loads(jid.calls[0].request.body or "")
    assert sent["def"]["parameters"] == f"{DOCUMENT['def']['parameters']} --known-job 7"  # type: ignore[index]


def test_what_the_script_or_sbatch_refuses_is_permanent_and_quoted(
    client: JidClient, jid: responses.RequestsMock
) -> None:
    said = "sbatch: error: invalid partition specified: x\nsubmit_slurm.sh: error: sbatch refused the step"
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": said})
    with pytest.raises(PermanentError, match="invalid partition specified: x"):
        client.start_job(DOCUMENT)
    assert len(jid.calls) == 1


@pytest.mark.parametrize(
    ("code", "status"), [(0, JobStatus.DONE), (1, JobStatus.FAILED), (137, JobStatus.FAILED)]
)
def test_a_job_that_has_ended_and_is_forgotten(
    client: JidClient, jid: responses.RequestsMock, code: int, status: JobStatus
) -> None:
    said = f"x ended with exit code 76: submit_slurm.sh: job 7 has ended with exit code {code}"
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": said})
    record = client.start_job(DOCUMENT)
    assert (record.tool_id, record.status) == ("7", status)
    assert record.document == DOCUMENT | {"tool_id": "7", "status": str(status)}


def test_a_job_that_is_gone_is_lost(client: JidClient, jid: responses.RequestsMock) -> None:
    said = "submit_slurm.sh: job 7 is gone: Slurm has forgotten it, and it left no exit code"
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": said})
    with pytest.raises(JobGone, match="job 7 is gone"):
        client.start_job(DOCUMENT)


@pytest.mark.parametrize(
    "reply",
    [
        ok({"tool_id": "7", "status": "EXITED"}),
        {
            "success": False,
            "errormsg": "reported no job: submit_slurm.sh: try 1 has no job: nothing to cancel",
        },
        {"success": False, "errormsg": "submit_slurm.sh: job 7 has ended with exit code 0"},
    ],
)
def test_a_submission_is_cancelled(
    client: JidClient, jid: responses.RequestsMock, reply: dict[str, Any]
) -> None:
    jid.post(f"{BASE}/exp/start_job", json=reply)
    client.cancel_submission(DOCUMENT)
    sent = json.loads(jid.calls[0].request.body or "")
    assert sent["def"]["parameters"] == f"{DOCUMENT['def']['parameters']} --cancel"  # type: ignore[index]
    assert jid.calls[0].request.req_kwargs["timeout"] == (1.0, 3.0)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "said", ["submit_slurm.sh: try again: scancel failed", "submit_slurm.sh: error: x", "anything else"]
)
def test_a_submission_that_cannot_be_cancelled(
    clock: FakeClock, jid: responses.RequestsMock, said: str
) -> None:
    jid.post(f"{BASE}/exp/start_job", json={"success": False, "errormsg": said})
    with pytest.raises((PermanentError, TransientError), match=said) as caught:
        new_client(clock, patience_s=0).cancel_submission(DOCUMENT)
    assert caught.value.endpoint == f"{BASE}/exp/start_job"
    assert len(jid.calls) == 1
