"""A proxy on 127.0.0.1 in front of one service, which records what goes through and changes nothing of it.

It is made of the standard library's plain server and client: they neither tidy up an address nor add a
header, a cookie or a credential, and they can break a connection without a reply, which is what a client sees
of a service that does.
"""

import contextlib
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from simulators.recording.model import Failure, Service
from simulators.recording.writer import Recorder

_CONNECT_S, _READ_S = 30.0, 600.0
"""Longer than any client waits: it is the client that gives up."""
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ]
)
_NO_BODY = (204, 304)


@dataclass
class _Answer:
    """What the service answered, or how it failed."""

    status: int | None = None
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    failure: Failure | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a request that is on its way must not hold up the end

    def __init__(self, service: Service, target: SplitResult, recorder: Recorder) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        self.target = target
        self.recorder = recorder

    def handle_error(self, *_request: object) -> None:
        """Print nothing of a client that has gone."""


@contextlib.contextmanager
def proxy(service: Service, url: str, recorder: Recorder) -> Iterator[str]:
    """Run a proxy in front of `url`, yield its own address with the same path, end it."""
    target = urlsplit(url.rstrip("/"))
    server = _Server(service, target, recorder)
    Thread(target=server.serve_forever, args=(0.05,), name=f"{service}-proxy", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{target.path}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, *_words: object) -> None:
        """Print nothing: the recording tells."""

    def _handle(self) -> None:
        """Send the request on, and its reply back."""
        recorder = self.server.recorder
        sent_s = recorder.now_s()
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        answer = self._ask(body)
        if answer.failure is None and self._client_has_gone():
            answer.failure = "timeout"
        base = self.server.target.path
        is_below = self.path.startswith((f"{base}/", f"{base}?"))
        recorder.add(
            self.server.service,
            sent_s=sent_s,
            method=self.command,
            path=self.path.removeprefix(base) if is_below else self.path,
            headers=self.headers.items(),
            body=body,
            status=answer.status,
            reply_headers=answer.headers,
            reply=answer.body,
            failure=answer.failure,
        )
        if answer.status is None or answer.failure is not None:
            self.close_connection = True
            return
        self._reply(answer, answer.status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle  # noqa: N815

    def _body(self) -> bytes | None:
        """Return the request's body; None if it is none, which the client is told or has caused by going."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:  # as no client of the JID or of Airflow sends
            self.send_error(411)
        elif not (length.isascii() and length.isdecimal()) or not self.path.startswith("/"):
            self.send_error(400)
        else:
            body = self.rfile.read(int(length))
            return body if len(body) == int(length) else None
        return None

    def _ask(self, body: bytes) -> _Answer:
        target = self.server.target
        new = HTTPSConnection if target.scheme == "https" else HTTPConnection
        try:
            with contextlib.closing(
                new(target.hostname or "", target.port, timeout=_CONNECT_S)
            ) as connection:
                connection.connect()
                connection.sock.settimeout(_READ_S)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                connection.putheader("Host", target.netloc.rpartition("@")[2])
                for name, value in self.headers.items():
                    if name.lower() not in _HOP_BY_HOP | {"host"}:
                        connection.putheader(name, value)
                if body or "content-length" in self.headers:
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                reply = connection.getresponse()
                return _Answer(reply.status, reply.reason, reply.getheaders(), reply.read())
        except TimeoutError:
            return _Answer(failure="timeout")
        except ConnectionRefusedError:
            return _Answer(failure="refused")
        except (HTTPException, OSError, ValueError):
            return _Answer(failure="reset")

    def _reply(self, answer: _Answer, status: int) -> None:
        self.send_response_only(status, answer.reason)
        for name, value in answer.headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if self.command == "HEAD":
            lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
        else:
            lengths = [] if status in _NO_BODY else [str(len(answer.body))]
        for length in lengths[:1]:
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(answer.body)

    def _client_has_gone(self) -> bool:
        """Return whether the client has closed its connection meanwhile."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
