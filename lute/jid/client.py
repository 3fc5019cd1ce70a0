"""The HTTP client of the JID."""

from collections.abc import Callable, Sequence
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import LocationParseError

from lute.errors import ConfigError, PermanentError, TransientError
from lute.jid import start, wire
from lute.jid.documents import JobRecord
from lute.jid.start import UnclearRefusal
from lute.jid.wire import JidRequest
from lute.retry import retrying
from lute.seams import Runtime
from lute.seams.http import BearerAuth
from lute.settings import TimeoutSettings

_KILL_CONNECT_S = 1.0
_KILL_READ_S = 1.5
"""Airflow 3.3 kills the process 5 s after it asks for the job to be cancelled (measured)."""


class JidClient:
    """Talks to one JID for one user.

    Connecting and each wait for data have a time limit.

    Args:
        base_url: ends in `/jid/ws` at S3DF.
        token: returns `Bearer <token>`, or the bare token; asked again when the JID refuses the last one.
        is_renewed: somebody renews the token, so that a refused one is waited for like an outage.
        patience_s: transient errors of a request are retried for so long.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str],
        *,
        runtime: Runtime,
        timeouts: TimeoutSettings,
        patience_s: float,
        is_renewed: bool = False,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._runtime = runtime
        self._timeouts = timeouts
        self._patience_s = patience_s
        self._is_renewed = is_renewed
        self._session = runtime.new_session()
        self._sent = token()
        self._session.auth = BearerAuth(self._sent)

    def start_job(self, document: dict[str, Any]) -> JobRecord:
        """Have a job submitted and return it; asked again, with the job that it has.

        Raises:
            PermanentError: refused, or the submit script failed; JobGone where Slurm has forgotten the job,
                RefusedTooLate where an earlier attempt may have its effect.
            TransientError: not done so far; a request without a reply may have its effect yet.
        """
        request = start.start_job(document)
        timeouts = self._timeouts
        is_unclear = False

        def attempt() -> JobRecord:
            nonlocal is_unclear
            try:
                endpoint, reply = self._reply(request, read_s=timeouts.start_job_s)
                return start.parse_started(request, endpoint, reply)
            except TransientError:
                is_unclear = True
                raise
            except PermanentError as error:
                if not is_unclear or isinstance(error, start.JobGone):
                    raise
                raise start.RefusedTooLate.after(error) from error

        def patience_s(error: TransientError) -> float:
            limit_s = timeouts.retry_s if isinstance(error, UnclearRefusal) else timeouts.outage_s
            return min(limit_s, self._patience_s)

        return retrying(self._runtime, patience_s, attempt)

    def known_job(self, document: dict[str, Any], record: JobRecord) -> JobRecord:
        """Ask the submit script how the job is that a submission has led to. It never submits another.

        Args:
            document: what `start_job` was given.

        Raises:
            PermanentError: refused; JobGone where Slurm has forgotten the job.
            TransientError: the JID, or Slurm, does not answer.
        """
        return self.start_job(start.with_words(document, f"--known-job {record.tool_id}"))

    def job_statuses(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        """Return what the JID knows of these jobs now; jobs it does not know are left out.

        Raises:
            PermanentError, TransientError: as the JID answers.
        """
        return wire.parse_statuses(self._ask(wire.job_statuses(records)))

    def job_log_file(self, record: JobRecord) -> str:
        """Return the text of a job's log.

        Raises:
            PermanentError, TransientError: as the JID answers.
        """
        value = self._ask(wire.job_log_file(record))
        return "" if value is None else str(value)

    def kill_job(self, record: JobRecord) -> None:
        """Have a job cancelled. A silent JID holds up each attempt for 2.5 s at most.

        Raises:
            RemoteError: it may still run.
        """
        retrying(self._runtime, self._patience_s, self._kill, wire.kill_job(record))

    def cancel_submission(self, document: dict[str, Any]) -> None:
        """Have a submission cancelled of which no job is known (yet), now and for ever.

        Args:
            document: what `start_job` was given.

        Raises:
            RemoteError: its job may run.
        """
        request = start.start_job(start.with_words(document, "--cancel"))

        def attempt() -> None:
            endpoint, reply = self._reply(request, connect_s=_KILL_CONNECT_S, read_s=2 * _KILL_READ_S)
            if reply["success"] is not True and "nothing to cancel" not in wire.refusal_of(reply):
                start.parse_started(request, endpoint, reply)

        retrying(self._runtime, self._patience_s, attempt)

    def _kill(self, request: JidRequest) -> None:
        endpoint, reply = self._reply(request, connect_s=_KILL_CONNECT_S, read_s=_KILL_READ_S)
        wire.value_of(request, endpoint, reply)

    def _ask(self, request: JidRequest) -> Any:
        def attempt() -> Any:
            endpoint, reply = self._reply(request, read_s=self._timeouts.read_s)
            return wire.value_of(request, endpoint, reply)

        return retrying(self._runtime, self._patience_s, attempt)

    def _reply(
        self, request: JidRequest, *, read_s: float, connect_s: float | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Send a request, with a new token if the last one is refused; return endpoint and reply."""
        limits = (connect_s or self._timeouts.connect_s, read_s)
        try:
            return self._send(request, limits)
        except PermanentError as error:
            if error.http_status != 401 or not self._is_renewed:
                raise
            known, self._sent = self._sent, self._token()
            if self._sent == known:
                raise TransientError(
                    f"{error.what}; the launcher has not renewed it yet",
                    endpoint=error.endpoint,
                    http_status=error.http_status,
                    next_step="is the launcher alive, and its Kerberos ticket valid?",
                ) from error
        self._session.auth = BearerAuth(self._sent)
        return self._send(request, limits)

    def _send(self, request: JidRequest, limits: tuple[float, float]) -> tuple[str, dict[str, Any]]:
        endpoint = self._base_url + request.path
        try:
            reply = self._session.post(
                endpoint,
                json=request.body,
                timeout=limits,
                allow_redirects=False,  # a redirect turns POST into GET: seen with http:// at the site
            )
            content = reply.content
        except (InvalidURL, MissingSchema, InvalidSchema, LocationParseError) as error:
            raise ConfigError(
                f"'{endpoint}' is not an address: {type(error).__name__}",
                next_step="correct the JID's URL (Airflow Connection jid_default, or the site file)",
            ) from error
        except requests.RequestException as error:
            raise TransientError(
                f"the JID cannot be reached: {type(error).__name__}",
                endpoint=endpoint,
                next_step="is the JID up, and is its URL right (Airflow Connection jid_default)?",
            ) from error
        return endpoint, wire.parse_reply(endpoint, reply.status_code, content)
