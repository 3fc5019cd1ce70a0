"""A virtual session sends what requests sends, and gives back what requests gives."""

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from requests.auth import HTTPBasicAuth

from lute.seams.http import BearerAuth
from simulators.net.messages import HttpReply, HttpRequest
from simulators.net.session import _PLAIN_URL, NetworkAdapter, VirtualSession
from tests.simulators.net.world import HOST, URL, Net

METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "Post"])
HOSTS = st.sampled_from(
    [
        HOST,
        "h",
        "A.Virtual",
        "h:80",
        "h:080",
        "h:99999",
        "u:p%40w@h",
        ".h",
        "-h",
        "1.2.3.4",
        "[::1]:8",
        "hé.de",
    ]
)
PIECES = st.lists(
    st.sampled_from(["a", ".", "..", "%41", "%zz", "é", "a b", "a;b", "a:b", "~", "", "A-Z_0.9", "'", "{}"]),
    max_size=4,
)
ENDS = st.sampled_from(
    ["", "?", "?a=b", "?a=b&c", "?a=", "?a=é", "?a b", "?a=%20", "#f", "?a#f", "?-=-", "?é#"]
)
URLS = st.builds(
    lambda scheme, host, pieces, end: f"{scheme}://{host}/{'/'.join(pieces)}{end}",
    st.sampled_from(["http", "https", "HTTP", "ftp", ""]),
    HOSTS,
    PIECES,
    ENDS,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
AUTHS = st.sampled_from([None, BearerAuth("t.o-k"), HTTPBasicAuth("u", "p"), ("u", "p"), ()])
OPTIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "json": JSON,
        "data": st.sampled_from([None, "", "text é", b"\xff", {"a": "é"}, [("a", "1"), ("a", "2")]]),
        "params": st.sampled_from([None, {}, {"a": "é"}, "x=1", [("a", "1")]]),
        "headers": st.sampled_from([None, {}, {"X-One": "1", "content-type": "text/odd"}, {"Accept": None}]),
        "auth": AUTHS,
        "cookies": st.sampled_from([None, {}, {"a": "b"}]),
        "allow_redirects": st.booleans(),
        "timeout": st.sampled_from([None, 5.0, (1.0, 2.0)]),
    },
)
OF_SESSION: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "auth": AUTHS,
        "params": st.sampled_from([{}, {"s": "1"}]),
        "headers": st.sampled_from([{"Content-Type": "text/odd"}, {"Accept": None}, {"x-b": b"bytes"}]),
    },
)


def sent(
    session: requests.Session, net: Net, of_session: Mapping[str, Any], method: str, url: str, options: Any
) -> object:
    """Return what reaches the server, in the order of the wire, or what is raised instead."""
    for name, value in of_session.items():
        if name == "headers":
            session.headers.update(value)
        else:
            setattr(session, name, value)
    net.network.serve("h", net.server)
    net.network.serve("h:80", net.server)
    try:
        reply = session.request(method, url, **options)
    except Exception as error:  # noqa: BLE001 - whatever requests raises
        return type(error), str(error)
    found = net.server.seen[-1]
    return found.method, found.url, list(found.headers.items()), found.body, reply.url, reply.json()


def plain_session(net: Net) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", NetworkAdapter(net.network))
    session.mount("https://", NetworkAdapter(net.network))
    return session


@settings(max_examples=400, deadline=None)
@given(METHODS, URLS, OPTIONS, OF_SESSION)
@example("DELETE", URL, {"allow_redirects": False}, {})
@example("POST", URL, {"allow_redirects": False, "json": {"a": float("nan")}}, {})
@example("POST", URL, {"allow_redirects": False, "json": {}, "auth": ("u", "p")}, {})
@example("POST", URL, {"allow_redirects": False, "json": [1]}, {"params": {"s": "1"}})
@example("GET", "http://h/a/../b", {"allow_redirects": False}, {})
@example("GET", "http://u:p%40w@h/", {"allow_redirects": False}, {})
@example("PUT", "http://h/", {"allow_redirects": False, "json": "é\ud800"}, {"headers": {"Accept": None}})
def test_the_same_bytes_as_requests(
    method: str, url: str, options: dict[str, Any], of_session: dict[str, Any]
) -> None:
    one, two = Net(), Net()
    virtual = sent(VirtualSession(one.network), one, of_session, method, url, options)
    assert virtual == sent(plain_session(two), two, of_session, method, url, options)


@settings(max_examples=100, deadline=None)
@given(st.from_regex(_PLAIN_URL, fullmatch=True))
def test_a_plain_url_is_one_that_requests_sends_as_it_is(url: str) -> None:
    assert requests.Request("GET", url).prepare().url == url


@given(st.text(max_size=20))
def test_a_long_odd_url_is_told_from_a_plain_one_at_once(text: str) -> None:
    assert not _PLAIN_URL.fullmatch("http://h" + "/a-" * 5000 + text + "\n")


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (io.BytesIO(b"\xff\x00"), b"\xff\x00"),
        (io.StringIO("é"), "é".encode()),
        (iter([b"a", b"b"]), b"ab"),
        ("é", "é".encode()),
    ],
)
def test_bodies_that_are_no_bytes_arrive_as_bytes(body: Any, wire: bytes) -> None:
    net = Net()
    VirtualSession(net.network).post(URL, data=body)
    assert net.server.seen[0].body == wire


def test_files_are_sent_as_a_form() -> None:
    net = Net()
    VirtualSession(net.network).post(URL, files={"file": ("a.txt", b"text")})
    request = net.server.seen[0]
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b'filename="a.txt"' in request.body


REPLIES = [
    HttpReply(200, '{"a": "é"}'.encode()),
    HttpReply(200, b'{"a": "\xff"}'),
    HttpReply(200, b"\xef\xbb\xbf{}"),
    HttpReply(200, b"null"),
    HttpReply(502, b"<html>", "text/html"),
    HttpReply(200, b"caf\xe9", "text/plain; charset=latin-1"),
    HttpReply(204, b"", "text/plain"),
    HttpReply(404, b"{}", headers={"x-more": "1"}),
]


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: f"{reply.status} {reply.body!r}")
def test_a_response_says_what_one_of_requests_says(reply: HttpReply) -> None:
    net = Net()
    net.server.reply = reply
    ours = VirtualSession(net.network).get(URL, allow_redirects=False)
    real = real_response(reply)
    assert (ours.status_code, ours.content, ours.text, ours.ok) == (
        real.status_code,
        real.content,
        real.text,
        real.ok,
    )
    assert {name.lower(): value for name, value in ours.headers.items()} == {
        name.lower(): value for name, value in real.headers.items()
    }
    assert outcome(ours) == outcome(real)
    assert list(ours.iter_content(3)) == list(real.iter_content(3))
    ours.close()


def real_response(reply: HttpReply) -> requests.Response:
    """Return a response as requests' own adapter leaves it."""
    response = requests.Response()
    response.status_code = reply.status
    response.headers["Content-Type"] = reply.content_type
    response.headers["Content-Length"] = str(len(reply.body))
    response.headers.update(reply.headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.raw = io.BytesIO(reply.body)
    return response


def outcome(response: requests.Response) -> object:
    try:
        return response.json()
    except requests.JSONDecodeError as error:
        return str(error)


def test_redirects_are_followed_or_not_as_requests_does() -> None:
    net = Net()

    def handle(request: HttpRequest) -> HttpReply:
        net.server.seen.append(request)
        if request.url.endswith("/old"):
            return HttpReply(302, headers={"location": "/jid/new"})
        return HttpReply(200, b"{}")

    net.server.handle = handle  # type: ignore[method-assign]
    session = VirtualSession(net.network)
    reply = session.post(f"http://{HOST}/old", json={"a": 1}, auth=BearerAuth("t"))
    assert [request.method for request in net.server.seen] == ["POST", "GET"]
    assert net.server.seen[1].headers["authorization"] == "Bearer t"
    assert net.server.seen[1].body == b""
    assert (reply.url, [found.status_code for found in reply.history]) == (f"http://{HOST}/jid/new", [302])
    assert session.post(f"http://{HOST}/old", json={}, allow_redirects=False).status_code == 302


@pytest.mark.parametrize("new", [lambda net: VirtualSession(net.network), lambda net: plain_session(net)])
def test_hooks_of_session_and_request_see_every_response(new: Callable[[Net], requests.Session]) -> None:
    session = new(Net())
    told: list[str] = []
    session.hooks["response"].append(lambda reply, **_: told.append(f"session {reply.status_code}"))
    session.get(URL, allow_redirects=False)
    session.get(URL, hooks={"response": lambda reply, **_: told.append("request")})
    assert told == ["session 200", "request"]


def test_only_http_goes_into_the_network() -> None:
    session = VirtualSession(Net().network)
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get("ftp://h/")


def test_nothing_of_the_machine_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / ".netrc").write_text(f"machine {HOST.partition(':')[0]} login u password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    net = Net()
    VirtualSession(net.network).get(URL)
    assert "authorization" not in net.server.seen[0].headers
    assert re.match("http://server", net.server.seen[0].url)
