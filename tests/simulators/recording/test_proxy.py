"""The proxies change nothing and record everything but secrets."""

import base64
import contextlib
import gzip
import html
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from lute.seams import SystemClock
from simulators.recording.model import Exchange
from simulators.recording.proxy import proxy
from simulators.recording.reader import load_recording
from simulators.recording.scrub import Scrubber
from simulators.recording.writer import Recorder

TOKEN = "kJ8/2hx+Tq7==vB3"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLWhlcmU"
PASSWORD = "pa ss<w>&ord/9"
Answer = tuple[int, list[tuple[str, str]], bytes]


class Upstream(BaseHTTPRequestHandler):
    """A service that answers what the test says, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    answer: Callable[["Upstream"], Answer | None]
    asked: list[tuple[str, list[tuple[str, str]], bytes]]

    def log_message(self, *_words: object) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.asked.append((self.requestline, list(self.headers.items()), body))
        answer = type(self).answer(self)
        if answer is None:
            self.close_connection = True
            return
        status, headers, data = answer
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not {"content-length", "transfer-encoding"} & {name.lower() for name, _ in headers}:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_HEAD = do_PATCH = _handle  # noqa: N815


class World:
    """An upstream, a proxy before it and the recording behind it."""

    def __init__(
        self, tmp_path: Path, url: str, front: str, upstream: type[Upstream], recorder: Recorder
    ) -> None:
        self.url, self.front, self.upstream, self.recorder = url, front, upstream, recorder
        self.file = tmp_path / "r.jsonl"

    def exchanges(self) -> list[Exchange]:
        self.recorder.close()
        return list(load_recording(self.file).exchanges)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    class Handler(Upstream):
        answer = staticmethod(
            lambda _request: (200, [("Content-Type", "application/json")], b'{"success":true}')
        )
        asked: list[Any] = []  # noqa: RUF012

    with served(Handler) as port:
        recorder = Recorder(tmp_path / "r.jsonl", SystemClock(), Scrubber())
        url = f"http://127.0.0.1:{port}/jid/ws"
        with proxy("jid", url, recorder) as front:
            yield World(tmp_path, url, front, Handler, recorder)
        recorder.close()


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def raw(front: str, request: bytes) -> bytes:
    """Send bytes and return everything that comes back until the connection is closed."""
    host, _, port = front.removeprefix("http://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_what_is_sent_and_what_comes_back_is_the_same(world: World) -> None:
    odd = "GET /jid/ws/a%2Fb/%zz/../x?q=%20&q=2&empty= HTTP/1.1\r\nHost: h\r\nX-Odd: \xe9\r\nCookie: a=b\r\n"
    headers = [
        ("Content-Type", "text/odd; charset=x"),
        ("Set-Cookie", "s=1"),
        ("Set-Cookie", "t=2"),
        ("Date", "then"),
    ]
    world.upstream.answer = staticmethod(lambda _request: (418, headers, b"\xff\x00 tea"))
    reply = raw(world.front, odd.encode("latin-1") + b"Connection: close\r\n\r\n")
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 418 I'm a Teapot",
        b"Content-Type: text/odd; charset=x",
        b"Set-Cookie: s=1",
        b"Set-Cookie: t=2",
        b"Date: then",
        b"Content-Length: 6",
    ]
    assert body == b"\xff\x00 tea"
    (line, sent, _) = world.upstream.asked[0]
    assert line == "GET /jid/ws/a%2Fb/%zz/../x?q=%20&q=2&empty= HTTP/1.1"
    assert dict(sent) == {"Host": world.url.split("/")[2], "X-Odd": "\xe9", "Cookie": "a=b"}
    (exchange,) = world.exchanges()
    assert exchange.path == "/a%2Fb/%zz/../x?q=%20&q=2&empty="
    assert exchange.reply == {"base64": base64.b64encode(b"\xff\x00 tea").decode()}
    assert exchange.reply_headers == {"content-type": "text/odd; charset=x"}
    assert exchange.headers == {}


def test_a_redirect_is_not_followed_and_a_compressed_body_not_touched(world: World) -> None:
    packed = gzip.compress(b'{"value": 1}')
    answers = {
        "/jid/ws/away": (302, [("Location", "http://127.0.0.1:1/else")], b""),
        "/jid/ws/packed": (200, [("Content-Encoding", "gzip"), ("Content-Type", "application/json")], packed),
        "/jid/ws/strange": (200, [("Content-Encoding", "br")], b"not brotli"),
    }
    world.upstream.answer = staticmethod(lambda request: answers[request.path])
    reply = requests.get(f"{world.front}/away", allow_redirects=False, timeout=10)
    assert (reply.status_code, reply.headers["Location"]) == (302, "http://127.0.0.1:1/else")
    with requests.get(f"{world.front}/packed", stream=True, timeout=10) as reply:
        assert reply.raw.read(decode_content=False) == packed
    raw(world.front, b"GET /jid/ws/strange HTTP/1.1\r\nConnection: close\r\n\r\n")
    away, opened, strange = world.exchanges()
    assert (away.status, away.reply_headers) == (302, {"location": "http://127.0.0.1:1/else"})
    assert opened.reply == {"json": {"value": 1}}
    assert strange.reply == {"omitted": len(b"not brotli")}


def test_head_no_content_and_chunks_come_through(world: World) -> None:
    answers = {
        "HEAD": (200, [("Content-Length", "1234")], b""),
        "PATCH": (204, [("Content-Length", "0")], b""),
        "GET": (200, [("Transfer-Encoding", "chunked")], b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    }
    world.upstream.answer = staticmethod(lambda request: answers[request.command])
    assert requests.head(f"{world.front}/x", timeout=10).headers["Content-Length"] == "1234"
    assert requests.patch(f"{world.front}/x", timeout=10).status_code == 204
    assert requests.get(f"{world.front}/x", timeout=10).text == "abc"
    assert [found.status for found in world.exchanges()] == [200, 204, 200]


def test_a_broken_connection_is_broken_for_the_client_too(world: World, tmp_path: Path) -> None:
    world.upstream.answer = staticmethod(lambda _request: None)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{world.front}/x/start_job", json={"a": 1}, timeout=10)
    world.upstream.answer = staticmethod(cut_short)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{world.front}/x", timeout=10)
    with proxy("jid", "http://127.0.0.1:9", world.recorder) as down, pytest.raises(requests.ConnectionError):
        requests.get(f"{down}/x", timeout=10)
    found = world.exchanges()
    assert [exchange.failure for exchange in found] == ["reset", "reset", "refused"]
    assert [exchange.status for exchange in found] == [None, None, None]
    assert found[0].asked == {"a": 1}


def cut_short(request: Upstream) -> Answer:
    request.close_connection = True
    return 200, [("Content-Length", "99")], b"only this"


def test_a_reply_for_which_the_client_has_not_waited_is_a_timeout(world: World) -> None:
    given_up = threading.Event()

    def answer(_request: Upstream) -> Answer:
        given_up.wait(10)
        return 200, [("Content-Type", "application/json")], b'{"late": true}'

    world.upstream.answer = staticmethod(answer)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{world.front}/slow", timeout=0.2)
    given_up.set()
    until(lambda: world.recorder.count == 1)
    (exchange,) = world.exchanges()
    assert (exchange.failure, exchange.status, exchange.answered) == ("timeout", 200, {"late": True})


def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        SystemClock().sleep(0.01)
    raise AssertionError("it does not come")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"GET @127.0.0.1:1/x HTTP/1.1\r\n\r\n", b"400"),
        (b"GET http://127.0.0.1:1/x HTTP/1.1\r\n\r\n", b"400"),
    ],
)
def test_what_no_client_sends_is_refused_and_not_sent_on(
    world: World, request_: bytes, status: bytes
) -> None:
    assert raw(world.front, request_).startswith(b"HTTP/1.1 " + status)
    assert world.upstream.asked == []
    assert world.exchanges() == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"[" * 100_000,
        b'"' + b"9" * 5000,
        b"9" * 5000,
        b"\xff\xfe\x00",
        b"<html>\r\n502 &amp; more</html>",
        '{"a": "\\ud800", "é": "\\u0000"}'.encode(),
        b"null",
        b'{"kind": "end", "exchanges": 7}\n{"kind": "end"}',
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_odd_bodies_go_through_and_come_back_from_the_recording(world: World, body: bytes) -> None:
    from simulators.recording.body import decode_body

    world.upstream.answer = staticmethod(lambda _request: (200, [], body))
    assert requests.post(f"{world.front}/x", data=body, timeout=10).content == body
    assert world.upstream.asked[0][2] == body
    (exchange,) = world.exchanges()
    for kept in (exchange.request, exchange.reply):
        again = decode_body(kept)
        assert again == body or json.loads(again) == json.loads(body)


def test_of_a_long_log_the_end_is_kept(world: World) -> None:
    log = "x" * 600_000 + "the end"
    world.upstream.answer = staticmethod(lambda _request: (200, [], json.dumps({"value": log}).encode()))
    assert requests.get(f"{world.front}/log", timeout=10).json()["value"] == log
    (exchange,) = world.exchanges()
    value = exchange.answered["value"]
    assert value.startswith("[lute-sim record: 75719 earlier characters cut]\nxxx")
    assert value.endswith("xthe end")
    assert len(value) < 530_000


def test_no_secret_is_in_the_file_wherever_it_stood(world: World) -> None:
    """Tokens and a password in headers, bodies, addresses, error texts, HTML, and encoded in several ways."""
    basic = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    texts = {
        "error": f"refused: Bearer {TOKEN} has expired; also {TOKEN}",
        "xcom": json.dumps({"conf": {"Authorization": f"Bearer {JWT}"}, "note": JWT}),
        "html": f"<p>{html.escape(PASSWORD)}</p><a href='/?t={quote(TOKEN, safe='')}'>{basic}</a>",
        "of a log": f"export Authorization='Bearer {TOKEN}' db=mysql://u:{PASSWORD}@h/",
        "encoded": base64.b64encode(TOKEN.encode()).decode(),
        "slashes": TOKEN.replace("/", "\\/"),
    }
    answers = {
        "/jid/ws/json": (
            200,
            [("Set-Cookie", "session=c00kie-value-1; HttpOnly")],
            json.dumps(texts).encode(),
        ),
        "/jid/ws/text": (502, [("Content-Type", "text/html")], "\n".join(texts.values()).encode()),
        "/jid/ws/bytes": (200, [], b"\xff" + TOKEN.encode() + b"\xff" + PASSWORD.encode("utf-16-le")),
        "/jid/ws/login": (201, [], json.dumps({"access_token": "a-token-of-airflow"}).encode()),
        "/jid/ws/gzip": (200, [("Content-Encoding", "gzip")], gzip.compress(f"log: {TOKEN}".encode())),
    }
    world.upstream.answer = staticmethod(lambda request: answers[request.path.partition("?")[0]])
    # Before it is known as a secret anywhere, the password and the token stand in plain words.
    requests.post(f"{world.front}/login", data=f"hello {PASSWORD} and a-token-of-airflow", timeout=10)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    conf = {"conf": {"Authorization": f"Bearer {JWT}", "x": [JWT, TOKEN]}, TOKEN: "as a name"}
    for name in ("json", "text", "bytes", "gzip"):
        requests.post(f"{world.front}/{name}?api_token={quote(TOKEN)}", json=conf, headers=bearer, timeout=10)
    requests.get(f"{world.front}/text", headers={"Authorization": f"Basic {basic}"}, timeout=10)
    requests.post(
        f"{world.front}/login",
        json={"username": "me", "password": PASSWORD, "echo": "c00kie-value-1"},
        timeout=10,
    )
    requests.post(f"{world.front}/login", data={"username": "me", "password": PASSWORD}, timeout=10)
    exchanges = world.exchanges()
    text = world.file.read_text()
    # Once as the file's bytes are, once with JSON's and base64's own spelling undone.
    shown = [text, json.dumps([line_of(found) for found in exchanges], ensure_ascii=False)]
    shown += [
        base64.b64decode(body["base64"]).decode("latin-1") for body in bodies(exchanges) if "base64" in body
    ]
    secrets = [TOKEN, JWT, PASSWORD, basic, "a-token-of-airflow", "c00kie-value-1"]
    secrets += [
        quote(TOKEN, safe=""),
        quote(PASSWORD),
        html.escape(PASSWORD),
        PASSWORD.encode("utf-16-le").decode("latin-1"),
    ]
    secrets += [base64.b64encode(secret.encode()).decode().rstrip("=") for secret in (TOKEN, PASSWORD, JWT)]
    for secret in secrets:
        assert not [place for place in shown if secret in place], secret
    assert exchanges[1].headers["authorization"] == "Bearer ***"
    assert exchanges[5].headers["authorization"] == "Basic ***"
    assert exchanges[1].asked["conf"]["Authorization"] == "***"


def bodies(exchanges: list[Exchange]) -> list[dict[str, Any]]:
    return [body for found in exchanges for body in (found.request, found.reply) if body]


def line_of(exchange: Exchange) -> list[Any]:
    return [exchange.path, exchange.headers, exchange.reply_headers, exchange.asked, exchange.answered]


def test_a_short_password_is_masked_where_it_is_one_and_leaves_other_words_alone(world: World) -> None:
    basic = base64.b64encode(b"airflow:airflow").decode()
    requests.post(
        f"{world.front}/airflow",
        json={"dag": "airflow"},
        headers={"Authorization": f"Basic {basic}"},
        timeout=10,
    )
    (exchange,) = world.exchanges()
    assert (exchange.path, exchange.asked) == ("/airflow", {"dag": "airflow"})
    assert basic not in world.file.read_text()


def test_the_file_is_its_owners_alone_and_each_line_is_there_at_once(world: World) -> None:
    requests.get(f"{world.front}/x", timeout=10)
    assert world.file.stat().st_mode & 0o777 == 0o600
    assert len(world.file.read_text().splitlines()) == 2
    requests.get(f"{world.front}/x", timeout=10)
    first, second = world.exchanges()
    assert first.reply == second.reply == {"json": {"success": True}}
    assert '"reply":{"as_in_line":2}' in world.file.read_text()


def test_many_clients_at_once_are_all_recorded(world: World) -> None:
    world.upstream.answer = staticmethod(lambda request: (200, [], request.path.encode()))
    wrong: list[str] = []

    def client(number: int) -> None:
        with requests.Session() as session:
            for turn in range(10):
                path = f"/{number}/{turn}"
                if session.get(world.front + path, timeout=20).text != f"/jid/ws{path}":
                    wrong.append(path)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    found = world.exchanges()
    assert len(found) == 80
    assert all(exchange.answered == f"/jid/ws{exchange.path}" for exchange in found)
