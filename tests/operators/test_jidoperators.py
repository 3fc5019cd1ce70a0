"""The operator's own decisions; that it runs is shown in tests/dags and tests/e2e."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
import responses

from lute.airflow_api.models import TaskInstance, TaskState
from lute.errors import ConfigError
from lute.jid.wire import parse_record
from lute.launch.steps import Step, read_job
from lute.operators import jidoperators, step, tokens
from lute.operators._compat import AirflowException, AirflowFailException, kill_limit_s
from lute.operators.jidoperators import JIDSlurmOperator
from lute.operators.lifecycle import JobMayRun, Lifecycle
from lute.operators.triggers import JobTrigger
from tests.fakes import CONF, START, FakeClock, fake_runtime, settings

BASE = "http://jid.test/jid/ws"


class FakeTaskInstance:
    def __init__(self) -> None:
        self.xcoms: dict[str, Any] = {}
        self.dag_id = "lute_test"
        self.run_id, self.task_id, self.map_index = "manual__2026-11-22T12:00:00+00:00", "Tester", -1
        self.try_number, self.max_tries = 2, 3

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


class FakeDagRun:
    def __init__(self, conf: dict[str, Any]) -> None:
        self.conf = conf


@pytest.fixture
def jid(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A JID whose one job is done at once; the clock moves only when somebody sleeps."""
    clock = FakeClock()
    monkeypatch.setattr(step, "current_runtime", lambda: fake_runtime(clock))
    monkeypatch.setattr(step, "load_settings", lambda _env: settings())
    monkeypatch.setattr(jidoperators.JidHook, "base_url", lambda _self, _settings: BASE)
    monkeypatch.setattr(JIDSlurmOperator, "log", logging.getLogger("test"), raising=False)
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


def test_a_command_line_that_is_none_is_the_dag_files_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        JIDSlurmOperator(task_id="Tester", custom_slurm_params="--comment='open").slurm_arguments([])
    assert caught.value.what == "custom_slurm_params is no command line: No closing quotation"
    assert caught.value.next_step == "correct the DAG file"


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
    words = (
        "-c '/data/a b/config.yaml' -t Tester"
        " --submission-id manual__2026-11-22T12%3A00%3A00%2B00%3A00@lute_test/Tester/-1 --try 2"
        " --partition=milano --ntasks=8"
    )
    assert document["def"]["parameters"] == words
    assert document["def"]["run_as_user"] == document["user"] == "scientist"


@pytest.mark.parametrize(("retries", "cleared"), [(3, ""), (2, " --cleared-at 1"), (0, "")])
def test_tries_on_top_of_the_retries_are_those_of_a_cleared_task(
    jid: Any, retries: int, cleared: str
) -> None:
    status(jid, "DONE")
    execute(JIDSlurmOperator(task_id="Tester", retries=retries, user="other"))
    definition = json.loads(jid.calls[0].request.body)["def"]
    assert f"/Tester/-1 --try 2{cleared} --partition" in definition["parameters"]
    assert definition["run_as_user"] == "other"


@pytest.mark.parametrize(
    ("limits", "word"),
    [({"queue_timeout_s": 60}, "SUBMITTED"), ({"run_timeout_s": 60}, "RUNNING")],
)
def test_a_step_waits_no_longer_than_its_limits(jid: Any, limits: dict[str, Any], word: str) -> None:
    status(jid, word)
    ti = execute(JIDSlurmOperator(task_id="Tester", **limits))
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    assert f"longer than {next(iter(limits))} of the step allows" in ti.xcoms["log"]


def test_a_job_of_which_the_jid_tells_nothing_new_is_asked_for_with_its_submission(jid: Any) -> None:
    status(jid, "RUNNING")
    jid.post(f"{BASE}/mfxl1000126/start_job", json=ok({"tool_id": "7", "status": "DONE"}))
    ti = execute(JIDSlurmOperator(task_id="Tester", poke_interval=600))
    assert ti.error is None  # type: ignore[attr-defined]
    asked = [call.request.body for call in jid.calls if call.request.url.endswith("/start_job")]
    assert len(asked) == 2
    first, second = (json.loads(body)["def"]["parameters"] for body in asked)
    assert second == f"{first} --known-job 7"


def test_the_launcher_is_told_of_a_submission_that_may_have_led_to_a_job(
    jid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_self: Any, _document: Any) -> None:
        raise JobMayRun("no reply; a job of it may run", endpoint="e")

    monkeypatch.setattr(Lifecycle, "submit", lost)
    ti = execute(JIDSlurmOperator(task_id="Tester"))
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    told = read_job(ti.xcoms["job"])
    assert not Step(TaskInstance("Tester", -1, TaskState.FAILED, 1), job=told).is_certain


def test_what_nobody_foresaw_is_told_in_the_log_without_secrets(
    jid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(_self: Any, _arguments: Any) -> None:
        raise ZeroDivisionError("with Bearer abcdefghijklmnop")

    monkeypatch.setattr(JIDSlurmOperator, "slurm_arguments", defect)
    ti = execute(JIDSlurmOperator(task_id="Tester"))
    assert isinstance(ti.error, ZeroDivisionError)  # type: ignore[attr-defined]
    assert ti.xcoms == {"log": "[no log: ZeroDivisionError: with Bearer ***]\n"}


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
    assert ti.xcoms["log"] == f"[no log: {str(ti.error).removeprefix('Tester: ')}]\n"  # type: ignore[attr-defined]
    assert json.loads(ti.xcoms["job"]) == {"tool_id": "7", "status": "SUBMITTED", "log_file_path": None}
    assert paths(jid)[-1] == "/mfxl1000126/kill_job"


@pytest.mark.parametrize(
    "changes",
    [
        {"experiment": None},
        {"lute_location": "relative"},
        {"executable_subdir": "../bin"},
        {"Authorization": "a\nb"},
    ],
)
def test_a_conf_that_cannot_work_asks_the_jid_nothing(jid: Any, changes: dict[str, Any]) -> None:
    ti = execute(JIDSlurmOperator(task_id="Tester"), **changes)
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    assert ti.xcoms["log"].startswith("[no log: ")
    assert paths(jid) == []


def test_a_kill_while_it_waits_cancels_the_job(
    jid: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    operator = JIDSlurmOperator(task_id="Tester")
    clock = FakeClock()
    clock.at_sleep = lambda now_s: operator.on_kill() if now_s > 3 else None
    monkeypatch.setattr(step, "current_runtime", lambda: fake_runtime(clock))
    status(jid, "RUNNING")
    ti = execute(operator)
    assert type(ti.error) is AirflowException  # type: ignore[attr-defined]
    assert "Tester was stopped: Slurm job 7 was cancelled" in str(ti.error)  # type: ignore[attr-defined]
    after_kill = paths(jid)[paths(jid).index("/mfxl1000126/kill_job") :]
    assert set(after_kill) == {"/mfxl1000126/kill_job"}
    assert paths(jid).count("/mfxl1000126/start_job") == 1, "the job itself is cancelled, not its submission"
    assert "Killed: cancelling job 7" in caplog.messages


@pytest.mark.parametrize("is_submitted", [True, False])
def test_a_kill_that_the_jid_does_not_take_ends_in_time_and_says_so(
    jid: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_submitted: bool
) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    monkeypatch.setattr(step, "current_runtime", lambda: fake_runtime(clock))
    operator = JIDSlurmOperator(task_id="Tester")
    operator._new_step({"ti": FakeTaskInstance(), "dag_run": FakeDagRun(CONF)})
    job = parse_record({"tool_id": "7", "status": "RUNNING", "experiment": "mfxl1000126"})
    operator._record = job if is_submitted else None
    path = f"{BASE}/mfxl1000126/{'kill_job' if is_submitted else 'start_job'}"
    jid.replace("POST", path, status=503, body="Bearer abcdefghijklmnop")
    operator.on_kill()
    assert 0 < clock.elapsed_s <= kill_limit_s()
    assert caplog.messages == [
        f"Killed: cancelling {'job 7' if is_submitted else 'the submission'}",
        f"Its Slurm job may still run: the JID failed (HTTP 503): Bearer *** [{path}]",
    ]


def test_a_kill_during_the_submission_cancels_what_was_submitted(jid: Any) -> None:
    operator = JIDSlurmOperator(task_id="Tester")

    def killed_meanwhile(request: Any) -> tuple[int, dict[str, str], str]:
        if "--cancel" not in request.body.decode():
            operator.on_kill()
        return 200, {}, json.dumps(ok({"tool_id": "7", "status": "SUBMITTED"}))

    jid.remove("POST", f"{BASE}/mfxl1000126/start_job")
    jid.add_callback("POST", f"{BASE}/mfxl1000126/start_job", callback=killed_meanwhile)
    ti = execute(operator)
    assert "Slurm job 7 was cancelled" in str(ti.error)  # type: ignore[attr-defined]
    start = "/mfxl1000126/start_job"
    assert paths(jid) == [start, start, "/mfxl1000126/kill_job"]
    asked = [json.loads(call.request.body)["def"]["parameters"] for call in jid.calls[:2]]
    assert asked[0] == f"{asked[1]} --cancel", "the inner one is noted first"


def test_a_kill_before_anything_was_submitted_does_no_harm() -> None:
    JIDSlurmOperator(task_id="Tester").on_kill()


def deferral(operator: JIDSlurmOperator, **changes: Any) -> Any:
    """Return Airflow's TaskDeferred, which is no Exception."""
    with pytest.raises(BaseException) as caught:
        operator.execute({"ti": FakeTaskInstance(), "dag_run": FakeDagRun(CONF | changes)})
    assert type(caught.value).__name__ == "TaskDeferred"
    return caught.value


def resume(event: dict[str, Any]) -> FakeTaskInstance:
    ti = FakeTaskInstance()
    ti.error = None  # type: ignore[attr-defined]
    try:
        JIDSlurmOperator(task_id="Tester").resume({"ti": ti, "dag_run": FakeDagRun(CONF)}, event)
    except Exception as error:  # noqa: BLE001
        ti.error = error  # type: ignore[attr-defined]
    return ti


def test_a_deferred_step_leaves_its_wait_to_a_trigger_that_can_be_made_anew(jid: Any) -> None:
    operator = JIDSlurmOperator(
        task_id="Tester",
        deferrable=True,
        queue_timeout_s=60,
        run_timeout_s=70,
        execution_timeout=timedelta(hours=1),
    )
    deferred = deferral(operator)
    assert (deferred.method_name, deferred.timeout) == ("resume", timedelta(hours=1))
    path, arguments = deferred.trigger.serialize()
    assert path == "lute.operators.triggers.JobTrigger"
    again = JobTrigger(**json.loads(json.dumps(arguments)))
    assert again.serialize() == (path, arguments)
    assert arguments["job"]["tool_id"] == "7"
    del arguments["job"]
    assert arguments == {
        "base_url": BASE,
        "authorization": CONF["Authorization"],
        "document": json.loads(jid.calls[0].request.body),
        "submitted_s": START.timestamp(),
        "poke_interval_s": 10.0,
        "queue_timeout_s": 60,
        "run_timeout_s": 70,
    }
    assert paths(jid) == ["/mfxl1000126/start_job"]


def test_a_token_in_a_variable_is_in_no_argument_of_a_trigger(
    jid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "variable", {"lute_token_x": "Bearer secret"}.get)
    deferred = deferral(
        JIDSlurmOperator(task_id="Tester", deferrable=True), Authorization="variable:lute_token_x"
    )
    assert "secret" not in json.dumps(deferred.trigger.serialize())
    assert jid.calls[0].request.headers["Authorization"] == "Bearer secret"


def test_a_variable_that_is_gone(jid: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "variable", lambda _name: None)
    ti = execute(JIDSlurmOperator(task_id="Tester"), Authorization="variable:lute_token_x")
    assert isinstance(ti.error, AirflowFailException)  # type: ignore[attr-defined]
    assert "no Airflow Variable lute_token_x" in ti.xcoms["log"]
    assert paths(jid) == []


def test_a_job_that_has_ended_already_is_not_deferred(jid: Any) -> None:
    jid.replace("POST", f"{BASE}/mfxl1000126/start_job", json=ok({"tool_id": "7", "status": "DONE"}))
    ti = execute(JIDSlurmOperator(task_id="Tester", deferrable=True))
    assert ti.error is None  # type: ignore[attr-defined]
    assert ti.xcoms["log"] == "the log�\n"


def test_the_default_form_is_airflows_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert JIDSlurmOperator(task_id="Tester").deferrable is True
    assert JIDSlurmOperator(task_id="Tester", deferrable=False).deferrable is False
    monkeypatch.delenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE")
    assert JIDSlurmOperator(task_id="Tester").deferrable is False


JOB = {"tool_id": "7", "status": "DONE", "experiment": "mfxl1000126", "log_file_path": "/l/7.out"}


@pytest.mark.parametrize(("word", "fails"), [("DONE", False), ("FAILED", True), ("EXITED", True)])
def test_a_resumed_step_ends_as_its_job_did(jid: Any, word: str, fails: bool) -> None:
    ti = resume({"job": JOB | {"status": word}})
    assert (type(ti.error) is AirflowException) is fails  # type: ignore[attr-defined]
    assert ti.xcoms["log"] == "the log�\n"
    assert json.loads(ti.xcoms["job"])["status"] == word
    assert paths(jid) == ["/mfxl1000126/job_log_file"]


def test_airflow_resumes_a_step_with_its_context(jid: Any) -> None:
    ti = FakeTaskInstance()
    context = {"ti": ti, "dag_run": FakeDagRun(CONF)}
    JIDSlurmOperator(task_id="Tester").resume_execution("resume", {"event": {"job": JOB}}, context)
    assert ti.xcoms["log"] == "the log�\n"


@pytest.mark.parametrize(("again", "kind"), [(True, AirflowException), (False, AirflowFailException)])
def test_a_wait_that_failed_costs_the_job(jid: Any, again: bool, kind: type) -> None:
    trouble = {
        "what": "no answer",
        "endpoint": "job_statuses",
        "http_status": None,
        "next_step": "wait",
        "again": again,
    }
    ti = resume({"job": JOB | {"status": "RUNNING"}, "trouble": trouble})
    assert type(ti.error) is kind  # type: ignore[attr-defined]
    assert "no answer; Slurm job 7 was cancelled" in ti.xcoms["log"]
    assert paths(jid) == ["/mfxl1000126/kill_job"]


def test_a_trigger_that_failed_leaves_no_job(jid: Any) -> None:
    jid.replace("POST", f"{BASE}/mfxl1000126/start_job", json=ok({"tool_id": "7", "status": "EXITED"}))
    context = {"ti": FakeTaskInstance(), "dag_run": FakeDagRun(CONF)}
    with pytest.raises(Exception, match="Trigger timeout"):
        JIDSlurmOperator(task_id="Tester").resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    assert [json.loads(call.request.body)["def"]["parameters"][-9:] for call in jid.calls] == [" --cancel"]


def test_a_trigger_that_failed_while_the_jid_is_down_ends_in_time(
    jid: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(step, "current_runtime", lambda: fake_runtime(clock))
    jid.replace("POST", f"{BASE}/mfxl1000126/start_job", status=503)
    ti = FakeTaskInstance()
    context = {"ti": ti, "dag_run": FakeDagRun(CONF)}
    with pytest.raises(AirflowException, match="HTTP 503"):
        JIDSlurmOperator(task_id="Tester").resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    assert 0 < clock.elapsed_s <= kill_limit_s()
