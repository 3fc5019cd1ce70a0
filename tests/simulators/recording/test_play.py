"""Playing the committed recordings, with production as it is and with production changed."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from lute.airflow_api.client import AirflowClient
from lute.errors import ConfigError
from lute.jid.client import JidClient
from lute.jid.documents import RunConf
from lute.operators import jidoperators, lifecycle, step, waiting
from lute.seams.http import BearerAuth
from simulators.recording.outcome import PlayResult
from simulators.recording.play import play
from simulators.recording.reader import load_recording
from simulators.scenario.result import ExitCode
from tests.simulators.recording.samples import AIRFLOW2, AIRFLOW3, ALL, FAILURE, Line, changed, line_of

TASKS = ("BinaryTester", "ReadTester", "SocketTester", "Tester", "WriteTester")


def only_divergence(result: PlayResult) -> str:
    assert result.exit_code is ExitCode.DIFFERENT
    assert len(result.divergences) == 1, result.report()
    return str(result.divergences[0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("recording", ALL, ids=lambda path: path.stem)
def test_a_play_ends_as_was_recorded(recording: Path, seed: int) -> None:
    result = play(recording, seed=seed)
    assert result.divergences == []
    assert result.output == result.recorded_output
    assert result.tasks == result.recorded_tasks
    end = load_recording(recording).end
    assert end.launcher is not None
    assert result.launcher == end.launcher.exit_code
    assert result.output.count("LUTE-VERDICT") == len(TASKS)


def test_the_verdicts_are_those_of_the_workflows() -> None:
    assert play(AIRFLOW2).exit_code is ExitCode.SUCCESS
    assert play(AIRFLOW2).tasks == dict.fromkeys(TASKS, "success")
    failed = play(FAILURE)
    assert failed.exit_code is ExitCode.FAILED
    assert failed.tasks["BinaryErrTester"] == "failed"
    assert failed.tasks["SocketTester"] == "upstream_failed"


def test_a_seed_gives_one_trace_and_another_seed_another() -> None:
    assert play(AIRFLOW3, seed=3).digest == play(AIRFLOW3, seed=3).digest
    assert play(AIRFLOW3, seed=3).digest != play(AIRFLOW3, seed=4).digest


def test_a_compressed_recording_plays(tmp_path: Path) -> None:
    file = tmp_path / "small.jsonl.gz"
    file.write_bytes(gzip.compress(AIRFLOW3.read_bytes()))
    assert play(file, workflow="test").exit_code is ExitCode.SUCCESS


def test_experiment_run_user_and_arp_are_those_of_the_recording(tmp_path: Path) -> None:
    text = AIRFLOW3.read_text()
    counters = "http://elog/replace_counters/x/1"
    for old, new in {
        "scientist": "somebody",
        "mfxl1000126": "xppx99",
        '"12_': '"77_',
        '"JID_UPDATE_COUNTERS":null': f'"JID_UPDATE_COUNTERS":"{counters}"',
        '"kerb_file":null': '"kerb_file":"/tickets/1"',
        '"debug":false': '"debug":true',
    }.items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "site.jsonl"
    file.write_text(re.sub(r"(-t \w+) --sub", r"\1 --debug --sub", text))
    result = play(file)
    assert result.divergences == []
    assert "experiment xppx99" in result.output


def test_another_key_in_the_control_document_is_told_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    original = step.control_document

    def more(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return original(*args, **kwargs) | {"priority": "high"}

    monkeypatch.setattr(step, "control_document", more)
    told = only_divergence(play(AIRFLOW3))
    assert told.startswith(
        f"{AIRFLOW3}:{line_of(AIRFLOW3, 'start_job', '-t Tester')}: POST /mfxl1000126/start_job"
    )
    assert '+  "priority": "high",' in told
    assert "\n    -" not in told


def test_other_slurm_arguments_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    original = jidoperators.JIDSlurmOperator.slurm_arguments

    def more(self: Any, words: Any) -> list[str]:
        return (
            [*original(self, words), "--exclusive"]
            if self.task_id == "WriteTester"
            else original(self, words)
        )

    monkeypatch.setattr(jidoperators.JIDSlurmOperator, "slurm_arguments", more)
    told = only_divergence(play(AIRFLOW2))
    assert f":{line_of(AIRFLOW2, 'start_job', '-t WriteTester')}: " in told
    assert "/WriteTester/-1 --try 1 --partition=milano --account=lcls:demo --ntasks=4 --exclusive" in told


def test_a_second_start_job_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    original = JidClient.start_job

    def twice(self: JidClient, document: dict[str, Any]) -> Any:
        original(self, document)
        return original(self, document)

    monkeypatch.setattr(JidClient, "start_job", twice)
    told = only_divergence(play(AIRFLOW3))
    assert "start_job of Tester: asked once more, recorded 1 time" in told
    assert f":{line_of(AIRFLOW3, 'start_job', '-t Tester')}: " in told


def test_a_log_that_is_not_fetched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle.Lifecycle, "_collect", lambda _self, _record: "no log")
    result = play(AIRFLOW3)
    assert result.exit_code is ExitCode.DIFFERENT
    assert [found.what for found in result.divergences] == [
        f"POST /mfxl1000126/job_log_file of {task}, job {job}: recorded, not asked any more"
        for task, job in sorted(jobs_of(AIRFLOW3).items(), key=lambda pair: log_line(pair[0]))
    ]
    assert result.divergences[0].line == log_line("Tester")


def jobs_of(recording: Path) -> dict[str, str]:
    started = [found for found in load_recording(recording).of("jid") if found.path.endswith("start_job")]
    return {found.asked["def"]["name"]: found.answered["value"]["tool_id"] for found in started}


def log_line(task: str) -> int:
    return line_of(AIRFLOW3, "job_log_file", f"-t {task} ")


def test_a_log_that_the_launcher_does_not_fetch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    original = AirflowClient.xcom

    def without_logs(self: AirflowClient, dag_id: str, run_id: str, task: Any, key: str) -> str | None:
        return None if key == "log" else original(self, dag_id, run_id, task, key)

    monkeypatch.setattr(AirflowClient, "xcom", without_logs)
    result = play(AIRFLOW3)
    assert len(result.divergences) == len(TASKS)
    assert all("xcomEntries/log" in found.what for found in result.divergences)


def test_another_key_in_the_conf_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    original = RunConf.to_conf
    monkeypatch.setattr(RunConf, "to_conf", lambda self: original(self) | {"beamline": "mfx"})
    told = only_divergence(play(AIRFLOW3))
    assert f"{AIRFLOW3}:{line_of(AIRFLOW3, 'POST', 'dagRuns')}: POST /api/v2/dags/lute_test/dagRuns" in told
    assert '+   "beamline": "mfx",' in told


def test_a_request_without_its_credential_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BearerAuth, "__call__", lambda _self, request: request)
    told = only_divergence(play(AIRFLOW3))
    assert '- "authorization": "Bearer ***",' in told
    assert '+ "authorization": "",' in told


def test_a_request_of_another_kind_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    original = AirflowClient.dag
    monkeypatch.setattr(
        AirflowClient, "dag", lambda self, dag_id: (self.downstream(dag_id), original(self, dag_id))[1]
    )
    told = only_divergence(play(AIRFLOW3))
    assert (
        "GET /api/v2/dags/lute_test/tasks: not in the recording; nearest: GET /api/v2/dags/lute_test\n"
        in told
    )


@pytest.mark.parametrize("fraction", [0.02, 0.5])
def test_other_poll_intervals_are_no_divergence(monkeypatch: pytest.MonkeyPatch, fraction: float) -> None:
    monkeypatch.setattr(waiting, "_POLL_AGE_FRACTION", fraction)
    monkeypatch.setattr("lute.launch.watch._POLL_AGE_FRACTION", fraction)
    monkeypatch.setattr("lute.launch.watch._SHORTEST_POLL_S", 5 * fraction)
    result = play(AIRFLOW3)
    assert result.divergences == []
    assert result.output == result.recorded_output


def test_a_kill_that_is_no_longer_asked_is_told(tmp_path: Path) -> None:
    def with_kill(exchanges: list[Line]) -> None:
        log = next(line for line in exchanges if line["path"].endswith("job_log_file"))
        exchanges.append({**log, "path": "/mfxl1000126/kill_job"})

    recording = changed(tmp_path, AIRFLOW3, with_kill)
    told = only_divergence(play(recording))
    assert told.startswith(
        f"{recording}:{line_of(recording, 'kill_job')}: POST /mfxl1000126/kill_job of Tester, job 1"
    )


def test_another_end_than_the_recorded_one_is_told(tmp_path: Path) -> None:
    def failing(exchanges: list[Line]) -> None:
        for line in exchanges:
            if line["path"] == "/job_statuses":
                for document in line["reply"]["json"]["value"]:
                    if document["def"]["name"] == "ReadTester" and document["status"] == "DONE":
                        document["status"] = "FAILED"

    recording = changed(tmp_path, AIRFLOW3, failing)
    told = only_divergence(play(recording))
    assert told.endswith("ReadTester is failed, recorded success")


def test_recorded_troubles_come_again(tmp_path: Path) -> None:
    def with_troubles(exchanges: list[Line]) -> None:
        health = next(line for line in exchanges if line["path"].endswith("/health"))
        dag = next(line for line in exchanges if line["path"].endswith("/dags/lute_test"))
        status = next(line for line in exchanges if line["path"] == "/job_statuses")
        log = next(line for line in exchanges if line["path"].endswith("job_log_file"))
        exchanges.append({**health, "sent_s": health["sent_s"] - 0.001, "status": 503})
        exchanges.append({**without_reply(dag), "sent_s": dag["sent_s"] - 0.001, "failure": "reset"})
        exchanges.append({**without_reply(status), "sent_s": status["sent_s"] - 0.2, "failure": "timeout"})
        exchanges.append({**without_reply(log), "sent_s": log["sent_s"] - 0.001, "failure": "refused"})

    result = play(changed(tmp_path, AIRFLOW3, with_troubles))
    assert result.divergences == []
    assert result.output == result.recorded_output
    failures = [(entry["endpoint"], entry["failure"]) for entry in result.entries if entry.get("failure")]
    assert failures == [
        ("airflow.get_dag", "reset"),
        ("jid.job_statuses", "timeout"),
        ("jid.job_log_file", "reset"),
    ]
    assert [entry["status"] for entry in result.entries if entry.get("endpoint") == "airflow.health"] == [
        503,
        200,
    ]


def without_reply(line: Line) -> Line:
    return {name: value for name, value in line.items() if name not in ("status", "reply", "reply_headers")}


def test_a_launcher_that_dies_is_told_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_words: object) -> None:
        raise TypeError("no such thing")

    monkeypatch.setattr("lute.launch.collect.LogCollector.update", die)
    result = play(AIRFLOW3)
    assert result.exit_code is ExitCode.DIFFERENT
    assert "PATCH /api/v2/dags/lute_test/dagRuns/{run}: not in the recording" in result.report()
    assert result.tasks["Tester"] != "success"


def test_a_reply_too_large_to_be_recorded_cannot_be_played(tmp_path: Path) -> None:
    def without_log(exchanges: list[Line]) -> None:
        next(line for line in exchanges if line["path"].endswith("job_log_file"))["reply"] = {
            "omitted": 5_000_000
        }

    told = only_divergence(play(changed(tmp_path, AIRFLOW3, without_log)))
    assert "its reply was too large to be recorded" in told


def test_a_recording_is_of_one_run_of_one_workflow(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"\.jsonl:\d+: is a recording of workflow 'test', not of 'test_failure'"
    ):
        play(AIRFLOW3, workflow="test_failure")
    jid_only = changed(tmp_path, AIRFLOW3, lambda lines: lines.__setitem__(slice(None), of_jid(lines)))
    with pytest.raises(ConfigError, match="holds no start of a DAG run"):
        play(jid_only)

    def twice(lines: list[Line]) -> None:
        start = next(line for line in lines if line["method"] == "POST" and line["path"].endswith("dagRuns"))
        lines.append({**start, "request": {"json": {**start["request"]["json"], "dag_run_id": "another"}}})

    with pytest.raises(ConfigError, match=r"changed\.jsonl:\d+: holds 2 DAG runs"):
        play(changed(tmp_path, AIRFLOW3, twice))


def of_jid(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["service"] == "jid"]


def test_no_token_of_the_play_is_in_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = RunConf.to_conf

    def leaking(self: RunConf) -> dict[str, Any]:
        seen.append(self.authorization.removeprefix("Bearer "))
        return original(self) | {"note": f"use {seen[0]}", "other": [seen[0]]}

    monkeypatch.setattr(RunConf, "to_conf", leaking)
    told = only_divergence(play(AIRFLOW3))
    assert '"note": "use ***"' in told
    assert seen[0] not in told
