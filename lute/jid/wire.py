"""The JID's wire format: requests as data, replies parsed once. No sockets and no clock here.

A reply is success when it is HTTP 200 with a JSON object whose `success` is true; its `value` then holds
the answer (known: upstream LUTE's operator and the eLog's client).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lute.errors import AmbiguousError, PermanentError, RemoteError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.redact import redact

_EXCERPT_CHARS = 300
_WORDS = {str(status): status for status in JobStatus}
_LOOK = "look for the job with squeue before launching again"
_BUSY = 429
"""The one status that says that nothing was done. A proxy answers 503 after a lost reply, too."""


@dataclass(frozen=True)
class JidRequest:
    """One POST to the JID.

    Attributes:
        path: below the JID's base URL, without a trailing slash (a trailing slash is an error there).
        body: what goes out as JSON.
        repeatable: asking twice has no second effect.
        refusal_is_final: `success: false` will not become true by asking again. Of a status it may: the
            JID says so, too, while Slurm does not answer.
    """

    path: str
    body: Any
    repeatable: bool = True
    refusal_is_final: bool = True


def start_job(document: dict[str, Any]) -> JidRequest:
    """Ask for a job. Not repeatable: each request may submit one more job."""
    return JidRequest(f"/{document['experiment']}/start_job", document, repeatable=False)


def job_statuses(records: Sequence[JobRecord]) -> JidRequest:
    """Ask for the status of several jobs at once."""
    return JidRequest("/job_statuses", [record.document for record in records], refusal_is_final=False)


def job_log_file(record: JobRecord) -> JidRequest:
    """Ask for the text of a job's log."""
    return JidRequest(f"/{record.document['experiment']}/job_log_file", record.document)


def kill_job(record: JobRecord) -> JidRequest:
    """Ask for a job to be cancelled; cancelling an ended job changes nothing."""
    return JidRequest(f"/{record.document['experiment']}/kill_job", record.document)


def parse_reply(request: JidRequest, endpoint: str, http_status: int, content: bytes) -> Any:
    """Return the `value` of a reply.

    Raises:
        PermanentError: refused; asking again gives the same answer.
        TransientError: asking again may help, and does no harm.
        AmbiguousError: the request may have had its effect although the reply says nothing of it.
    """
    unclear: type[RemoteError] = TransientError if request.repeatable else AmbiguousError
    if http_status in (401, 403):
        raise PermanentError(
            f"the JID refused the token (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
            next_step="tokens are for one experiment and one user and expire: launch again with a new one",
        )
    if http_status == _BUSY:
        raise TransientError(
            f"the JID is busy (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
        )
    if http_status >= 500 or http_status in (408, 425):
        raise unclear(
            f"the JID failed (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
            next_step="" if request.repeatable else _LOOK,
        )
    if http_status != 200:
        raise PermanentError(
            f"the JID refused the request (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
            next_step="check the JID's URL (Airflow Connection jid_default) and the experiment's name",
        )
    try:
        reply = json.loads(content)
    except ValueError as error:
        raise unclear(
            f"the JID's reply is not JSON: {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
            next_step="" if request.repeatable else _LOOK,
        ) from error
    if not isinstance(reply, dict) or "success" not in reply:
        raise unclear(
            f"the JID's reply is not understood: {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
        )
    if reply["success"] is not True:
        failure: type[RemoteError] = PermanentError if request.refusal_is_final else TransientError
        raise failure(
            f"the JID could not do it: {redact(str(reply.get('errormsg')))}",
            endpoint=endpoint,
            http_status=http_status,
            next_step=""
            if request.repeatable
            else "correct that; if the script took too long, look in squeue",
        )
    return reply.get("value")


def parse_started(request: JidRequest, endpoint: str, value: Any) -> JobRecord:
    """Read the value of a start_job reply.

    Raises:
        AmbiguousError: it names no Slurm job, so that nobody knows which one to wait for.
    """
    record = parse_record(value) if isinstance(value, dict) else None
    if record is None or not record.tool_id:
        raise AmbiguousError(
            f"the JID started a job but its reply names no Slurm job: {_excerpt(json.dumps(value).encode())}",
            endpoint=endpoint,
            next_step=_LOOK,
        )
    return JobRecord(
        record.tool_id,
        record.status,
        record.status_word,
        record.log_file_path,
        request.body | record.document,
    )


def parse_statuses(value: Any) -> list[JobRecord]:
    """Read the value of a job_statuses reply: a list, or the one document of a JID that knows no lists.

    Anything else gives an empty list, which callers treat as 'no status known'.
    """
    documents = value if isinstance(value, list) else [value]
    return [parse_record(document) for document in documents if isinstance(document, dict)]


def parse_record(document: dict[str, Any]) -> JobRecord:
    """Read one job document."""
    tool_id = str(document.get("tool_id") or "")  # an int in the eLog's documents, text in others
    word = str(document.get("status") or "")
    path = document.get("log_file_path")
    return JobRecord(
        tool_id=tool_id,
        status=_WORDS.get(word),
        status_word=word,
        log_file_path=str(path).replace("%J", tool_id) if path else None,
        document=document,
    )


def _excerpt(content: bytes) -> str:
    text = " ".join(content[: 4 * _EXCERPT_CHARS].decode(errors="replace").split())
    return redact(text[:_EXCERPT_CHARS]) or "(empty)"
