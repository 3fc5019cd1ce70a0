"""The operator's own decisions; that it runs is shown in tests/dags and tests/e2e."""

import json
from typing import Any

import pytest
import responses

from lute.errors import ConfigError
from lute.operators import jidoperators
from lute.operators._compat import AirflowException, AirflowFailException
from lute.operators.jidoperators import JIDSlurmOperator
from tests.fakes import CONF, FakeClock, fake_runtime, settings

BASE = "http://jid.test/jid/ws"


class FakeTaskInstance:
    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class FakeDagRun:
    def __init__(self, conf: dict[str, Any]) -> None:
        self.conf = conf


@pytest.fixture
def jid(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A JID whose one job is done at once; the clock moves only when somebody sleeps."""
    clock = FakeClock()
    monkeypatch.setattr(jidoperators, "current_runtime", lambda: fake_runtime(clock))
    monkeypatch.setattr(jidoperators, "load_settings", lambda _env: settings())
    monkeypatch.setattr(jidoperators.JidHook, "base_url", lambda _self, _settings: BASE)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{BASE}/mfxl1000126/start_job", json=ok({"tool_id": "7", "status": "SUBMITTED"}))
        mock.post(f"{BASE}/mfxl1000126/job_log_file", json=ok("the log\x00\n"))
        mock.post(f"{BASE}/mfxl1000126/kill_job", json=ok({"tool_id": "7", "status": "EXITED"}))
        yield mock


def ok(value: Any) -> dict[str, Any]:
    return {"success": True, "value": value}


def status(jid: Any, word: str) -> None:
    jid.post(f"{BASE}/job_statuses", json=ok([{"tool_id": "7", "status": word}]))


def execute(operator: JIDSlurmOperator, **changes: Any) -> FakeTaskInstance:
    ti = FakeTaskInstance()
    ti.error = None  # type: ignore[attr-defined]
    try:
        operator.execute({"ti": ti, "dag_run": FakeDagRun(CONF | changes)})
    except Exception as error:  # noqa: BLE001
        ti.error = error  # type: ignore[attr-defined]
    return ti


def paths(jid: Any) -> list[str]:
    return [call.request.url.removeprefix(BASE) for call in jid.calls]


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        ({}, ["--ntasks=12", "--exclusive"], ["--ntasks=12", "--exclusive"]),
        ({"max_cores": 8}, ["-n", "12"], ["--ntasks=8"]),
        ({"max_nodes": 2}, ["-n12"], ["--ntasks=12", "--nodes=1-2"]),
        ({"require_partition": "ampere"}, ["-p", "milano"], ["--partition=ampere"]),
        ({"custom_slurm_params": "-p x --comment='a b'"}, ["-n", "12"], ["--partition=x", "--comment=a b"]),
        ({"custom_slurm_params": "-n 100", "max_cores": 8}, ["-n", "1"], ["--ntasks=100"]),
    ],
)
def test_the_arguments_of_a_step(arguments: dict[str, Any], given: list[str], expected: list[str]) -> None:
    assert JIDSlurmOperator(task_id="Tester", **arguments).slurm_arguments(given) == expected


@pytest.mark.parametrize("custom", ["--comment='open", "--bogus", "--array=1-3", "script.sh"])
def test_arguments_that_cannot_work(custom: str) -> None:
    with pytest.raises(ConfigError):
        JIDSlurmOperator(task_id="Tester", custom_slurm_params=custom).slurm_arguments([])


def test_a_step_that_succeeds(jid: Any) -> None:
    status(jid, "RUNNING")
    status(jid, "DONE")
    ti = execute(JIDSlurmOperator(task_id="outer.inner.Tester", max_cores=8))
    assert ti.error is None  # type: ignore[attr-defined]
    assert ti.xcoms["log"] == "the log�\n"
    assert json.loads(ti.xcoms["job"]) == {"tool_id": "7", "status": "DONE", "log_file_path": None}
    document = json.loads(jid.calls[0].request.body)
    assert document["def"]["name"] == "Tester"
    assert document["def"]["executable"] == "/opt/lute/scripts/submit_slurm.sh"
    words = "-c '/data/a b/config.yaml' -t Tester --partition=milano --ntasks=8"
    assert document["def"]["parameters"] == words
    assert document["def"]["run_as_user"] == document["user"] == "scientist"


@pytest.mark.parametrize("word", ["FAILED", "EXITED"])
def test_a_job_that_failed_fails_the_step_with_its_log(jid: Any, word: str) -> None:
    status(jid, word)
    ti = execute(JIDSlurmOperator(task_id="Tester"))
    assert type(ti.error) is AirflowException  # type: ignore[attr-defined]
    assert f"Slurm job 7 ended as {word}" in str(ti.error)  # type: ignore[attr-defined]
    assert ti.xcoms["log"] == "the log�\n"
    assert "/mfxl1000126/kill_job" not in paths(jid)


def test_a_token_that_expires_while_the_job_runs(jid: Any) -> None:
    status(jid, "RUNNING")
    jid.post(f"{BASE}/job_statuses", status=401, json={"error": "the token has expired"})
    ti = execute(JIDSlurmOperator(task_id="Tester"))
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    assert "the token has expired" in ti.xcoms["log"]
    assert "Slurm job 7 was cancelled" in ti.xcoms["log"]
    assert paths(jid)[-1] == "/mfxl1000126/kill_job"


@pytest.mark.parametrize(
    "changes", [{"experiment": None}, {"lute_location": "relative"}, {"Authorization": "a\nb"}]
)
def test_a_conf_that_cannot_work_asks_the_jid_nothing(jid: Any, changes: dict[str, Any]) -> None:
    ti = execute(JIDSlurmOperator(task_id="Tester"), **changes)
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    assert ti.xcoms["log"].startswith("[no log: ")
    assert paths(jid) == []


def test_a_kill_while_it_waits_cancels_the_job(jid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = JIDSlurmOperator(task_id="Tester")
    clock = FakeClock()
    clock.at_sleep = lambda now_s: operator.on_kill() if now_s > 3 else None
    monkeypatch.setattr(jidoperators, "current_runtime", lambda: fake_runtime(clock))
    status(jid, "RUNNING")
    ti = execute(operator)
    assert type(ti.error) is AirflowException  # type: ignore[attr-defined]
    assert "Tester was stopped: Slurm job 7 was cancelled" in str(ti.error)  # type: ignore[attr-defined]
    after_kill = paths(jid)[paths(jid).index("/mfxl1000126/kill_job") :]
    assert set(after_kill) == {"/mfxl1000126/kill_job"}


def test_a_kill_during_the_submission_cancels_what_was_submitted(jid: Any) -> None:
    operator = JIDSlurmOperator(task_id="Tester")

    def killed_meanwhile(_request: object) -> tuple[int, dict[str, str], str]:
        operator.on_kill()
        return 200, {}, json.dumps(ok({"tool_id": "7", "status": "SUBMITTED"}))

    jid.remove("POST", f"{BASE}/mfxl1000126/start_job")
    jid.add_callback("POST", f"{BASE}/mfxl1000126/start_job", callback=killed_meanwhile)
    ti = execute(operator)
    assert "Slurm job 7 was cancelled" in str(ti.error)  # type: ignore[attr-defined]
    assert paths(jid) == ["/mfxl1000126/start_job", "/mfxl1000126/kill_job"]


def test_a_kill_before_anything_was_submitted_does_no_harm() -> None:
    JIDSlurmOperator(task_id="Tester").on_kill()
