"""The JID as its clients see it, over a host of this file's making."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lute.errors import TransientError
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState
from simulators.jid.host import HostError
from simulators.jid.routes import application
from simulators.jid.service import JidService
from simulators.jid.state import JidState
from simulators.jid.tokens import TokenAuthority
from tests.fakes import FakeClock


def slurm_job(job_id: str, state: SlurmState = SlurmState.RUNNING) -> SlurmJob:
    return SlurmJob(
        job_id,
        "Tester",
        state,
        "None",
        "0:0",
        "n1",
        4,
        "milano",
        "a",
        None,
        None,
        None,
        f"/l/{job_id}.out",
        "/w",
    )


@dataclass
class FakeHost:
    jobs_known: dict[str, SlurmJob] = field(default_factory=dict)
    submitted: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    trouble: Exception | None = None

    def submit(self, executable: str, parameters: str, env: Mapping[str, str]) -> str:
        if self.trouble:
            raise self.trouble
        self.submitted.append((executable, parameters, dict(env)))
        job_id = str(len(self.submitted))
        self.jobs_known[job_id] = slurm_job(job_id, SlurmState.PENDING)
        return job_id

    def jobs(self, job_ids: Sequence[str]) -> dict[str, SlurmJob]:
        return {job_id: self.jobs_known[job_id] for job_id in job_ids if job_id in self.jobs_known}

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.jobs_known[job_id] = slurm_job(job_id, SlurmState.CANCELLED)

    def read_text(self, path: str) -> str:
        if self.trouble:
            raise self.trouble
        return f"text of {path}"


class Jid:
    def __init__(self) -> None:
        self.host = FakeHost()
        self.tokens = TokenAuthority(FakeClock())
        service = JidService(JidState(), self.host, self.tokens, base_url="http://jid/jid/ws")
        self.client = TestClient(application(service), base_url="http://testserver/jid/ws")
        self.token = self.tokens.issue("u", "exp", lifetime_min=60)

    def post(self, path: str, body: Any, token: str | None = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.client.post(path, json=body, headers=headers)

    def value(self, path: str, body: Any) -> Any:
        reply = self.post(path, body)
        assert reply.status_code == 200, reply.text
        assert reply.json()["success"] is True, reply.text
        return reply.json()["value"]


@pytest.fixture
def jid() -> Jid:
    return Jid()


DOCUMENT = {
    "_id": "d1",
    "arp_root_job_id": "root1",
    "experiment": "exp",
    "run_num": "12_2026",
    "user": "u",
    "def": {"executable": "/opt/lute/scripts/submit_slurm.sh", "parameters": "-t 'A B'", "location": "S3DF"},
}


def test_start_job_runs_the_executable_with_the_arps_environment(jid: Jid) -> None:
    value = jid.value("/exp/start_job", DOCUMENT)
    assert (value["tool_id"], value["status"], value["log_file_path"]) == ("1", "SUBMITTED", "/l/1.out")
    assert value["_id"] == "d1"
    executable, parameters, env = jid.host.submitted[0]
    assert (executable, parameters) == ("/opt/lute/scripts/submit_slurm.sh", "-t 'A B'")
    assert env == {
        "EXPERIMENT": "exp",
        "RUN_NUM": "12_2026",
        "JID_UPDATE_COUNTERS": "http://jid/jid/ws/replace_counters/exp/root1",
        "ARP_UPDATE_COUNTERS": "http://jid/jid/ws/replace_counters/exp/root1",
        "ARP_JOB_ID": "d1",
        "ARP_ROOT_JOB_ID": "root1",
        "ARP_LOCATION": "S3DF",
        "Authorization": f"Bearer {jid.token}",
    }


@pytest.mark.parametrize("path", ["/job_statuses", "/exp/job_statuses"])
def test_statuses_answer_a_list_with_a_list_and_a_document_with_one(jid: Jid, path: str) -> None:
    jid.host.jobs_known = {"1": slurm_job("1"), "2": slurm_job("2", SlurmState.OUT_OF_MEMORY)}
    found = jid.value(path, [{"tool_id": "1"}, {"tool_id": 2}])
    assert [job["status"] for job in found] == ["RUNNING", "FAILED"]
    assert jid.value(path, {"tool_id": "1"})["status"] == "RUNNING"


def test_a_job_that_slurm_has_forgotten_keeps_its_status(jid: Jid) -> None:
    assert jid.value("/job_statuses", [{"tool_id": "9", "status": "RUNNING"}])[0]["status"] == "RUNNING"


def test_log_details_and_kill(jid: Jid) -> None:
    started = jid.value("/exp/start_job", DOCUMENT)
    assert jid.value("/exp/job_log_file", started) == "text of /l/1.out"
    assert "Tester" in jid.value("/exp/job_details", started)
    assert jid.value("/exp/kill_job", started)["status"] == "EXITED"
    assert jid.host.cancelled == ["1"]


def test_a_log_is_read_only_where_slurm_put_it(jid: Jid) -> None:
    stolen = {"tool_id": "77", "log_file_path": "/etc/passwd", "user": "u"}
    assert jid.post("/exp/job_log_file", stolen).json()["success"] is False
    started = jid.value("/exp/start_job", DOCUMENT)
    assert jid.value("/exp/job_log_file", started | {"log_file_path": "/etc/passwd"}) == "text of /l/1.out"
    jid.host.jobs_known.clear()
    assert jid.value("/exp/job_log_file", started) == "text of /l/1.out", "Slurm has forgotten the job"


def test_slurm_leaves_a_sign_for_the_job_id_in_the_path_of_a_log(jid: Jid) -> None:
    started = jid.value("/exp/start_job", DOCUMENT)
    jid.host.jobs_known["1"] = replace(slurm_job("1"), stdout_path="/l/x_%J.out")
    assert jid.value("/exp/job_log_file", started) == "text of /l/x_1.out"


def test_the_document_and_the_path_must_agree(jid: Jid) -> None:
    assert jid.post("/exp/start_job", DOCUMENT | {"experiment": "other"}).status_code == 400
    assert jid.post("/exp/start_job", {k: v for k, v in DOCUMENT.items() if k != "user"}).status_code == 400
    assert jid.post("/exp/kill_job", {"tool_id": "1"}).status_code == 400
    assert not jid.host.submitted
    assert not jid.host.cancelled


def test_counters_are_replaced_whole_and_need_no_token(jid: Jid) -> None:
    rows = [{"key": "a", "value": 1}]
    for body in ([{"key": "x", "value": 0}], rows):
        assert jid.client.post("/replace_counters/exp/root1", json=body).json()["success"] is True
    assert jid.value("/exp/get_counters", {"_id": "root1"}) == rows
    assert jid.value("/exp/get_counters", {"_id": "unknown"}) == []


@pytest.mark.parametrize("endpoint", ["start_job", "job_statuses", "job_log_file", "job_details", "kill_job"])
def test_a_token_of_another_experiment_or_user_opens_nothing(jid: Jid, endpoint: str) -> None:
    for token, status in (
        (jid.tokens.issue("u", "other", lifetime_min=1), 403),
        (jid.tokens.issue("v", "exp", lifetime_min=1), 403),
        (jid.tokens.issue("u", "exp", lifetime_min=-1), 401),
        ("nonsense", 401),
    ):
        reply = jid.post(f"/exp/{endpoint}", DOCUMENT | {"tool_id": "1"}, token)
        assert reply.status_code == status
        assert reply.json()["error"]
    assert not jid.host.submitted
    assert not jid.host.cancelled


def test_no_document_of_a_list_escapes_the_check(jid: Jid) -> None:
    assert jid.post("/job_statuses", [{"user": "u"}, {"user": "somebody else"}]).status_code == 403


def test_a_failed_script_is_a_soft_failure_that_quotes_it(jid: Jid) -> None:
    jid.host.trouble = HostError("submit_slurm.sh ended with exit code 1: sbatch: error: invalid partition")
    reply = jid.post("/exp/start_job", DOCUMENT)
    assert (reply.status_code, reply.json()["success"]) == (200, False)
    assert "invalid partition" in reply.json()["errormsg"]


@pytest.mark.parametrize(
    "body", [b"NaN", b'[{"key": "a", "value": NaN}]', b'["\\ud800"]', b"[" * 100_000, b"{}"]
)
def test_no_counters_upset_the_jid(jid: Jid, body: bytes) -> None:
    assert jid.client.post("/replace_counters/exp/root1", content=body).status_code == 400
    assert jid.value("/exp/get_counters", {"_id": "root1"}) == []


def test_a_silent_slurm_is_a_soft_failure(jid: Jid) -> None:
    jid.host.trouble = TransientError("Slurm does not answer", endpoint="scontrol")
    assert jid.post("/exp/start_job", DOCUMENT).json()["errormsg"] == "Slurm does not answer [scontrol]"


@pytest.mark.parametrize(
    "change", [{"def": None}, {"def": {}}, {"def": {"executable": 7}}, {"def": {"executable": "relative.sh"}}]
)
def test_a_document_without_a_usable_executable_starts_nothing(jid: Jid, change: dict[str, object]) -> None:
    assert jid.post("/exp/start_job", DOCUMENT | change).status_code == 400
    assert not jid.host.submitted


def test_unknown_paths_wrong_methods_and_trailing_slashes_are_refused(jid: Jid) -> None:
    assert jid.client.post("/exp/nonsense").status_code == 404
    assert jid.client.get("/exp/start_job").status_code == 405
    assert jid.client.post("/exp/start_job/", follow_redirects=False).status_code == 404


def test_a_body_without_end_is_refused(jid: Jid) -> None:
    assert jid.client.post("/exp/start_job", content=b"x" * (9 * 1024 * 1024)).status_code == 413


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.one_of(st.binary(max_size=200), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["_id", "def", "tool_id", "user", "executable", "experiment"]), inner, max_size=4
    ), max_leaves=8).map(lambda value: json.dumps(value).encode())))  # fmt: skip
@pytest.mark.parametrize(
    "endpoint", ["start_job", "job_statuses", "job_log_file", "kill_job", "get_counters"]
)
def test_no_body_upsets_the_jid(jid: Jid, endpoint: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {jid.token}"}
    reply = jid.client.post(f"/exp/{endpoint}", content=body, headers=headers)
    assert reply.status_code in (200, 400, 401, 403)
    assert isinstance(reply.json(), dict)
    assert not jid.host.submitted
