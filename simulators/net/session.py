"""A `requests.Session` whose requests go through the network of the virtual world.

`NetworkAdapter` is all that a plain session needs. `VirtualSession` is the same with a short way through
requests' own code for the calls that production makes: the bytes that are sent, and what is received, are the
same (a test compares them).
"""

import datetime
import json as json_module
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar
from requests.models import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from simulators.net.exchange import Failure
from simulators.net.messages import HttpReply, HttpRequest
from simulators.net.network import Network, Unreachable

_FOREVER_S = 1e9
_SESSIONS: Any = requests.sessions
"""Its functions have no types."""
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*(:[1-9][0-9]{0,3})?"
    r"(/(?!\.\.?([/?]|$))[A-Za-z0-9._~-]*)+(\?[A-Za-z0-9._~=&-]+)?"
)
"""URLs that requests sends as they are given."""


class NetworkResponse(Response):
    """A response of the network: what few callers look at is made when they look."""

    def __init__(self, request: PreparedRequest, url: str, reply: HttpReply) -> None:
        # As requests' own adapters leave a response after reading it.
        self._content = reply.body
        self._content_consumed = True
        self._next = None
        self._reply = reply
        self.status_code = reply.status
        self.raw = None
        self.url = url
        self.history = []
        self.reason = ""
        self.elapsed = datetime.timedelta(seconds=reply.took_s)
        self.request = request
        self.connection = None  # type: ignore[assignment]

    @cached_property
    def headers(self) -> CaseInsensitiveDict[str]:  # type: ignore[override]
        """The reply's headers."""
        given = {"content-type": self._reply.content_type, "content-length": str(len(self._reply.body))}
        return CaseInsensitiveDict({**given, **self._reply.headers})

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        """No cookies."""
        return RequestsCookieJar()

    @cached_property
    def encoding(self) -> str | None:  # type: ignore[override]
        """What the headers say."""
        return requests.utils.get_encoding_from_headers(self.headers)


class NetworkAdapter(BaseAdapter):
    """Carries prepared requests through a network; failures are those that requests raises."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def send(  # type: ignore[override]
        self,
        request: PreparedRequest,
        *,
        stream: bool = False,  # noqa: ARG002
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,  # noqa: ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Send one request and return its response."""
        connect_s, read_s = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        url, method = str(request.url), str(request.method)
        store = request.headers._store  # type: ignore[attr-defined]
        headers = {
            name: value if isinstance(value, str) else value.decode("latin-1")
            for name, (_, value) in store.items()
        }
        body = request.body or b""
        sent = HttpRequest(method, url, headers, body if isinstance(body, bytes) else _in_bytes(body))
        try:
            reply = self._network.exchange(
                sent, host=sent.host, connect_s=connect_s or 0.0, read_s=read_s or _FOREVER_S
            )
        except Unreachable as error:
            raise _as_requests_raises(error.failure, url, request, read_s) from None
        return NetworkResponse(request, url, reply)

    def close(self) -> None:
        """Do nothing: there are no connections."""


def _in_bytes(body: Any) -> bytes:
    """Return what urllib3 sends of a body that is text, a file, or made piece by piece."""
    if isinstance(body, str):
        return body.encode()
    pieces = [body.read()] if hasattr(body, "read") else body
    return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)


def _as_requests_raises(
    failure: Failure, url: str, request: PreparedRequest, read_s: float | None
) -> requests.RequestException:
    """Return what requests and urllib3 raise for such a failure (looked up in their sources)."""
    pool: Any = url
    if failure is Failure.REFUSED:
        refused = NewConnectionError(pool, "Failed to establish a new connection: [Errno 111] refused")
        return requests.ConnectionError(MaxRetryError(pool, url, refused), request=request)
    if failure is Failure.RESET:
        reset = ConnectionResetError(104, "Connection reset by peer")
        return requests.ConnectionError(ProtocolError("Connection aborted.", reset), request=request)
    return requests.ReadTimeout(
        ReadTimeoutError(pool, url, f"Read timed out. (read timeout={read_s})"), request=request
    )


class _WithoutCookies(PreparedRequest):
    """A request that asks no jar which cookies have not expired by now."""

    def prepare_cookies(self, cookies: Any) -> None:
        """Take the empty jar as it is."""
        self._cookies = cookies


class VirtualSession(requests.Session):
    """A session of the virtual world: no proxies, no .netrc, no clock, nothing of the machine."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.trust_env = False
        self._adapter = NetworkAdapter(network)
        self._plain: set[str] = set()
        self.mount("http://", self._adapter)
        self.mount("https://", self._adapter)

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        """Prepare a request; see `requests.Session.prepare_request`, which looks for expired cookies."""
        if request.cookies or len(self.cookies):
            return super().prepare_request(request)
        prepared = _WithoutCookies()
        prepared.prepare(
            method=str(request.method).upper(),
            url=request.url,
            files=request.files,
            data=request.data,
            json=request.json,
            headers=_SESSIONS.merge_setting(request.headers, self.headers, dict_class=CaseInsensitiveDict),
            params=_SESSIONS.merge_setting(request.params, self.params),
            auth=_SESSIONS.merge_setting(request.auth, self.auth),
            cookies=RequestsCookieJar(),
            hooks=_SESSIONS.merge_hooks(request.hooks, self.hooks),
        )
        return prepared

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send a prepared request; see `requests.Session.send`, which stops its time."""
        follows = options.pop("allow_redirects", True)
        adapter = self.get_adapter(url=str(request.url))
        response: Response = _SESSIONS.dispatch_hook(
            "response", request.hooks, adapter.send(request, **options), **options
        )
        seen = [response, *self.resolve_redirects(response, request, **options)] if follows else [response]
        seen[-1].history = seen[:-1]
        return seen[-1]

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        json: Any = None,
        params: Any = None,
        auth: AuthBase | None = None,
        timeout: float | tuple[float, float] | None = None,
        allow_redirects: bool = True,
        **others: Any,
    ) -> Response:
        """Send a request; see `requests.Session.request`."""
        chosen = auth or self.auth
        is_plain = not (allow_redirects or others or data is not None or params is not None)
        if not (is_plain and self._adds_nothing(chosen) and self._sends_as_given(url)):
            return super().request(
                method,
                url,
                data=data,
                json=json,
                params=params,
                auth=auth,
                timeout=timeout,
                allow_redirects=allow_redirects,
                **others,
            )
        prepared = self._prepare(method.upper(), url)
        if json is not None:
            try:
                prepared.body = json_module.dumps(json, allow_nan=False).encode()
            except ValueError as error:
                raise requests.exceptions.InvalidJSONError(error, request=prepared) from error
            prepared.headers["Content-Length"] = str(len(prepared.body))
            prepared.headers.setdefault("Content-Type", "application/json")
        if callable(chosen):
            prepared = chosen(prepared)
        return self._adapter.send(prepared, timeout=timeout)

    def _adds_nothing(self, auth: object) -> bool:
        """Tell whether a request gets nothing from this session but its headers and what `auth` adds."""
        return (auth is None or callable(auth)) and not (self.params or self.hooks["response"])

    def _sends_as_given(self, url: str) -> bool:
        """Tell whether a URL is sent as it is, which requests finds out slowly."""
        if url in self._plain:
            return True
        if not _PLAIN_URL.fullmatch(url):
            return False
        self._plain.add(url)
        return True

    def _prepare(self, method: str, url: str) -> PreparedRequest:
        """Return a request without a body."""
        prepared = PreparedRequest()
        prepared.method, prepared.url = method, url
        prepared.headers = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
        kept = {name: given for name, given in self.headers._store.items() if given[1] is not None}  # type: ignore[attr-defined]
        prepared.headers._store = kept  # type: ignore[attr-defined]
        if method not in ("GET", "HEAD"):
            prepared.headers["Content-Length"] = "0"
        return prepared
