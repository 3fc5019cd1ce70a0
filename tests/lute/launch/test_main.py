"""The launcher as a whole against an Airflow of either version."""

import contextlib
import errno
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import responses

from lute.launch import main as launcher
from lute.launch import process
from lute.settings import TimeoutSettings
from tests.fakes import FakeClock, fake_runtime
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow, task
from tests.lute.test_settings import GOOD


@pytest.fixture(params=[2, 3], ids=["airflow2", "airflow3"])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FakeAirflow(mock, request.param)


class NoPrograms:
    """A computer without Slurm's commands."""

    def run(self, argv: Sequence[str], **_options: object) -> NoReturn:
        raise FileNotFoundError(argv[0])

    spawn = run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def argv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Iterator[list[str]]:
    password_file = tmp_path / "password"
    password_file.write_text("pass word\n")
    site = tmp_path / "site.toml"
    site.write_text(GOOD.replace("http://127.0.0.1:1", URL).replace('"/p"', f'"{password_file}"'))
    config = tmp_path / "config.yaml"
    config.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {}\n")
    env = {
        "LUTE_SITE": str(site),
        "EXPERIMENT": "exp",
        "RUN_NUM": "12",
        "Authorization": "Bearer s3cr3t-token-x",
    }
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    runtime = replace(fake_runtime(clock), commands=NoPrograms())
    monkeypatch.setattr("lute.launch.process.current_runtime", lambda: runtime)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield ["-c", str(config), "-w", "test", "--partition=milano"]
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_a_workflow_that_succeeds(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["queued", "running", "running", "success"]
    airflow.tasks = [
        [task("A", None, tries=0)],
        [task("A", "running")],
        [task("A", "success"), task("B", "running")],
        [task("A", "success"), task("B", "success")],
    ]
    airflow.xcoms = {("A", "log"): "text of A\n", ("A", "job"): '{"tool_id": "7"}', ("B", "log"): "text of B"}
    assert launcher.main(argv) == 0
    out = capsys.readouterr().out
    assert out.count("text of A") == out.count("text of B") == 1
    assert "A: success (try 1, Slurm job 7)" in out
    assert out.rstrip().endswith("Workflow test: success")
    conf = airflow.triggered[0]["conf"]
    assert (conf["slurm_params"], conf["kerb_file"]) == (["--partition=milano"], None)
    assert conf["Authorization"] == "Bearer s3cr3t-token-x"


def test_the_folder_of_the_calling_script_goes_into_the_conf(airflow: FakeAirflow, argv: list[str]) -> None:
    airflow.states, airflow.tasks = ["running", "success"], [[task("A", "success")]] * 2
    assert launcher.main(argv, scripts=Path("/sdf/lute/bin")) == 0
    conf = airflow.triggered[0]["conf"]
    assert (conf["lute_location"], conf["executable_subdir"]) == ("/sdf/lute", "bin")


def test_a_workflow_that_fails_tells_of_every_step(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running", "failed"]
    ended = [
        task("Bad", "failed"),
        task("Behind", "upstream_failed", tries=0),
        task("Left", "skipped", tries=0),
        task("Gone", "removed", tries=0),
        task("Mapped", "success", map_index=0),
        task("Mapped", "success", map_index=1),
    ]
    airflow.tasks = [ended, ended]
    airflow.xcoms = {("Bad", "log"): "why it failed", ("Mapped", "log"): "mapped log"}
    assert launcher.main(argv) == 1
    out = capsys.readouterr().out
    assert out.count("why it failed") == 2, "in its log, and again at the end"
    assert out.count("mapped log") == 2
    for line in ("Behind: upstream_failed", "Left: skipped", "Gone: removed"):
        assert out.count(line) == 1


def test_each_try_has_its_log(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running", "running", "running", "success"]
    airflow.tasks = [
        [task("A", "up_for_retry", tries=1)],
        [task("A", "up_for_retry", tries=1)],
        [task("A", "running", tries=2)],
        [task("A", "success", tries=2)],
    ]
    airflow.xcoms = {("A", "log"): "first log"}
    clock.at_sleep = lambda now_s: airflow.xcoms.update({("A", "log"): "second log"}) if now_s > 0.9 else None
    assert launcher.main(argv) == 0
    out = capsys.readouterr().out
    assert (out.count("first log"), out.count("second log")) == (1, 1)


def test_a_step_without_a_log_says_where_to_look(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["failed"]
    airflow.tasks = [[task("A", "failed")]]
    airflow.xcoms = {("A", "job"): '{"tool_id": "7", "log_file_path": "/l/7.out"}'}
    assert launcher.main(argv) == 1
    assert "no log of A came through Airflow; its file: /l/7.out" in capsys.readouterr().out


def test_an_unknown_workflow_names_the_closest_and_the_import_errors(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.import_errors = [
        {"filename": "mine.py", "stack_trace": "Traceback\n  ...\nNameError: name 'x'\n"}
    ]
    argv[3] = "tset"
    assert launcher.main(argv) == 2
    err = capsys.readouterr().err
    assert "did you mean test?" in err
    assert "could not import mine.py: NameError: name 'x'" in err
    assert "Traceback" not in err
    assert not airflow.triggered


def test_a_paused_workflow_is_unpaused_and_said_so(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.dags["lute_test"]["is_paused"] = True
    assert launcher.main(argv) == 0
    assert airflow.dags["lute_test"]["is_paused"] is False
    assert "was paused" in capsys.readouterr().out


def test_a_run_that_airflow_never_starts_is_an_error(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["queued"]
    assert launcher.main(argv) == 1
    err = capsys.readouterr().err
    run_id = airflow.triggered[0]["dag_run_id"]
    assert f"Airflow has not started the run after 1800 s [lute_test/{run_id}]" in err
    assert "next: look in Airflow for other runs of this workflow, or ask its administrators" in err
    assert airflow.patched == [{"state": "failed"}], "a run given up must not start later"


def test_an_interrupted_launcher_fails_its_run(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running"]
    airflow.tasks = [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main(argv) == 128 + signal.SIGTERM
    assert airflow.patched == [{"state": "failed"}]


def test_a_lost_airflow_is_waited_for_and_then_said_to_go_on(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running"]
    airflow.down_from_s, airflow.down_until_s = 5.0, 600.0
    airflow.clock = clock
    clock.at_sleep = lambda now_s: airflow.states.__setitem__(0, "success") if now_s > 590 else None
    assert launcher.main(argv) == 0
    airflow.states, airflow.down_until_s = ["running"], 1e9
    clock.at_sleep = lambda now_s: None
    clock.elapsed_s = 0.0
    assert launcher.main(argv) == 1
    shown = capsys.readouterr()
    assert "may go on in Airflow" in shown.out
    assert "HTTP 503" in shown.err
    assert -30 < clock.elapsed_s - TimeoutSettings().outage_s < 30


def test_a_log_that_airflow_refuses_does_not_end_the_run(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.tasks = [[task("A", "success")]]
    airflow.xcoms_refused = True
    assert launcher.main(argv) == 0
    assert "the log of A cannot be had from Airflow: Airflow refused (HTTP 403)" in capsys.readouterr().out
    assert not airflow.patched


def test_an_interruption_while_the_run_is_started_fails_it(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = airflow.post_run

    def interrupted(*arguments: Any) -> Any:
        answer = started(*arguments)
        signal.raise_signal(signal.SIGTERM)
        return answer

    monkeypatch.setattr(airflow, "post_run", interrupted)
    assert launcher.main(argv) == 128 + signal.SIGTERM
    assert airflow.patched == [{"state": "failed"}]


def test_an_argument_that_the_environment_overrules_is_told(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher.main([*argv, "-e", "other", "-r", "12"]) == 0
    shown = capsys.readouterr().out
    assert "WARNING: -e other is ignored: the environment says exp" in shown
    assert "-r" not in shown


def test_a_malformed_configuration_is_told_before_anything_starts(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("", "title: t", "titel: t\n---\n{}", "a: [\n---\n{}", "title: t\n---\n- x"):
        Path(argv[1]).write_text(text)
        assert launcher.main(argv) == 2
        shown = capsys.readouterr()
        assert argv[1] in shown.err
        assert "Traceback" not in shown.err
    assert not airflow.triggered


def test_an_empty_log_is_said_to_be_empty(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.tasks = [[task("A", "success")]]
    airflow.xcoms = {("A", "log"): "\n"}
    assert launcher.main(argv) == 0
    assert "(the log is empty)" in capsys.readouterr().out


def test_a_full_disk_under_the_log_fails_the_run_in_a_few_words(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_self: object, text: str) -> None:
        if "A: running" in text:
            raise OSError(errno.ENOSPC, "No space left on device")

    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    monkeypatch.setattr("lute.launch.output.Output.news", full)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", sys.stdout)
        assert launcher.main(argv) == 1
    assert airflow.patched == [{"state": "failed"}]
    err = capsys.readouterr().err
    assert "No space left on device" in err
    assert "Traceback" not in err


def test_a_dag_file_that_does_not_import_is_the_answer_to_its_name(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    trace = "Traceback\n  ...\nairflow.exceptions.AirflowException: Invalid arguments: {\n  'max_coers': 3}\n"
    airflow.import_errors = [
        {"filename": "other.py", "stack_trace": "x"},
        {"filename": "/dags/mine.py", "stack_trace": trace},
    ]
    argv[3] = "mine"
    assert launcher.main(argv) == 2
    err = capsys.readouterr().err
    assert "could not import /dags/mine.py: airflow.exceptions.AirflowException: Invalid arguments" in err
    assert err.endswith("\n  next: repair the DAG file\n")
    assert "did you mean" not in err


def test_no_token_is_ever_printed(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.tasks = [[task("A", "success")]]
    airflow.xcoms = {("A", "log"): "Authorization: Bearer s3cr3t-token-x"}
    assert launcher.main([*argv, "--debug"]) == 0
    shown = capsys.readouterr()
    assert "s3cr3t-token-x" not in shown.out + shown.err


@pytest.mark.parametrize("debug", [False, True])
def test_a_traceback_is_for_debug_only(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str], debug: bool
) -> None:
    argv[3] = "nope"
    assert launcher.main(argv + ["--debug"] * debug) == 2
    assert ("Traceback" in capsys.readouterr().err) is debug


def test_a_run_that_exists_is_followed_without_a_configuration(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running", "success"]
    airflow.tasks = [
        [task("A", "success"), task("B", "running")],
        [task("A", "success"), task("B", "success")],
    ]
    airflow.xcoms = {("A", "log"): "text of A", ("B", "log"): "text of B"}
    assert launcher.main(["--attach", "r 1", "-w", "test"]) == 0
    out = capsys.readouterr().out
    assert "Workflow test attached: DAG run r 1" in out
    assert (out.count("text of A"), out.count("text of B")) == (1, 1)
    assert not airflow.triggered


class FakeKeeper:
    """Notes for whom a token is kept."""

    made: list["FakeKeeper"]
    conf_value = "variable:lute_token_x"

    def __init__(self, authorization: str, **kwargs: Any) -> None:
        self.authorization, self.kwargs = authorization, kwargs
        self.calls: list[str] = []
        self.made.append(self)

    def start(self) -> None:
        self.calls.append("start")

    def resume(self) -> None:
        self.calls.append("resume")

    def keep(self) -> None:
        self.calls.append("keep")

    def close(self) -> None:
        self.calls.append("close")


@pytest.mark.parametrize(
    ("in_env", "more", "run_id", "experiment"),
    [
        ("exp", ["-e", "other"], "exp_r12_x", "exp"),
        ("exp", [], "exp2_r12_x", "exp2"),
        ("", ["-e", "other"], "exp2_r12_x", "exp2"),
        ("", ["-e", "other"], "mine", "other"),
        ("", [], "exp2_r12_r13_x", "exp2"),
        ("", [], "mine", ""),
    ],
)
def test_the_token_of_an_attached_run_is_kept(
    airflow: FakeAirflow,
    argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    in_env: str,
    more: list[str],
    run_id: str,
    experiment: str,
) -> None:
    FakeKeeper.made = []
    monkeypatch.setattr("lute.launch.attach.TokenKeeper", FakeKeeper)
    env = dict(process.environment()) | {"EXPERIMENT": in_env}
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    airflow.states, airflow.tasks = ["running", "success"], [[task("A", "running")], [task("A", "success")]]
    assert launcher.main(["--attach", run_id, "-w", "test", *more]) == 0
    (keeper,) = FakeKeeper.made
    is_of_another = experiment not in (in_env or (more or [experiment])[-1],)
    assert keeper.authorization == ("" if is_of_another else "Bearer s3cr3t-token-x")
    assert keeper.calls == ["resume", "keep", "close"]
    assert (keeper.kwargs["experiment"], keeper.kwargs["run_id"]) == (experiment, run_id)
    assert keeper.kwargs["tickets"] is None
    assert keeper.kwargs["settings"].airflow.url == URL
    assert keeper.kwargs["airflow"].requests == len(airflow.requests)
    assert keeper.kwargs["runtime"].clock is not None
    keeper.kwargs["say"]("said")


def test_an_attached_run_of_a_users_own_workflow_takes_that_away_at_its_end(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    withdrawn: list[str] = []

    @contextlib.contextmanager
    def withdrawn_at_end(_airflow: Any, run_id: str, surroundings: Any, tell: Any) -> Iterator[None]:
        yield
        surroundings.signals.ignore()
        tell("tidied")
        withdrawn.append(run_id)

    monkeypatch.setattr("lute.launch.attach.withdrawn_at_end", withdrawn_at_end)
    assert launcher.main(["--attach", "r1", "-w", "run_time"]) == 0
    assert withdrawn == ["r1"]
    assert any("/dags/lute_run_time_r1/dagRuns/r1" in asked for asked in airflow.requests)
    out = capsys.readouterr().out
    assert "tidied" in out
    assert "Workflow run_time: success" in out
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 0
    assert withdrawn == ["r1"]


def test_an_interruption_ends_a_run_that_was_attached_to(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock
) -> None:
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGINT) if now_s > 3 else None
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 128 + signal.SIGINT
    assert airflow.patched == [{"state": "failed"}]


def test_a_run_that_is_not_there_cannot_be_attached_to(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.gone.add("r1")
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 2
    assert capsys.readouterr().err == (
        "launch_airflow.py: error: workflow test has no run 'r1'\n"
        "  next: check -w (run_time for a file's), and the id: the launcher prints it as 'DAG run'\n"
    )
    assert not airflow.patched


def test_a_launcher_that_slurm_starts_again_goes_on_with_its_run(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    env = dict(process.environment()) | {"LUTE_LAUNCHER_JOB": "77", "ARP_JOB_ID": "root"}
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    assert launcher.main(argv) == 0
    env["SLURM_RESTART_COUNT"] = "1"
    assert launcher.main(argv) == 0
    assert [run["dag_run_id"] for run in airflow.triggered] == ["exp_r12_root_job77"]
    assert "attached: DAG run exp_r12_root_job77, of this job's first start" in capsys.readouterr().out
    env["LUTE_LAUNCHER_JOB"] = "78"
    airflow.gone.add("exp_r12_root_job78")
    started = airflow.post_run

    def post_run(request: Any, dag_id: str) -> Any:
        airflow.gone.clear()
        return started(request, dag_id)

    monkeypatch.setattr(airflow, "post_run", post_run)
    assert launcher.main(argv) == 0, "its first life was too short to start one"
    assert len(airflow.triggered) == 2


def test_the_end_has_a_table_and_why_a_step_failed(
    airflow: FakeAirflow, argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["failed"]
    failed = task("Bad", "failed") | {
        "start_date": "2026-11-22T12:00:00+00:00",
        "end_date": "2026-11-22T12:01:30Z",
    }
    airflow.tasks = [[failed, task("Behind", "upstream_failed", tries=0)]]
    log = "".join(f"line {number:02}\n" for number in range(40)) + "Disk quota exceeded\n"
    airflow.xcoms = {("Bad", "log"): log, ("Bad", "job"): '{"tool_id": "7", "log_file_path": "/l/7.out"}'}
    reports = [tmp_path / "r.json", tmp_path / "r.xml"]
    assert launcher.main([*argv, *(f"--report={file}" for file in reports)]) == 1
    *_, table_on = capsys.readouterr().out.partition("step ")
    lines = table_on.splitlines()
    assert lines[1].split()[:5] == ["Bad", "failed", "1", "7", "1:30"]
    assert lines[3] == "Bad failed; likely cause: a disk quota: make room, or write elsewhere"
    assert lines[4:20] == [
        *(f"  line {n:02}" for n in range(26, 40)),
        "  Disk quota exceeded",
        "  all of it: /l/7.out",
    ]
    assert lines[-1].endswith("Workflow test: failed")
    assert all(file.stat().st_size for file in reports)


@pytest.mark.parametrize("more", [["--report", "r.txt"], ["--report", "/no such/r.xml"], ["--attach", "r1"]])
def test_what_cannot_be_done_is_told_before_anything_starts(
    airflow: FakeAirflow, argv: list[str], more: list[str]
) -> None:
    assert launcher.main([*argv, *more]) == 2
    assert not airflow.triggered


def test_a_report_that_cannot_be_written_is_told_before_anything_starts(
    airflow: FakeAirflow, argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.json").mkdir()
    assert launcher.main([*argv, "--report", str(tmp_path / "r.json")]) == 2
    assert "r.json: the report cannot be written: Is a directory" in capsys.readouterr().err
    assert not any(request[1].endswith("/dagRuns") for request in airflow.requests)


def test_a_report_that_can_be_written_no_more_does_not_change_the_verdict(
    airflow: FakeAirflow,
    argv: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    monkeypatch.setattr("lute.launch.stay.table_lines", lambda _steps: shutil.rmtree(folder) or [])
    assert launcher.main([*argv, "--report", str(folder / "r.json")]) == 0
    assert "WARNING: the report" in capsys.readouterr().out


def test_an_interrupted_run_has_a_report_and_a_table(
    airflow: FakeAirflow,
    clock: FakeClock,
    argv: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = tmp_path / "r.json"
    report.write_text("of an earlier run")
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main([*argv, "--report", str(report)]) == 128 + signal.SIGTERM
    found = json.loads(report.read_text())
    assert (found["state"], [row["step"] for row in found["steps"]]) == ("failed", ["A"])
    out = capsys.readouterr().out
    assert out.index("was marked failed") < out.index("step  state")


def test_a_log_whose_operator_died_is_read_from_its_file(
    airflow: FakeAirflow, argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a b.out"
    file.write_bytes(b"x" * 300 * 1024 + b"\ncaf\xe9\x00 last words\n")
    airflow.states, airflow.tasks = ["failed"], [[task("A", "failed")]]
    airflow.xcoms = {("A", "job"): json.dumps({"tool_id": "7", "log_file_path": str(file)})}
    assert launcher.main(argv) == 1
    out = capsys.readouterr().out
    assert "caf\ufffd\ufffd last words" in out
    assert f"earlier bytes cut; all of it: {file}" in out
    assert "likely cause: stopped from outside" in out


def test_logs_are_followed_in_their_files_and_printed_once(
    airflow: FakeAirflow,
    argv: list[str],
    clock: FakeClock,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "7.out"
    file.write_text("")
    airflow.states = ["success"]
    airflow.tasks = [*([[task("A", "running")]] * 5), [task("A", "success")]]
    airflow.xcoms = {
        ("A", "job"): json.dumps({"tool_id": "7", "log_file_path": str(file)}),
        ("A", "log"): "".join(f"at {second}\n" for second in range(1, 6)) + "last\n",
    }

    def grow(now_s: float) -> None:
        with file.open("a") as log:
            log.write(f"at {now_s:.0f}\n")

    clock.at_sleep = grow
    assert launcher.main([*argv, "--follow"]) == 0
    out = capsys.readouterr().out
    assert [out.count(f"A | at {second}\n") for second in range(1, 6)] == [1] * 5
    assert "A: success (try 1, Slurm job 7)" in out
    assert "(printed above, line by line)\nlast\n" in out
    assert out.count("at 3\n") == 1


def test_without_slurm_only_a_run_that_was_given_up_tells_of_jobs(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher.main(argv) == 0
    assert "squeue" not in capsys.readouterr().out
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main(argv) == 128 + signal.SIGTERM
    assert "There is no squeue here" in capsys.readouterr().out


def test_help_imports_neither_clients_nor_models() -> None:
    code = (
        "import sys\n"
        "from lute.launch.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'requests', 'pydantic', 'yaml', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", "a user would wait for them"


def test_a_run_is_given_what_outlives_its_first_token(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[dict[str, str], Callable[[], str]]] = []

    def from_environment(known: dict[str, str], _runtime: Any, authorization: Callable[[], str]) -> None:
        asked.append((known, authorization))

    FakeKeeper.made = []
    tickets = SimpleNamespace(name="FILE:/copy")
    env = dict(process.environment()) | {"JID_UPDATE_COUNTERS": "http://counters", "ARP_JOB_ID": "root"}
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    monkeypatch.setattr("lute.launch.start.TokenKeeper", FakeKeeper)
    monkeypatch.setattr("lute.launch.start.own_tickets", lambda *_: contextlib.nullcontext(tickets))
    monkeypatch.setattr("lute.launch.start.Counters", SimpleNamespace(from_environment=from_environment))
    assert launcher.main(argv) == 0
    conf = airflow.triggered[0]["conf"]
    assert (conf["Authorization"], conf["kerb_file"]) == ("variable:lute_token_x", "FILE:/copy")
    (keeper,) = FakeKeeper.made
    assert (keeper.calls[0], keeper.calls[-1], keeper.kwargs["tickets"]) == ("start", "close", tickets)
    ((known, authorization),) = asked
    assert known == {
        "JID_UPDATE_COUNTERS": "http://counters",
        "ARP_ROOT_JOB_ID": "root",
        "EXPERIMENT": "exp",
        "RUN_NUM": conf["run_id"],
    }
    keeper.authorization = "Bearer renewed"
    assert authorization() == "Bearer renewed"


@pytest.mark.parametrize(("status", "is_told"), [(404, False), (403, True)])
def test_a_run_that_is_no_longer_there_cannot_go_on(
    airflow: FakeAirflow,
    argv: list[str],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    is_told: bool,
) -> None:
    monkeypatch.setattr(airflow, "patch_run", lambda *_: (status, {"detail": "no"}))
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main(argv) == 128 + signal.SIGTERM
    out = capsys.readouterr().out
    assert ("may go on in Airflow, it could not be marked failed" in out) is is_told
    assert "was marked failed" not in out


def test_a_dry_run_warns_as_a_launch_does(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher.main([*argv, "--dry-run", "-e", "other"]) == 0
    assert "WARNING: -e other is ignored: the environment says exp" in capsys.readouterr().out
    assert not airflow.triggered
