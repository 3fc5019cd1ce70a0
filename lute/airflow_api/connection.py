"""The connection to one Airflow: logs in, sends requests, tries again, reads pages."""

from collections.abc import Mapping
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import MaxRetryError, NewConnectionError

from lute.airflow_api.dialects import Dialect, DialectV1, DialectV2
from lute.airflow_api.replies import parse_body, reading
from lute.errors import AmbiguousError, ConfigError, PermanentError, RemoteError, TransientError
from lute.retry import retrying
from lute.seams import Runtime
from lute.settings import Settings

_PAGE_SIZE = 100
"""Both versions answer at most so many by default or cap (measured: v2 caps silently at 100)."""


class Connection:
    """Asks one Airflow as one user; an expired token is renewed once per request.

    Attributes:
        patience_s: transient errors are retried for so long.
        reply_s: the longest wait for each part of a reply.
        requests: how many it has sent.

    Raises (every method):
        PermanentError: Airflow refused.
        TransientError: Airflow was out of reach, failed or was not understood for too long.
        ConfigError: the site file's address or password cannot be used.
    """

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self.patience_s = settings.timeouts.retry_s
        self.reply_s = settings.timeouts.read_s
        self.requests = 0
        self._settings = settings
        self._runtime = runtime
        self._url = settings.airflow.url.rstrip("/")
        self._session = runtime.new_session()
        self._dialect: Dialect | None = None

    @property
    def user(self) -> str:
        """Whom it logs in as."""
        return self._settings.airflow.user

    @property
    def dialect(self) -> Dialect:
        """The dialect of this Airflow, found out when first needed."""
        if self._dialect is None:
            known: dict[str, Dialect] = {"v1": DialectV1(), "v2": DialectV2()}
            chosen = known.get(self._settings.airflow.api)
            self._dialect = chosen or retrying(self._runtime, self.patience_s, self._probe)
        return self._dialect

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request to a path below the API's base and return what its reply holds."""
        endpoint = self._url + self.dialect.base_path + path
        return retrying(self._runtime, self.patience_s, self._authorised, method, endpoint, body)

    def ask_once(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST what must not happen twice, and return what its reply holds.

        Raises:
            AmbiguousError: the reply was lost, or says that Airflow failed: it may have happened.
        """
        endpoint = self._url + self.dialect.base_path + path

        def attempt() -> Any:
            if self._session.auth is None:
                self._login(self.dialect)
            try:
                return self._authorised("POST", endpoint, body)
            except TransientError as error:
                if _is_without_effect(error):
                    raise
                raise AmbiguousError(
                    f"Airflow did not say whether it did what was asked: {error.what}",
                    endpoint=endpoint,
                    http_status=error.http_status,
                    next_step=error.next_step,
                ) from error

        return retrying(self._runtime, self.patience_s, attempt)

    def _authorised(self, method: str, endpoint: str, body: Mapping[str, Any] | None) -> Any:
        if self._session.auth is None:
            self._login(self.dialect)
        try:
            return self._send(method, endpoint, body)
        except PermanentError as error:
            if error.http_status not in (401, 403):
                raise
            self._login(self.dialect)  # the token may have expired: v2 tells that by 401 or 403
            return self._send(method, endpoint, body)

    def ask_if_there(self, path: str) -> dict[str, Any] | None:
        """Return the object that GET answers, None for HTTP 404."""
        try:
            with reading(path):
                return dict(self.ask("GET", path))
        except PermanentError as error:
            if error.http_status == 404:
                return None
            raise

    def pages(self, path: str, key: str) -> list[dict[str, Any]]:
        """Return all rows of a list that comes in pages."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.ask("GET", f"{path}?limit={_PAGE_SIZE}&offset={len(rows)}")
            rows += page[key]
            if not page[key] or len(rows) >= page["total_entries"]:
                return rows

    def check_health(self) -> None:
        """Raise unless the scheduler and the database work."""
        endpoint = self._url + self.dialect.health_path
        retrying(self._runtime, self.patience_s, self._check_health_once, endpoint)

    def _check_health_once(self, endpoint: str) -> None:
        health = self._send("GET", endpoint, None)
        for component in ("metadatabase", "scheduler"):
            with reading(endpoint):
                status = (health.get(component) or {}).get("status")
            if status != "healthy":
                raise TransientError(
                    f"Airflow's {component} is {status or 'not there'}",
                    endpoint=endpoint,
                    next_step="ask the Airflow administrators, then launch again",
                )

    def _probe(self) -> Dialect:
        try:  # without a login, on both versions (measured)
            self._send("GET", f"{self._url}/api/v2/version", None)
        except PermanentError as error:
            if error.http_status == 404:
                return DialectV1()
            raise
        return DialectV2()

    def _login(self, dialect: Dialect) -> None:
        airflow = self._settings.airflow
        try:
            password = airflow.password_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"Airflow's password cannot be read: {error}",
                file=airflow.password_file,
                next_step="check password_file in the site file, and that you may read it",
            ) from error
        request = dialect.login_request(airflow.user, password)
        if request is None:
            self._session.auth = dialect.credential(airflow.user, password, None)
            return
        path, body = request
        self._session.auth = None
        reply = self._send("POST", self._url + path, body)
        with reading(self._url + path):
            self._session.auth = dialect.credential(airflow.user, password, reply)

    def _send(self, method: str, endpoint: str, body: Mapping[str, Any] | None) -> Any:
        self.requests += 1
        try:
            reply = self._session.request(
                method,
                endpoint,
                json=body,
                timeout=(self._settings.timeouts.connect_s, self.reply_s),
                allow_redirects=False,  # a redirect would turn POST into GET and look like success
            )
        except (InvalidURL, MissingSchema, InvalidSchema, UnicodeError) as error:
            raise ConfigError(
                f"'{endpoint}' is not an address: {type(error).__name__}",
                next_step="correct [airflow] url in the site file",
            ) from error
        except requests.RequestException as error:
            raise self._out_of_reach(endpoint, error) from error
        # v1 answers the only PUT, parseDagFile, in plain words (measured).
        return parse_body(endpoint, reply, is_json=method != "PUT")

    @staticmethod
    def _out_of_reach(endpoint: str, error: requests.RequestException) -> RemoteError:
        return TransientError(
            f"Airflow cannot be reached: {type(error).__name__}",
            endpoint=endpoint,
            next_step="is Airflow up, and is [airflow] url in the site file right?",
        )


def _is_without_effect(error: TransientError) -> bool:
    """Tell whether a request that failed had surely no effect: nobody took it, or nobody was at work."""
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    if isinstance(cause, requests.ConnectionError):
        why = cause.args[0] if cause.args else None
        return isinstance(why, MaxRetryError) and isinstance(why.reason, NewConnectionError)
    return error.http_status in (429, 503)
