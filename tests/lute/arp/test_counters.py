import json

import pytest
import requests
import responses

from lute.arp.counters import Counters, CountersError
from tests.fakes import fake_runtime

BASE = "http://jid.test/jid/ws"
REPLACE = f"{BASE}/replace_counters/exp/root1"
GET = f"{BASE}/exp/get_counters"
ENV = {
    "JID_UPDATE_COUNTERS": REPLACE,
    "ARP_ROOT_JOB_ID": "root1",
    "EXPERIMENT": "exp",
    "RUN_NUM": "12_x",
    "Authorization": "Bearer tok",
}


def counters() -> Counters:
    found = Counters.from_environment(ENV, fake_runtime())
    assert found is not None
    return found


@responses.activate
def test_rows_of_others_are_kept() -> None:
    responses.post(
        GET, json={"success": True, "value": [{"key": "a", "value": 1}, {"key": "b", "value": "x"}]}
    )
    responses.post(REPLACE, json={"success": True, "value": None})
    counters().update({"b": "y", "c": "z"})
    get, replace = (call.request for call in responses.calls)
    assert json.loads(get.body or "")["_id"] == "root1"
    assert get.headers["Authorization"] == "Bearer tok"
    assert "Authorization" not in replace.headers
    assert json.loads(replace.body or "") == [
        {"key": "a", "value": 1},
        {"key": "b", "value": "y"},
        {"key": "c", "value": "z"},
    ]


@pytest.mark.parametrize(
    "reply",
    [
        {"status": 500, "body": "<html>"},
        {"status": 200, "body": "<html>"},
        {"json": {"success": False}},
        {"json": {"success": True, "value": None}},
        {"json": []},
        {"body": requests.ConnectionError("no")},
    ],
)
@responses.activate
def test_what_goes_wrong_is_one_kind_of_error(reply: dict[str, object]) -> None:
    responses.post(GET, **reply)  # type: ignore[arg-type]
    with pytest.raises(CountersError):
        counters().update({"a": "b"})


@pytest.mark.parametrize("env", [{}, {"JID_UPDATE_COUNTERS": ""}, {"JID_UPDATE_COUNTERS": "nonsense"}])
def test_without_the_arp_there_are_none(env: dict[str, str]) -> None:
    assert Counters.from_environment(env, fake_runtime()) is None
