"""The launcher as a whole against an Airflow of either version."""

import contextlib
import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lute.launch import main as launcher
from lute.launch import process
from lute.settings import TimeoutSettings
from tests.fakes import FakeClock
from tests.lute.airflow_api.fake_airflow import FakeAirflow, task
from tests.lute.launch.conftest import FakeKeeper


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


@pytest.mark.parametrize("more", [["--report", "r.txt"], ["--report", "/no such/r.xml"], ["--attach", "r1"]])
def test_what_cannot_be_done_is_told_before_anything_starts(
    airflow: FakeAirflow, argv: list[str], more: list[str]
) -> None:
    assert launcher.main([*argv, *more]) == 2
    assert not airflow.triggered


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


def test_a_dry_run_warns_as_a_launch_does(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher.main([*argv, "--dry-run", "-e", "other"]) == 0
    assert "WARNING: -e other is ignored: the environment says exp" in capsys.readouterr().out
    assert not airflow.triggered
