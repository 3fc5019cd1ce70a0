"""The JID's wire format: requests as data, replies parsed once. No sockets and no clock here.

A reply is success when it is HTTP 200 with a JSON object whose `success` is true; its `value` then holds
the answer (known: upstream LUTE's operator and the eLog's client).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lute.errors import PermanentError, RemoteError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.redact import redact

_EXCERPT_CHARS = 300
_WORDS = {str(status): status for status in JobStatus}


@dataclass(frozen=True)
class JidRequest:
    """One POST to the JID.

    Attributes:
        path: below the JID's base URL, without a trailing slash (a trailing slash is an error there).
        body: what goes out as JSON.
        refusal_is_final: `success: false` will not become true by asking again. Of a status it may: the
            JID says so, too, while Slurm does not answer.
    """

    path: str
    body: Any
    refusal_is_final: bool = True


def job_statuses(records: Sequence[JobRecord]) -> JidRequest:
    """Ask for the status of several jobs at once."""
    return JidRequest("/job_statuses", [record.document for record in records], refusal_is_final=False)


def job_log_file(record: JobRecord) -> JidRequest:
    """Ask for the text of a job's log."""
    return JidRequest(f"/{record.document['experiment']}/job_log_file", record.document)


def kill_job(record: JobRecord) -> JidRequest:
    """Ask for a job to be cancelled; cancelling an ended job changes nothing."""
    return JidRequest(f"/{record.document['experiment']}/kill_job", record.document)


def parse_reply(endpoint: str, http_status: int, content: bytes) -> dict[str, Any]:
    """Return a reply that is one, whatever it says.

    Raises:
        PermanentError: refused; asking again gives the same answer.
        TransientError: asking again may help.
    """
    if http_status in (401, 403):
        raise PermanentError(
            f"the JID refused the token (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
            next_step="tokens are for one experiment and one user and expire: launch again with a new one",
        )
    if http_status >= 500 or http_status in (408, 425, 429):
        raise TransientError(
            f"the JID failed (HTTP {http_status}): {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
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
    except (ValueError, RecursionError) as error:
        raise TransientError(
            f"the JID's reply is not JSON: {_excerpt(content)}", endpoint=endpoint, http_status=http_status
        ) from error
    if not isinstance(reply, dict) or "success" not in reply:
        raise TransientError(
            f"the JID's reply is not understood: {_excerpt(content)}",
            endpoint=endpoint,
            http_status=http_status,
        )
    return reply


def value_of(request: JidRequest, endpoint: str, reply: dict[str, Any]) -> Any:
    """Return the `value` of a reply.

    Raises:
        PermanentError, TransientError: the JID could not do it.
    """
    if reply["success"] is True:
        return reply.get("value")
    failure: type[RemoteError] = PermanentError if request.refusal_is_final else TransientError
    raise failure(f"the JID could not do it: {refusal_of(reply)}", endpoint=endpoint, http_status=200)


def refusal_of(reply: dict[str, Any]) -> str:
    """Return why the JID could not do it, without secrets."""
    return redact(str(reply.get("errormsg")))


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
