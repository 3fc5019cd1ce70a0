"""The JID's answers: a request in, a reply out. No HTTP server and no process in here.

Refusals of a token are HTTP 401 or 403 with a JSON body; a failure of the work itself is HTTP 200 with
`success: false` and an `errormsg` (assumed; the real codes are not known).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from lute.errors import LuteError
from lute.jid.status import JobStatus
from lute.slurm.records import SlurmJob
from lute.slurm.states import JOB_STATUS
from simulators.jid.host import Host, HostError, TimedHost
from simulators.jid.state import JidState
from simulators.jid.tokens import TokenAuthority, TokenRefused


@dataclass(frozen=True)
class Reply:
    """An HTTP status and a JSON body.

    Attributes:
        took_s: how long the work would have taken, in seconds, where the host tells.
    """

    http_status: int
    body: dict[str, Any]
    took_s: float = 0.0


_ACTING = frozenset({"start_job", "kill_job"})
"""What must say for whom it acts."""


_SMALL = 8192
"""Bodies below so many bytes are remembered."""


class BadRequest(Exception):
    """The request's body is not what the endpoint takes."""


def _success(value: Any) -> Reply:
    return Reply(200, {"success": True, "value": value})


def _failure(message: str) -> Reply:
    return Reply(200, {"success": False, "errormsg": message, "value": None})


class JidService:
    """One JID.

    Args:
        base_url: where it is served, for the counters' address that it hands to jobs.
    """

    def __init__(self, state: JidState, host: Host, tokens: TokenAuthority, *, base_url: str) -> None:
        self._state = state
        self._host = host
        self._timed = host if isinstance(host, TimedHost) else None
        self._tokens = tokens
        self._base_url = base_url
        self._work = {
            "start_job": self._start_job,
            "job_statuses": self._job_statuses,
            "job_log_file": self._job_log_file,
            "job_details": self._job_details,
            "kill_job": self._kill_job,
            "get_counters": self._get_counters,
        }

    def handle(self, endpoint: str, experiment: str | None, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one POST.

        Args:
            endpoint: the last part of the path.
            experiment: the part before it, None where the path has none.
            headers: with lower-case names.
        """
        reply = self._answer(endpoint, experiment, headers, body)
        if self._timed is None or not (took_s := self._timed.take_took_s()):
            return reply
        return replace(reply, took_s=took_s)

    def _answer(
        self, endpoint: str, experiment: str | None, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        try:
            parsed = _parse(body)
            documents = _documents(parsed)
            for document in documents:
                self._check(document, experiment, headers, needs_user=endpoint in _ACTING)
            return self._work[endpoint](documents, parsed, headers)
        except TokenRefused as refusal:
            return Reply(refusal.http_status, {"error": refusal.reason})
        except BadRequest as error:
            return Reply(400, {"error": str(error)})
        except HostError as error:
            return _failure(str(error))
        except LuteError as error:
            return _failure(error.what)

    def replace_counters(self, root_job_id: str, body: bytes) -> Reply:
        """Answer replace_counters, which comes without a token (known)."""
        try:
            counters = _parse(body)
        except BadRequest as error:
            return Reply(400, {"error": str(error)})
        if not isinstance(counters, list) or not all(isinstance(row, dict) for row in counters):
            return Reply(400, {"error": "counters are a list of {key, value}"})
        self._state.replace_counters(root_job_id, counters)
        return _success(None)

    def _check(
        self,
        document: Mapping[str, Any],
        experiment: str | None,
        headers: Mapping[str, str],
        *,
        needs_user: bool,
    ) -> None:
        """Check the token against the path and the document, and the one against the other."""
        user = document.get("user")
        if user is None and needs_user:
            raise BadRequest("the document has no user")
        self._tokens.check(
            headers.get("authorization"), experiment=experiment, user=None if user is None else str(user)
        )
        named = document.get("experiment")
        if experiment is not None and named not in (None, experiment):
            raise BadRequest(f"the document is of experiment {named}, the path of {experiment}")

    def _start_job(self, documents: list[dict[str, Any]], _body: Any, headers: Mapping[str, str]) -> Reply:
        document = _one(documents)
        definition = document.get("def")
        if not isinstance(definition, dict) or not isinstance(definition.get("executable"), str):
            raise BadRequest("the document has no def.executable")
        if not definition["executable"].startswith("/"):
            raise BadRequest("def.executable is not an absolute path")
        env = self._arp_environment(document, headers["authorization"])
        tool_id = self._host.submit(definition["executable"], str(definition.get("parameters") or ""), env)
        try:
            job = self._host.jobs([tool_id]).get(tool_id)
        except LuteError:
            job = None  # the job is submitted, whatever Slurm answers now
        if job is not None and job.stdout_path:
            self._state.remember_log_path(tool_id, job.stdout_path)
        return _success(document | {"status": str(JobStatus.SUBMITTED)} | _told(tool_id, job))

    def _job_statuses(self, documents: list[dict[str, Any]], body: Any, _headers: Mapping[str, str]) -> Reply:
        """Answer for a list with a list, for one document with one (known)."""
        ids = [str(document.get("tool_id") or "") for document in documents]
        jobs = self._host.jobs([job_id for job_id in ids if job_id])
        told = [
            document | _told(job_id, jobs.get(job_id))
            for document, job_id in zip(documents, ids, strict=True)
        ]
        return _success(told if isinstance(body, list) else told[0])

    def _job_log_file(
        self, documents: list[dict[str, Any]], _body: Any, _headers: Mapping[str, str]
    ) -> Reply:
        # Never the path in the document: it could be any file that the JID may read.
        job_id = str(_one(documents).get("tool_id") or "")
        job = self._host.jobs([job_id]).get(job_id) if job_id else None
        path = job.stdout_path if job and job.stdout_path else self._state.log_path(job_id)
        if not path:
            raise HostError(f"no log file is known for job {job_id or '(none)'}")
        # scontrol expands `%j` in the path that it reports but not `%J` (measured on 22.05.8).
        return _success(self._host.read_text(path.replace("%J", job_id)))

    def _job_details(self, documents: list[dict[str, Any]], _body: Any, _headers: Mapping[str, str]) -> Reply:
        job_id = str(_one(documents).get("tool_id") or "")
        job = self._host.jobs([job_id]).get(job_id)
        return _success(str(job) if job else f"Slurm knows no job {job_id}")

    def _kill_job(self, documents: list[dict[str, Any]], _body: Any, _headers: Mapping[str, str]) -> Reply:
        document = _one(documents)
        job_id = str(document.get("tool_id") or "")
        if not job_id:
            raise BadRequest("the document has no tool_id")
        self._host.cancel(job_id)
        return _success(document | _told(job_id, self._host.jobs([job_id]).get(job_id)))

    def _get_counters(
        self, documents: list[dict[str, Any]], _body: Any, _headers: Mapping[str, str]
    ) -> Reply:
        return _success(self._state.counters(str(_one(documents).get("_id"))))

    def _arp_environment(self, document: Mapping[str, Any], authorization: str) -> dict[str, str]:
        """Return what the ARP sets for a job (known, except where the counters' address comes from)."""
        experiment = str(document.get("experiment") or "")
        root = str(document.get("arp_root_job_id") or document.get("_id") or "")
        counters = f"{self._base_url}/replace_counters/{experiment}/{root}"
        return {
            "EXPERIMENT": experiment,
            "RUN_NUM": str(document.get("run_num") or ""),
            "JID_UPDATE_COUNTERS": counters,
            "ARP_UPDATE_COUNTERS": counters,
            "ARP_JOB_ID": str(document.get("_id") or ""),
            "ARP_ROOT_JOB_ID": root,
            "ARP_LOCATION": str(document["def"].get("location") or ""),
            "Authorization": authorization,
        }


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e999: Python reads it and cannot write it as JSON
        raise ValueError(text)
    return number


_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode
_SHALLOW = 50
_ROOM = 100
"""Levels of nesting that a reply, written by whoever serves it, may need beyond those of its request."""


def _parse(body: bytes) -> Any:
    """Return the JSON of a body, which nobody may change: clients poll with the same body again and again."""
    return _parse_small(body) if len(body) < _SMALL else _parse_any(body)


@lru_cache(maxsize=1024)
def _parse_small(body: bytes) -> Any:
    return _parse_any(body)


def _parse_any(body: bytes) -> Any:
    """Return the JSON of a body; nothing that JSON text could not hold (NaN, half a surrogate pair)."""
    try:
        if _is_plain(body):
            return _decode(body.decode("ascii"))
        parsed = _decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        probe = parsed
        for _ in range(_ROOM):
            probe = [probe]
        json.dumps(probe, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {type(error).__name__}") from error
    return parsed


def _is_plain(body: bytes) -> bool:
    """True if what is read from `body` can be written again without a try: no half characters, not deep."""
    return (
        body.isascii()
        and b"\\u" not in body
        and b"\0" not in body
        and body.count(b"[") + body.count(b"{") < _SHALLOW
    )


def _documents(parsed: Any) -> list[dict[str, Any]]:
    documents = parsed if isinstance(parsed, list) else [parsed]
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise BadRequest("the body is neither a document nor a list of documents")
    return documents


def _one(documents: list[dict[str, Any]]) -> dict[str, Any]:
    if len(documents) != 1:
        raise BadRequest("this endpoint takes one document")
    return documents[0]


def _told(tool_id: str, job: SlurmJob | None) -> dict[str, Any]:
    """Return what the JID adds to a document. A job that Slurm has forgotten has the status it had."""
    if job is None or job.state is None:
        return {"tool_id": tool_id}
    status = JOB_STATUS[job.state]
    return {"tool_id": tool_id, "status": str(status), "log_file_path": job.stdout_path}
