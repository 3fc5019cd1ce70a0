"""Getting a token, with a stand-in for the ticket: with real Kerberos it is in `real`."""

import base64
import sys
from dataclasses import replace
from typing import Any

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from lute.arp.token import fetch_token, token_expiry
from lute.errors import ConfigError, PermanentError, TransientError
from lute.seams import Runtime
from lute.seams.http import NegotiateAuth
from lute.seams.kerberos import negotiate
from tests.fakes import fake_runtime, settings
from tests.lute.arp.tokens import token

URL = "http://elog.test/ws-kerb/lgbk/exp/ws/generate_arp_token"


def runtime() -> Runtime:
    return replace(fake_runtime(), negotiate=lambda host, ccache: f"Negotiate {host},{ccache}")


@responses.activate
def test_the_bare_token_becomes_an_authorization() -> None:
    responses.get(URL, json={"success": True, "value": "abc.def.ghi"})
    assert fetch_token("exp", settings(), runtime(), "FILE:/x") == "Bearer abc.def.ghi"
    assert responses.calls[0].request.params == {"token_lifetime": "300"}  # type: ignore[attr-defined]
    assert responses.calls[0].request.headers["Authorization"] == "Negotiate elog.test,FILE:/x"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"status": 401, "body": "<html>Negotiate"}, r"HTTP 401\) "),
        ({"status": 500, "body": "Tokens are support only"}, r"HTTP 500\): Tokens are support only "),
        ({"status": 302, "body": "", "headers": {"Location": "http://evil.test"}}, r"HTTP 302\) "),
        ({"body": "<html>"}, r"HTTP 200\) "),
        ({"body": "[" * 100_000}, r"HTTP 200\) "),
        ({"status": 500, "body": "x" * 100_000}, r"HTTP 500\): x{300} "),
        ({"json": "a.b.c"}, r"HTTP 200\) "),
        ({"json": []}, r"HTTP 200\)"),
        ({"json": {"success": False, "errormsg": "no\nway"}}, r"HTTP 200\): no way "),
        ({"json": {"success": True, "value": None}}, r"HTTP 200\) "),
        ({"json": {"success": True, "value": "two\nlines"}}, r"HTTP 200\) "),
    ],
)
@responses.activate
def test_no_token_says_what_to_do(reply: dict[str, Any], said: str) -> None:
    responses.get(URL, **reply)
    with pytest.raises(PermanentError, match=rf"gave no token \({said}(?s:.*)kinit"):
        fetch_token("exp", settings(), runtime())
    assert len(responses.calls) == 1  # nobody else is shown the ticket


@responses.activate
def test_no_message_has_a_token() -> None:
    responses.get(URL, status=500, body=f"cannot give {token(exp=1)}")
    with pytest.raises(PermanentError, match=r"cannot give \*\*\*"):
        fetch_token("exp", settings(), runtime())


@pytest.mark.parametrize("reply", [{"body": requests.ConnectionError("refused")}, {"status": 503}])
@responses.activate
def test_an_elog_out_of_reach_is_told(reply: dict[str, Any]) -> None:
    responses.get(URL, **reply)
    with pytest.raises(TransientError, match=r"(cannot be reached|gave no token)(?s:.*)the eLog up"):
        fetch_token("exp", settings(), runtime())


def test_without_a_kerberos_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("requests_gssapi", "krtc"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"no Kerberos support(?s:.*)pip install requests-gssapi"):
        negotiate("elog.test", None)


def test_a_negotiation_shows_itself_to_nobody() -> None:
    assert "dGlja2V0" not in repr(NegotiateAuth("Negotiate dGlja2V0"))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": 1.5}, 1.5),
        ({"exp": 7, "expires": 9}, 7.0),
        ({"user": "a", "expires": 12.25}, 12.25),
        ({}, None),
        ({"exp": "soon"}, None),
        ({"exp": True}, None),
        ({"exp": None, "expires": 3}, None),
        ({"exp": float("nan")}, None),
        ({"exp": float("inf")}, None),
        ({"exp": 10**400}, None),
    ],
)
@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_a_token_says_when_it_expires(claims: dict[str, Any], expected: float | None, prefix: str) -> None:
    assert token_expiry(prefix + token(**claims)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer ",
        "Bearer secret",
        "a.b.c",
        "a.ü.c",
        "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c",
        "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c",
        "variable:lute_token_x.y.z",
    ],
)
def test_what_is_no_token_says_nothing(text: str) -> None:
    assert token_expiry(text) is None


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(token_expiry(f"a.{text}.c"), float | None)
