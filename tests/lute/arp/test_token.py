"""Getting a token, with a stand-in for the Kerberos library: no Kerberos is involved."""

import sys
import types
from typing import Any

import pytest
import requests
import responses
from requests.auth import HTTPBasicAuth

from lute.arp.token import fetch_token
from lute.errors import PermanentError, TransientError
from tests.fakes import fake_runtime, settings

URL = "http://elog.test/ws-kerb/lgbk/exp/ws/generate_arp_token"


@pytest.fixture(autouse=True)
def kerberos(monkeypatch: pytest.MonkeyPatch) -> None:
    library = types.ModuleType("requests_gssapi")
    library.HTTPSPNEGOAuth = lambda: HTTPBasicAuth("ticket", "")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "requests_gssapi", library)


@responses.activate
def test_the_bare_token_becomes_an_authorization() -> None:
    responses.get(URL, json={"success": True, "value": "abc.def.ghi"})
    assert fetch_token("exp", settings(), fake_runtime()) == "Bearer abc.def.ghi"
    assert responses.calls[0].request.params == {"token_lifetime": "300"}  # type: ignore[attr-defined]
    assert responses.calls[0].request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 401, "body": "Negotiate"},
        {"status": 500, "body": "Tokens are support only with the ws-kerb endpoint"},
        {"body": "<html>"},
        {"json": []},
        {"json": {"success": False, "errormsg": "no"}},
        {"json": {"success": True, "value": None}},
    ],
)
@responses.activate
def test_no_token_says_what_to_do(reply: dict[str, Any]) -> None:
    responses.get(URL, **reply)
    with pytest.raises(PermanentError, match=r"gave no token(?s:.*)kinit"):
        fetch_token("exp", settings(), fake_runtime())


@responses.activate
def test_an_elog_out_of_reach_is_told() -> None:
    responses.get(URL, body=requests.ConnectionError("refused"))
    with pytest.raises(TransientError, match="the eLog cannot be reached"):
        fetch_token("exp", settings(), fake_runtime())
