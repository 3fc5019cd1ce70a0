"""Logs on this computer, which may go at any time."""

import json
from pathlib import Path

import pytest

from lute.launch import main as launcher
from lute.launch.log_files import SystemLogFiles
from tests.fakes import settings
from tests.lute.airflow_api.fake_airflow import FakeAirflow, task


def test_a_part_of_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"one\ntwo\n")
    files = SystemLogFiles()
    assert files.size(str(file)) == 8
    assert files.read(str(file), 4, 3) == b"two"
    assert files.read(str(file), 8, 3) == b""


def test_what_is_no_file_or_has_gone_is_empty(tmp_path: Path) -> None:
    files = SystemLogFiles()
    for path in (str(tmp_path), str(tmp_path / "none"), "a\x00b"):
        assert files.size(path) is None
    assert files.read(str(tmp_path / "none"), 0, 10) == b""


def test_of_a_log_that_only_its_file_has_the_end_is_shown(
    airflow: FakeAirflow, argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "7.out"
    file.write_text("first" + "x" * 1024 * settings().logs.max_kib)
    airflow.states, airflow.tasks = ["running", "failed"], [[task("A", "failed")]] * 2
    airflow.xcoms = {("A", "job"): json.dumps({"tool_id": "7", "log_file_path": str(file)})}
    assert launcher.main(argv) == 1
    out = capsys.readouterr().out
    assert f"[... 5 earlier bytes cut; all of it: {file} ...]\nxxx" in out
    assert "first" not in out
