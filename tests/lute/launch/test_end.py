"""How a launcher ends: its table and reports, and what an interruption leaves."""

import contextlib
import errno
import io
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from lute.launch import main as launcher
from lute.launch import process
from tests.fakes import FakeClock
from tests.lute.airflow_api.fake_airflow import FakeAirflow, task


def test_an_interrupted_launcher_fails_its_run(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running"]
    airflow.tasks = [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main(argv) == 128 + signal.SIGTERM
    assert airflow.patched == [{"state": "failed"}]


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
    monkeypatch.setattr("lute.launch.stay.Stay._clean_up", lambda _stay: shutil.rmtree(folder) or True)
    assert launcher.main([*argv, "--report", str(folder / "r.json")]) == 0
    assert "WARNING: the report" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "next_step"),
    [
        (errno.ENOSPC, "make room where its log lies"),
        (errno.EPIPE, "let its output be read to the end"),
        (errno.ENOENT, "see whether the folder it was started in is still there"),
    ],
)
def test_an_output_that_fails_says_what_to_do(
    airflow: FakeAirflow,
    argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    next_step: str,
) -> None:
    def fails(_self: object, _text: str) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("lute.launch.process.Process.write", fails)
    assert launcher.main(argv) == 1
    assert f"next: {next_step}\n" in capsys.readouterr().err


def test_an_output_prints_what_its_encoding_lacks() -> None:
    bytes_out = io.BytesIO()
    surroundings = process.Process({}, stdout=io.TextIOWrapper(bytes_out, "latin-1"), stderr=io.StringIO())
    surroundings.write_anything()
    surroundings.write("caf\xe9 \u2713")
    assert bytes_out.getvalue() == b"caf\xe9 \\u2713\n"


def test_a_success_with_a_failed_step_says_so(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["success"]
    airflow.tasks = [[task("A", "failed"), task("B", "failed"), task("C", "success")]]
    assert launcher.main(argv) == 0
    assert capsys.readouterr().out.endswith("Workflow test: success, although A, B failed\n")


def test_an_output_that_fails_costs_no_report(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even if the logs of the ended steps cannot be printed."""
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    written = []

    def fails(_self: object, text: str) -> None:
        written.append(text)
        if "running" in text:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lute.launch.process.Process.write", fails)
    assert launcher.main([*argv, "--report", str(tmp_path / "r.json")]) == 1
    assert json.loads((tmp_path / "r.json").read_text())["state"] == "failed"
    assert any("was marked failed" in text for text in written)


def test_nobody_swallows_an_interruption(
    airflow: FakeAirflow, clock: FakeClock, argv: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]

    def careless(_leftovers: object) -> None:
        with contextlib.suppress(Exception):  # as some library may
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("lute.launch.leftovers.Leftovers.poll", careless)
    assert launcher.main(argv) == 128 + signal.SIGTERM


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


def test_without_slurm_only_a_run_that_was_given_up_tells_of_jobs(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launcher.main(argv) == 0
    assert "squeue" not in capsys.readouterr().out
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGTERM) if now_s > 3 else None
    assert launcher.main(argv) == 128 + signal.SIGTERM
    assert "There is no squeue here" in capsys.readouterr().out


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
