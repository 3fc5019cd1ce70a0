"""The launcher as a whole against an Airflow of either version."""

import errno
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from lute.launch import main as launcher
from tests.fakes import FakeClock, fake_runtime
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow, task
from tests.lute.test_settings import GOOD


@pytest.fixture(params=[2, 3], ids=["airflow2", "airflow3"])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FakeAirflow(mock, request.param)


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
    monkeypatch.setattr("lute.launch.process.current_runtime", lambda: fake_runtime(clock))
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
    assert airflow.triggered[0]["conf"]["slurm_params"] == ["--partition=milano"]


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
    assert out.count("why it failed") == 1
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
    assert "has not started the run after 1800 s" in capsys.readouterr().err
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
    assert 900 - 30 < clock.elapsed_s < 900 + 30


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
