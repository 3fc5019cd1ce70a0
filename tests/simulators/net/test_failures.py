"""What fails in the virtual network fails as on a real one: production judges both alike."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
import requests
from urllib3.exceptions import MaxRetryError

from simulators.net.exchange import Exchange, Failure
from simulators.net.session import VirtualSession
from tests.simulators.net.world import URL, Meddling, Net

Serve = Callable[[socket.socket], object]
READ_S = 0.1
"""Real time: so long a real client waits for a real server that says nothing."""


@contextlib.contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """Accept connections on 127.0.0.1, hand each to `serve`, and keep it open until the end."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/jid"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in kept:
                connection.close()


def read(connection: socket.socket) -> None:
    """Read the whole request: a reset in the middle of it shows in many ways."""
    text = b""
    while not text.endswith(b"}"):
        text += connection.recv(65536)


def reset(connection: socket.socket) -> None:
    read(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    read(connection)
    connection.close()


def say_nothing(_connection: socket.socket) -> None:
    pass


def really(serve: Serve | None) -> requests.RequestException:
    """Return what a real session raises; without a server nobody listens."""
    with listening(serve or say_nothing) as url:
        if serve is not None:
            return raised(requests.Session(), url)
    return raised(requests.Session(), url)


def virtually(failure: Failure, *, arrives: bool = True) -> requests.RequestException:
    net = Net()

    def fail(exchange: Exchange) -> None:
        exchange.failure, exchange.arrives = failure, arrives

    net.network.meddler = Meddling(after=fail) if arrives else Meddling(before=fail)
    return raised(VirtualSession(net.network), URL)


def raised(session: requests.Session, url: str) -> requests.RequestException:
    session.trust_env = False
    with session, pytest.raises(requests.RequestException) as caught:
        session.post(url, json={"a": 1}, timeout=(5.0, READ_S), allow_redirects=False)
    return caught.value


def shape(error: requests.RequestException) -> list[type]:
    """Return the classes of an error and of the reasons inside it."""
    reason = error.args[0]
    inner = reason.reason if isinstance(reason, MaxRetryError) else None
    below = [arg for arg in reason.args if isinstance(arg, Exception)] if inner is None else []
    return [type(error), type(reason), type(inner), *(type(found) for found in below)]


CASES = {
    "refused": (None, Failure.REFUSED, False),
    "reset after the effect": (reset, Failure.RESET, True),
    "reset before the effect": (reset, Failure.RESET, False),
    "silent after the effect": (say_nothing, Failure.TIMEOUT, True),
    "silent before the effect": (say_nothing, Failure.TIMEOUT, False),
}


@pytest.mark.parametrize(("serve", "failure", "arrives"), CASES.values(), ids=CASES.keys())
def test_a_failure_raises_what_a_real_one_raises(
    serve: Serve | None, failure: Failure, arrives: bool
) -> None:
    real, virtual = really(serve), virtually(failure, arrives=arrives)
    assert shape(virtual) == shape(real)
    assert str(READ_S) in str(virtual) if failure is Failure.TIMEOUT else virtual.request is not None


def test_a_server_that_hangs_up_looks_like_one_that_resets() -> None:
    assert type(really(hang_up)) is type(virtually(Failure.RESET))


def test_a_host_that_nobody_knows_looks_like_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    real = raised(requests.Session(), "http://nobody.invalid/")
    virtual = raised(VirtualSession(Net().network), "http://nobody.virtual/")
    assert type(virtual) is type(real)
