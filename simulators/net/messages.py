"""HTTP requests and replies as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit


@dataclass(slots=True)
class HttpRequest:
    """One request as a server sees it.

    Attributes:
        headers: with lower-case names.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """Whom it is for: name and port, without user and password."""
        return self.url.partition("://")[2].partition("/")[0].rpartition("@")[2]


@dataclass(slots=True)
class HttpReply:
    """One reply.

    Attributes:
        took_s: how long the server worked on it, in seconds.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    took_s: float = 0.0


def json_reply(status: int, value: Any, *, took_s: float = 0.0) -> HttpReply:
    """Return a reply that holds `value` as JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpReply(status, body, took_s=took_s)


class Server(Protocol):
    """Something that answers requests."""

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name by which faults and traces call what is asked: `jid.start_job`."""

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer. Runs in the hub: it must not wait."""
