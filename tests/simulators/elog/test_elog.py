"""The eLog as its clients see it."""

import base64
import json
from typing import Any

import pytest

from simulators.elog.server import ElogServer
from simulators.elog.service import ElogService
from simulators.elog.state import Document, ElogState
from simulators.kernel.clock import VirtualClock
from simulators.net.messages import HttpReply, HttpRequest, Server
from simulators.slurm.models import JobModel
from tests.simulators.jid.virtual_world import World, document

DEFINITION = {
    "name": "lute",
    "executable": "/opt/lute/scripts/submit_slurm.sh",
    "trigger": "MANUAL",
    "location": "S3DF",
    "parameters": "-c /data/a.yaml -t Tester",
}
LABELLED_JSON = "application/json; charset=utf-8"


class Elog:
    """An eLog beside a JID; `u` and `xppopr` may post to `exp`, `reader` may read."""

    def __init__(self) -> None:
        self.world = World({"Tester": JobModel(1e6)})
        self.state = ElogState(VirtualClock(self.world.agenda))
        self.exp = self.state.add_experiment("exp", posters={"u", "xppopr"}, readers={"reader"})
        self.messages: list[tuple[str, Document]] = []
        self.state.on_message.append(lambda topic, message: self.messages.append((topic, message)))
        service = ElogService(self.state, self.world.tokens, self.world.server.handle)
        self.server = ElogServer(service, self.state, self.world.tokens, {"xppopr": "p:w"})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        prefix: str = "ws-kerb",
        user: str = "u",
        area: str = "lgbk",
        **headers: str,
    ) -> HttpReply:
        sent = {"authorization": f"Negotiate {user}"} if user else {}
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= headers
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.server.handle(
            HttpRequest(method, f"http://elog/{prefix}/lgbk/{area}/{path}", sent, content)
        )

    def value(self, method: str, path: str, body: Any = None, **how: str) -> Any:
        reply = self.ask(method, path, body, **how)
        assert (reply.status, reply.content_type) == (200, "application/json"), reply
        answer = json.loads(reply.body)
        assert answer["success"] is True, answer
        return answer["value"]

    def soft(self, method: str, path: str, body: Any = None, **how: str) -> str:
        reply = self.ask(method, path, body, **how)
        answer = json.loads(reply.body)
        assert (reply.status, answer["success"], answer["value"]) == (200, False, None), reply
        return str(answer["errormsg"])

    def define(self, **changes: Any) -> Document:
        stored: Document = self.value("POST", "exp/ws/create_update_workflow_def", DEFINITION | changes)
        return stored

    def create_job(self, **changes: Any) -> Document:
        given = {"job_name": "lute", "run_num": 12} | changes
        job: Document = self.value("POST", "exp/ws/create_workflow_job", given)
        return job


@pytest.fixture
def elog() -> Elog:
    return Elog()


def is_page(reply: HttpReply, status: int, content_type: str = LABELLED_JSON) -> bool:
    is_html = reply.body.startswith(b"<!doctype html>")
    return is_html and (reply.status, reply.content_type) == (status, content_type)


def test_a_token_for_a_kerberos_ticket_opens_the_jid(elog: Elog) -> None:
    token = elog.value("GET", "exp/ws/generate_arp_token?token_lifetime=300", user="u@SLAC.STANFORD.EDU")
    elog.world.pass_time(299 * 60)
    claims = elog.world.tokens.check(f"Bearer {token}", experiment="exp", user="u")
    assert (claims.user, claims.experiment) == ("u", "exp")
    elog.world.token = token
    assert elog.world.value("/exp/start_job", document())["tool_id"] == "1"
    elog.world.pass_time(60)
    assert elog.world.post("/exp/start_job", document()).status == 401


def test_a_token_lives_a_minute_unless_asked_otherwise(elog: Elog) -> None:
    elog.world.token = elog.value("GET", "exp/ws/generate_arp_token", user="", **{"x-sim-user": "u"})
    elog.world.pass_time(59)
    assert elog.world.post("/job_statuses", [{}]).status == 200
    elog.world.pass_time(1)
    assert elog.world.post("/job_statuses", [{}]).status == 401


def test_tokens_that_are_not_given(elog: Elog) -> None:
    path = "exp/ws/generate_arp_token?token_lifetime="
    too_long = elog.ask("GET", f"{path}481")
    assert (too_long.status, too_long.content_type) == (500, LABELLED_JSON)
    assert too_long.body == b"Cannot generate tokens with lifetimes larger than 480 minutes"
    assert is_page(elog.ask("GET", f"{path}soon"), 500)
    assert is_page(elog.ask("GET", path), 500), "an empty value is no number"
    assert elog.ask("GET", f"{path}481&token_lifetime=1").status == 500, "the first counts"
    basic = {"authorization": "Basic " + base64.b64encode(b"xppopr:p:w").decode()}
    without = elog.ask("GET", f"{path}60", prefix="ws-auth", **basic)
    assert without.body == b"Tokens are support only with the ws-kerb endpoint"
    assert is_page(elog.ask("GET", f"{path}-{'9' * 400}"), 500)
    assert elog.value("GET", f"{path}-5"), "zero and less are taken"


@pytest.mark.parametrize(
    ("prefix", "authorization", "status", "body"),
    [
        ("ws-kerb", "", 401, b"<!doctype"),
        ("ws-kerb", "Bearer x", 401, b"<!doctype"),
        ("ws-jwt", "", 401, b'{"error": "Unauthorized"}'),
        ("ws-jwt", "Negotiate u", 401, b'{"error": "Unauthorized"}'),
        ("ws-jwt", "Bearer x", 401, b'{"error": "Invalid token"}'),
        ("ws-auth", "Basic eHBwb3ByOng=", 401, b"<!doctype"),
        ("ws-auth", "Basic ?", 401, b"<!doctype"),
        ("ws", "Negotiate u", 403, b"<!doctype"),
        ("ws-token", "Negotiate u", 404, b"<!doctype"),
    ],
)
def test_each_prefix_wants_its_own_proof(
    elog: Elog, prefix: str, authorization: str, status: int, body: bytes
) -> None:
    reply = elog.ask("GET", "exp/ws/workflow_jobs", prefix=prefix, user="", authorization=authorization)
    assert reply.status == status
    assert reply.body.startswith(body)


def test_a_token_of_the_arp_and_a_password_are_proofs(elog: Elog) -> None:
    bearer = {"authorization": f"Bearer {elog.world.token}"}
    assert elog.value("GET", "exp/ws/workflow_jobs", prefix="ws-jwt", **bearer) == []
    basic = {"authorization": "Basic " + base64.b64encode(b"xppopr:p:w").decode()}
    assert elog.value("GET", "exp/ws/workflow_jobs", prefix="ws-auth", **basic) == []


def test_privileges_and_unknown_things(elog: Elog) -> None:
    assert elog.value("GET", "exp/ws/workflow_jobs", user="reader") == []
    assert is_page(elog.ask("POST", "exp/ws/create_workflow_job", {}, user="reader"), 403)
    assert is_page(elog.ask("GET", "exp/ws/workflow_jobs", user="stranger"), 403)
    assert is_page(elog.ask("GET", "none/ws/workflow_jobs"), 404)
    assert is_page(elog.ask("POST", "none/ws/create_workflow_job", {}), 403), "no check that it exists"
    assert is_page(elog.ask("GET", "exp/ws/nonsense"), 404, "text/html; charset=utf-8")
    assert is_page(elog.ask("POST", "exp/ws/workflow_jobs", {}), 405, "text/html; charset=utf-8")
    assert is_page(elog.ask("POST", "exp/ws/create_workflow_job", b"{"), 400)
    assert is_page(elog.ask("POST", "exp/ws/create_workflow_job", b"[" * 100_000), 400)
    assert is_page(elog.ask("POST", "exp/ws/create_workflow_job"), 415)
    assert is_page(elog.ask("POST", "exp/ws/create_workflow_job", []), 500)


def test_a_definition_is_stored_under_the_name_of_whoever_did_it(elog: Elog) -> None:
    stored = elog.define(run_as_user="root")
    assert stored["run_as_user"] == "u"
    assert len(stored["_id"]) == 24
    assert int(stored["_id"], 16)
    again = elog.define(_id=stored["_id"], name="b", trigger="END_OF_RUN")
    elog.define(name="a")
    listed = elog.value("GET", "exp/ws/workflow_definitions")
    assert [one["name"] for one in listed] == ["a", "b"]
    assert listed[1] == again


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "x", "trigger": "", "location": ""},
         "Create/update workflow missing keys {'executable', 'parameters'}"),
        (DEFINITION | {"trigger": "X"}, "Invalid trigger X in create/update workflow"),
        (DEFINITION | {"trigger": ["X"]}, "Invalid trigger ['X'] in create/update workflow"),
        (DEFINITION | {"location": "X"}, "Invalid location X in create/update workflow"),
        (DEFINITION, "There already exists a workflow definition for lute"),
        (DEFINITION | {"_id": "7"}, "Cannot find workflow definition with id 7 "),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_a_soft_failure(elog: Elog, given: Any, said: str) -> None:
    elog.define()
    assert elog.soft("POST", "exp/ws/create_update_workflow_def", given) == said
    assert len(elog.exp.definitions) == 1


def test_nobody_defines_workflows_for_an_operator_account(elog: Elog) -> None:
    basic = {"authorization": "Basic " + base64.b64encode(b"xppopr:p:w").decode()}
    path = "exp/ws/create_update_workflow_def"
    said = elog.soft("POST", path, DEFINITION, prefix="ws-auth", **basic)
    assert said == "Cannot create a workflow definition for the user xppopr for security reasons"
    empty = elog.ask("POST", path, {})
    assert (empty.status, empty.content_type) == (500, LABELLED_JSON)
    assert empty.body == b"Please pass in the workflow definition as a JSON document."


def test_a_job_starts_in_the_elog_and_the_arp_hears_of_it(elog: Elog) -> None:
    definition = elog.define()
    job = elog.create_job(run_num="12")
    assert (job["run_num"], job["status"], job["user"], job["experiment"]) == (12, "START", "u", "exp")
    assert job["def"] == definition
    message = {"experiment_name": "exp", "CRUD": "Create", "value": job}
    assert elog.messages == [("workflow_jobs", message)]
    newer = elog.create_job(run_num=13)
    assert elog.value("GET", "exp/ws/workflow_jobs") == [newer, job]
    del elog.exp.definitions[definition["_id"]]
    assert elog.value("GET", "exp/ws/workflow_jobs") == [], "orphans are left out"


def test_jobs_that_are_not_created(elog: Elog) -> None:
    path = "exp/ws/create_workflow_job"
    assert elog.soft("POST", path, {"run_num": 1}) == "Create/update workflow job missing keys {'job_name'}"
    missing = {"job_name": "none", "run_num": 1}
    assert elog.soft("POST", path, missing) == "Cannot find job definition for none "
    elog.define()
    assert is_page(elog.ask("POST", path, {"job_name": "lute", "run_num": "x"}), 500)
    assert not elog.exp.jobs
    assert not elog.messages


def test_an_update_changes_what_the_arp_may_change(elog: Elog) -> None:
    elog.define()
    job = elog.create_job()
    change = {"status": "RUNNING", "tool_id": 7, "log_file_path": "", "user": "v", "counters": [{"key": "a"}]}
    told = elog.value("POST", "exp/ws/update_workflow_job", {"_id": job["_id"], **change})
    assert told == job | {"status": "RUNNING", "tool_id": 7, "counters": [{"key": "a"}]}
    assert elog.messages[-1] == ("workflow_jobs", {"experiment_name": "exp", "CRUD": "Update", "value": told})
    assert elog.messages[0][1]["value"]["status"] == "START"
    assert elog.soft("POST", "exp/ws/update_workflow_job", {"_id": "7"}) == "Cannot find workflow job"
    without = elog.ask("POST", "exp/ws/update_workflow_job", {"status": "DONE"})
    assert (without.status, without.body) == (500, b"Please pass in the job _id in a JSON document.")


def test_a_kill_reaches_slurm_through_the_jid_in_the_name_of_the_jobs_user(elog: Elog) -> None:
    elog.define()
    job = elog.create_job()
    tool_id = elog.world.value("/exp/start_job", document())["tool_id"]
    elog.value("POST", "exp/ws/update_workflow_job", {"_id": job["_id"], "tool_id": tool_id})
    elog.world.pass_time(20)
    elog.exp.posters.add("boss")
    told = elog.value("GET", f"exp/ws/kill_workflow_job?job_id={job['_id']}", user="boss")
    assert told["status"] == "RUNNING", "the JID asked Slurm at once, and the job was still ending"
    elog.world.pass_time(5)
    assert elog.world.value("/job_statuses", [{"tool_id": tool_id}])[0]["status"] == "EXITED"
    told = elog.value("POST", f"exp/ws/kill_workflow_job?job_id={job['_id']}")
    assert told["status"] == "EXITED"
    assert elog.messages[-1][1]["value"] == told


def test_a_kill_that_fails(elog: Elog) -> None:
    path = "exp/ws/kill_workflow_job"
    assert elog.ask("GET", path).body == b"Please pass in the workflow job id."
    assert elog.soft("GET", f"{path}?job_id=7") == "Cannot find workflow job"
    elog.define()
    job = elog.create_job()
    before = len(elog.messages)
    assert is_page(elog.ask("GET", f"{path}?job_id={job['_id']}"), 500), "it has no tool_id: the JID refuses"
    elog.exp.jobs[job["_id"]]["tool_id"] = "1"
    elog.world.slurm.is_down = True
    assert is_page(elog.ask("GET", f"{path}?job_id={job['_id']}"), 500)
    elog.state.locations.clear()
    assert is_page(elog.ask("GET", f"{path}?job_id={job['_id']}"), 500)
    assert elog.exp.jobs[job["_id"]]["status"] == "START"
    assert len(elog.messages) == before


def test_runs(elog: Elog) -> None:
    elog.state.start_run(elog.exp, 1, params={"DAQ Detectors/a.b": True})
    elog.world.pass_time(90)
    elog.state.start_run(elog.exp, 2, "EPICS")
    assert [(topic, message["CRUD"]) for topic, message in elog.messages] == [
        ("runs", "Create"),
        ("runs", "Update"),
        ("runs", "Create"),
    ]
    assert elog.messages[1][1]["value"]["duration"] == 90
    assert elog.messages[0][1]["value"]["end_time"] is None, "messages do not change afterwards"
    first = elog.value("GET", "exp/ws/runs/1", user="reader")
    assert (first["num"], first["type"]) == (1, "DATA")
    assert first["params"] == {"DAQ Detectors/a\uff0eb": True}
    assert first["end_time"] > first["begin_time"]
    second = elog.value("GET", "exp/ws/runs/2", prefix="ws-jwt", authorization=f"Bearer {elog.world.token}")
    assert (second["type"], second["end_time"]) == ("EPICS", None)
    assert is_page(elog.ask("GET", "exp/ws/runs/3"), 500)
    assert is_page(elog.ask("GET", "exp/ws/runs/x"), 500)


def test_parameters_of_a_run(elog: Elog) -> None:
    path = "exp/ws/add_run_params"
    assert is_page(elog.ask("POST", path, {"a": 1}), 500), "there is no run"
    for number in (1, 2):
        elog.state.start_run(elog.exp, number)
    told = elog.value("POST", path, {"SmallData": "done"})
    assert (told["num"], told["params"]) == (2, {"SmallData": "done"})
    told = elog.value("POST", f"{path}?run_num=1", {"half": "\ud800"}, area="run_control")
    assert (told["num"], told["params"]) == (1, {"half": "\ud800"})
    assert elog.messages[-1] == ("runs", {"experiment_name": "exp", "CRUD": "Update", "value": told})
    assert json.loads(elog.ask("POST", path, {}).body) == {"success": True}
    assert is_page(elog.ask("POST", f"{path}?run_num=9", {"a": 1}), 500)
    wrong = elog.ask("POST", "run_control/" + path, {"a": 1})
    assert is_page(wrong, 404, "text/html; charset=utf-8"), "where LUTE used to post"
    elog.exp.is_locked = True
    assert is_page(elog.ask("POST", path, {"a": 1}), 423)


def test_endpoints_have_names(elog: Elog) -> None:
    server: Server = elog.server
    names = {
        "ws-kerb/lgbk/lgbk/exp/ws/generate_arp_token?token_lifetime=1": "elog.token",
        "ws-jwt/lgbk/lgbk/exp/ws/runs/12": "elog.run",
        "ws-kerb/lgbk/lgbk/exp/ws/workflow_jobs": "elog.workflow_jobs",
        "ws-kerb/lgbk/lgbk/exp/ws/update_workflow_job": "elog.update_workflow_job",
        "ws-kerb/lgbk/run_control/exp/ws/add_run_params": "elog.add_run_params",
        "ws-kerb/lgbk/exp/ws/workflow_jobs": "elog.other",
        "": "elog.other",
    }
    assert {path: server.endpoint(HttpRequest("GET", f"http://elog/{path}", {})) for path in names} == names


def test_the_time_of_the_jid_counts(elog: Elog) -> None:
    elog.define()
    job = elog.create_job()
    elog.exp.jobs[job["_id"]]["tool_id"] = "1"
    elog.world.value("/exp/start_job", document())
    assert elog.ask("GET", f"exp/ws/kill_workflow_job?job_id={job['_id']}").took_s == 0
    elog.world.slurm.is_down = True
    assert 9 <= elog.ask("GET", f"exp/ws/kill_workflow_job?job_id={job['_id']}").took_s <= 18
