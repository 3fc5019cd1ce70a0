"""A `requests.Session` whose requests go through the network of the virtual world.

`NetworkAdapter` is all that a plain session needs. `VirtualSession` is the same with a short way through
requests' own code for the calls that production makes: the bytes that are sent, and what is received, are the
same (a test compares them).
"""

import datetime
import json as json_module
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from requests.models import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from simulators.net.exchange import Failure
from simulators.net.messages import HttpRequest
from simulators.net.network import Network, Unreachable

_FOREVER_S = 1e9


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
        body = request.body or b""
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        host = url.partition("://")[2].partition("/")[0]
        sent = HttpRequest(method, url, headers, body if isinstance(body, bytes) else str(body).encode())
        try:
            reply = self._network.exchange(
                sent, host=host, connect_s=connect_s or 0.0, read_s=read_s or _FOREVER_S
            )
        except Unreachable as error:
            raise _as_requests_raises(error.failure, url, request, read_s) from None
        response = Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict(
            {"content-type": reply.content_type, "content-length": str(len(reply.body)), **reply.headers}
        )
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.raw = BytesIO(reply.body)
        response._content = reply.body  # noqa: SLF001 - as requests' own adapters leave it after reading
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        response.url = url
        response.request = request
        response.elapsed = datetime.timedelta(seconds=reply.took_s)
        return response

    def close(self) -> None:
        """Do nothing: there are no connections."""


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


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class VirtualSession(requests.Session):
    """A session of the virtual world: no proxies, no .netrc, nothing of the machine."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.trust_env = False
        self._adapter = NetworkAdapter(network)
        self._prepared: dict[tuple[str, str], PreparedRequest] = {}
        self.mount("http://", self._adapter)
        self.mount("https://", self._adapter)

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        auth: AuthBase | None = None,
        timeout: float | tuple[float, float] | None = None,
        allow_redirects: bool = True,
        **others: Any,
    ) -> Response:
        """Send a request; see `requests.Session.request`."""
        if others or allow_redirects:
            return super().request(
                method, url, json=json, auth=auth, timeout=timeout, allow_redirects=allow_redirects, **others
            )
        key = (method, url)
        if key not in self._prepared:
            plain = requests.Request(method.upper(), url, headers=dict(self.headers))
            self._prepared[key] = plain.prepare()
        prepared = self._prepared[key].copy()
        if json is not None:
            prepared.body = json_module.dumps(json, allow_nan=False).encode()
            prepared.headers["Content-Type"] = "application/json"
            prepared.headers["Content-Length"] = str(len(prepared.body))
        chosen = auth or self.auth
        if callable(chosen):
            prepared = chosen(prepared)
        return self._adapter.send(prepared, timeout=timeout)
