"""The JID without HTTP answers as the one over HTTP does."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from simulators.jid.paths import LARGEST_BODY
from simulators.jid.routes import application
from simulators.net.messages import HttpRequest, Server
from simulators.slurm.models import JobModel
from tests.simulators.jid.virtual_world import World, document

JOB = {"tool_id": "1", "user": "u"}
BASE = "http://jid/jid/ws"

REQUESTS: Mapping[str, tuple[str, str, Any]] = {
    "start": ("POST", "/exp/start_job", document()),
    "start without a document": ("POST", "/exp/start_job", None),
    "start for somebody else": ("POST", "/exp/start_job", document(user="v")),
    "start in another experiment": ("POST", "/other/start_job", document()),
    "start what sbatch refuses": ("POST", "/exp/start_job", document(more="--partition=none --account=a")),
    "start in a document of letters": ("POST", "/exp/start_job", document("Tester", "--comment='ü\n中'")),
    "statuses": ("POST", "/job_statuses", [JOB, {"tool_id": "2"}]),
    "statuses of an experiment": ("POST", "/exp/job_statuses", JOB),
    "status of an id that is none": ("POST", "/job_statuses", [{"tool_id": "-o"}]),
    "statuses of nothing": ("POST", "/job_statuses", []),
    "log": ("POST", "/exp/job_log_file", JOB),
    "log of an unknown job": ("POST", "/exp/job_log_file", {"tool_id": "9"}),
    "details": ("POST", "/exp/job_details", JOB),
    "kill": ("POST", "/exp/kill_job", JOB),
    "kill without an id": ("POST", "/exp/kill_job", {"user": "u"}),
    "counters": ("POST", "/exp/get_counters", {"_id": "root"}),
    "replace counters": ("POST", "/replace_counters/exp/root", [{"key": "a", "value": 1}]),
    "replace counters by none": ("POST", "/replace_counters/exp/root", {"key": "a"}),
    "query in the address": ("POST", "/exp/job_statuses?a=b/start_job", JOB),
    "encoded question mark": ("POST", "/e%3Fxp/job_statuses", JOB),
    "encoded slash": ("POST", "/e%2Fxp/job_statuses", JOB),
    "encoded name": ("POST", "/%65xp/job%5fstatuses", JOB),
    "encoded line end": ("POST", "/exp/job_statuses%0A", JOB),
    "trailing slash": ("POST", "/exp/job_statuses/", JOB),
    "double slash": ("POST", "//job_statuses", JOB),
    "unknown endpoint": ("POST", "/exp/nonsense", JOB),
    "no endpoint": ("POST", "", JOB),
    "start without experiment": ("POST", "/start_job", document()),
    "counters of nobody": ("POST", "/replace_counters/exp", []),
    "GET": ("GET", "/exp/start_job", None),
    "GET of what is not there": ("GET", "/exp/nonsense", None),
    "PUT": ("PUT", "/job_statuses", None),
    "DELETE": ("DELETE", "/replace_counters/exp/root", None),
}
BODIES: Mapping[str, tuple[int, bytes]] = {
    "no JSON": (400, b"{"),
    "NaN": (400, b'[{"a": NaN}]'),
    "more than a float holds": (400, b'[{"a": 1e999}]'),
    "as much as a float holds": (200, b'[{"a": 1e300}]'),
    "more digits than Python reads": (400, b'[{"a": ' + b"9" * 5000 + b"}]"),
    "half a character": (400, b'[{"a": "\\ud800"}]'),
    "a whole one": (200, b'[{"a": "\\ud83d\\ude00"}]'),
    "a letter": (200, '[{"a": "ü"}]'.encode()),
    "another encoding": (200, '[{"a": "ü"}]'.encode("utf-16")),
    "ASCII in another encoding": (200, '[{"a": "u"}]'.encode("utf-16-le")),
    "a mark before": (200, b"\xef\xbb\xbf[{}]"),
    "broken UTF-8": (400, b'[{"a": "\xff"}]'),
    "deep": (400, b"[" * 100_000),
    "deep enough": (200, b'[{"a":' + b"[" * 60 + b"]" * 60 + b"}]"),
    "too large": (413, b" " * (LARGEST_BODY + 1)),
    "as large as may be": (200, b"[{}]" + b" " * (LARGEST_BODY - 4)),
    "empty": (400, b""),
}


def both(method: str, path: str, body: bytes, authorization: str | None = "Bearer") -> list[tuple[Any, ...]]:
    """Return status, content type, allowed methods and body of each JID's answer; the worlds are alike."""
    answers: list[tuple[Any, ...]] = []
    for is_served in (True, False):
        world = World({"Tester": JobModel(1e6, log="from the job: ü\n")})
        for task in ("Tester", "Other"):
            world.value("/exp/start_job", document(task))
        world.pass_time(20)
        headers = {"content-type": "application/json"}
        if authorization:
            headers["authorization"] = authorization.replace("Bearer", f"Bearer {world.token}")
        if is_served:
            client = TestClient(application(world.service), base_url="http://jid")
            url = f"{BASE}{path}"
            reply = client.request(method, url, content=body, headers=headers, follow_redirects=False)
            told = reply.status_code, reply.headers["content-type"], reply.headers.get("allow"), reply.content
        else:
            sent = world.server.handle(HttpRequest(method, f"{BASE}{path}", headers, body))
            told = sent.status, sent.content_type, sent.headers.get("allow"), sent.body
        answers.append(told)
    return answers


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_has_the_same_answer(name: str) -> None:
    method, path, body = REQUESTS[name]
    served, virtual = both(method, path, b"" if body is None else json.dumps(body).encode())
    assert virtual == served


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/job_statuses", "/replace_counters/exp/root"])
def test_every_body_has_the_same_answer(path: str, name: str) -> None:
    status, body = BODIES[name]
    served, virtual = both("POST", path, body)
    assert virtual == served
    assert served[0] == status


def test_no_depth_of_nesting_upsets_either() -> None:
    world = World()
    headers = {"authorization": f"Bearer {world.token}"}
    client = TestClient(application(world.service), base_url="http://jid")
    seen: list[set[int]] = [set(), set()]
    for depth in (*range(20, 700, 40), *range(700, 1010, 3)):
        body = b'[{"a":' + b"[" * depth + b"]" * depth + b"}]"
        seen[0].add(client.post(f"{BASE}/job_statuses", content=body, headers=headers).status_code)
        seen[1].add(world.server.handle(HttpRequest("POST", f"{BASE}/job_statuses", headers, body)).status)
    assert seen == [{200, 400}, {200, 400}]


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer ", "bearer", "Basic eDp5", "Bearer.x", "Bearer x"]
)
def test_every_authorization_has_the_same_answer(authorization: str | None) -> None:
    served, virtual = both("POST", "/job_statuses", b"[{}]", authorization)
    assert virtual == served
    assert served[0] == 401


def test_the_cases_reach_every_kind_of_answer() -> None:
    seen = {both(method, path, json.dumps(body).encode())[1][0] for method, path, body in REQUESTS.values()}
    assert seen == {200, 400, 403, 404, 405}


def test_endpoints_have_names() -> None:
    server: Server = World().server
    names = {
        "/exp/start_job": "jid.start_job",
        "/job_statuses": "jid.job_statuses",
        "/exp/job_statuses": "jid.job_statuses",
        "/exp/job_log_file": "jid.job_log_file",
        "/exp/job_details": "jid.job_details",
        "/exp/kill_job": "jid.kill_job",
        "/exp/get_counters": "jid.get_counters",
        "/replace_counters/exp/root": "jid.replace_counters",
        "/exp/nonsense": "jid.other",
        "/exp/start_job/": "jid.other",
    }
    assert {path: server.endpoint(HttpRequest("POST", f"{BASE}{path}", {})) for path in names} == names


def test_a_reply_tells_how_long_slurm_was_silent() -> None:
    world = World()
    assert world.post("/exp/start_job", document()).took_s == 0
    world.slurm.is_down = True
    for path, body in (("/exp/start_job", document()), ("/job_statuses", [JOB])):
        reply = world.post(path, body)
        assert b'"success":false' in reply.body
        assert 9 <= reply.took_s <= 18
    assert world.post("/exp/nonsense", JOB).took_s == 0


def test_a_lost_reply_of_sbatch_is_a_soft_failure_whose_job_may_run() -> None:
    world = World()
    world.slurm.socket_timeout_submits, world.slurm.socket_timeout_accepts = 1, True
    assert "Socket timed out" in world.refusal("/exp/start_job", document())
    world.pass_time(10)
    assert world.slurm.job(1).request.name == "Tester"


def test_a_job_that_slurm_forgot_keeps_its_status_and_its_log() -> None:
    world = World({"Tester": JobModel(10, log="all\n")})
    started = world.value("/exp/start_job", document())
    world.pass_time(30)
    done = world.value("/job_statuses", [started])[0]
    assert done["status"] == "DONE"
    world.slurm.purge(1)
    assert world.value("/job_statuses", [done]) == [done]
    assert world.value("/job_statuses", [started]) == [started]
    assert world.value("/exp/job_log_file", done) == "all\n"


def test_a_token_expires_although_it_was_good_before() -> None:
    world = World()
    assert world.post("/job_statuses", [JOB]).status == 200
    world.pass_time(3601)
    assert world.post("/job_statuses", [JOB]).status == 401
