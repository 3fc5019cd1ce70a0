"""The HTTP client of the JID."""

from collections.abc import Sequence
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from lute.errors import AmbiguousError, ConfigError, RemoteError, TransientError
from lute.jid import wire
from lute.jid.documents import JobRecord
from lute.jid.wire import JidRequest
from lute.retry import retrying
from lute.seams import Runtime
from lute.seams.http import BearerAuth
from lute.settings import TimeoutSettings

_KILL_CONNECT_S = 1.0
_KILL_READ_S = 1.5
"""Airflow 3.3 kills the process 5 s after it asks for the job to be cancelled (measured)."""


class JidClient:
    """Talks to one JID with one token.

    Transient errors are retried: of start_job until `timeouts.retry_s`, of the others until
    `timeouts.outage_s`, since a job runs by then. Connecting and each wait for data have a time limit.

    Args:
        base_url: ends in `/jid/ws` at S3DF.
        authorization: `Bearer <token>`, or the bare token.
    """

    def __init__(
        self, base_url: str, authorization: str, *, runtime: Runtime, timeouts: TimeoutSettings
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._runtime = runtime
        self._timeouts = timeouts
        self._session = runtime.new_session()
        self._session.auth = BearerAuth(authorization)

    def start_job(self, document: dict[str, Any]) -> JobRecord:
        """Have a job submitted and return it.

        Raises:
            PermanentError: refused, or the submit script failed.
            AmbiguousError: no usable reply: the job may or may not exist.
            TransientError: the JID could not be reached at all; nothing was submitted.
        """
        request = wire.start_job(document)
        value = self._ask(request, read_s=self._timeouts.start_job_s, limit_s=self._timeouts.retry_s)
        return wire.parse_started(request, self._base_url + request.path, value)

    def job_statuses(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        """Return what the JID knows of these jobs now; jobs it does not know are left out.

        Raises:
            PermanentError, TransientError: as the JID answers.
        """
        return wire.parse_statuses(self._ask_about_job(wire.job_statuses(records)))

    def job_log_file(self, record: JobRecord) -> str:
        """Return the text of a job's log.

        Raises:
            PermanentError, TransientError: as the JID answers.
        """
        value = self._ask_about_job(wire.job_log_file(record))
        return value if isinstance(value, str) else "" if value is None else str(value)

    def kill_job(self, record: JobRecord) -> None:
        """Have a job cancelled: one attempt, which a silent JID holds up for 2.5 s at most.

        Raises:
            RemoteError: it may still run.
        """
        self._send(wire.kill_job(record), connect_s=_KILL_CONNECT_S, read_s=_KILL_READ_S)

    def _ask_about_job(self, request: JidRequest) -> Any:
        return self._ask(request, read_s=self._timeouts.read_s, limit_s=self._timeouts.outage_s)

    def _ask(self, request: JidRequest, *, read_s: float, limit_s: float) -> Any:
        return retrying(
            self._runtime,
            limit_s,
            self._send,
            request,
            connect_s=self._timeouts.connect_s,
            read_s=read_s,
        )

    def _send(self, request: JidRequest, *, connect_s: float, read_s: float) -> Any:
        endpoint = self._base_url + request.path
        try:
            reply = self._session.post(
                endpoint,
                json=request.body,
                timeout=(connect_s, read_s),
                allow_redirects=False,  # a redirect turns POST into GET: seen with http:// at the site
            )
            content = reply.content
        except (InvalidURL, MissingSchema, InvalidSchema, UnicodeError) as error:
            raise ConfigError(
                f"'{endpoint}' is not an address: {type(error).__name__}",
                next_step="correct the JID's URL (Airflow Connection jid_default, or the site file)",
            ) from error
        except requests.RequestException as error:
            raise _transport_error(request, endpoint, error) from error
        return wire.parse_reply(request, endpoint, reply.status_code, content)


def _transport_error(request: JidRequest, endpoint: str, error: requests.RequestException) -> RemoteError:
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    never_sent = isinstance(reason, NewConnectionError | ConnectTimeoutError)
    if request.repeatable or never_sent:
        return TransientError(
            f"the JID cannot be reached: {type(error).__name__}",
            endpoint=endpoint,
            next_step="is the JID up, and is its URL right (Airflow Connection jid_default)?",
        )
    return AmbiguousError(
        f"no reply from the JID ({type(error).__name__}): the job may or may not have been submitted",
        endpoint=endpoint,
        next_step="look for the job with squeue before launching again",
    )
