"""start_job: the request, and what its replies say.

Asking again is safe: the submit script submits a step's try once (`lute.jid.submission`). A reply with
`success: false` carries what the script printed (assumed), from which the script's own words are read:

- `error: ...` is final; `try again: ...` is not;
- `job N has ended with exit code C`: its job, which Slurm has forgotten;
- `job N is gone`: likewise, without an exit code.
"""

import re
from dataclasses import replace
from typing import Any

from lute.errors import PermanentError, RemoteError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.jid.wire import JidRequest, parse_record, refusal_of

_ENDED = re.compile(r"submit_slurm\.sh: job (\d+) has ended with exit code (\d+)")
_GONE = re.compile(r"submit_slurm\.sh: (job \d+ is gone[^\n]*)")


class UnclearRefusal(TransientError):
    """The JID could not start a job and does not tell why: a script that took too long, or a wrong path."""


class JobGone(PermanentError):
    """Slurm has forgotten the job, and the job left no word on how it ended."""


class RefusedTooLate(PermanentError):
    """The JID refuses now, but an attempt before this one got no clear reply: there may be a job."""

    @classmethod
    def after(cls, error: PermanentError) -> "RefusedTooLate":
        """Return such an error with what `error` says."""
        return cls(
            error.reason, endpoint=error.endpoint, http_status=error.http_status, next_step=error.next_step
        )


def with_words(document: dict[str, Any], words: str) -> dict[str, Any]:
    """Return a control document with more words for the submit script."""
    definition = document["def"]
    return document | {"def": definition | {"parameters": f"{definition['parameters']} {words}"}}


def start_job(document: dict[str, Any]) -> JidRequest:
    """Ask for a job."""
    return JidRequest(f"/{document['experiment']}/start_job", document)


def parse_started(request: JidRequest, endpoint: str, reply: dict[str, Any]) -> JobRecord:
    """Read a reply: the job, which may have ended already.

    Raises:
        PermanentError: the script or sbatch refuses; JobGone where the job is lost.
        TransientError: for now; UnclearRefusal where the reply does not tell.
    """
    if reply["success"] is not True:
        return _parse_refused(request, endpoint, refusal_of(reply))
    value = reply.get("value")
    record = parse_record(value) if isinstance(value, dict) else None
    if record is None or not record.tool_id:
        raise UnclearRefusal(
            "the JID's reply names no Slurm job", endpoint=endpoint, next_step="look for the job with squeue"
        )
    return replace(record, document=request.body | record.document)


def _parse_refused(request: JidRequest, endpoint: str, message: str) -> JobRecord:
    if ended := _ENDED.search(message):
        word = str(JobStatus.DONE if int(ended[2]) == 0 else JobStatus.FAILED)
        return parse_record(request.body | {"tool_id": ended[1], "status": word})
    if gone := _GONE.search(message):
        raise JobGone(
            gone[1], endpoint=endpoint, next_step="look at its log, then clear the step to run it again"
        )
    if "submit_slurm.sh: error:" in message:
        raise PermanentError(
            f"the JID could not do it: {message}", endpoint=endpoint, next_step="correct that"
        )
    kind: type[RemoteError] = TransientError if "submit_slurm.sh: try again:" in message else UnclearRefusal
    raise kind(
        f"the JID could not start the job: {message}",
        endpoint=endpoint,
        next_step="look at the executable's path, and for the job in squeue",
    )
