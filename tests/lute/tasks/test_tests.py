import os
import subprocess
import sys
from pathlib import Path

import pytest

from lute.errors import LuteError, TaskFailed
from lute.io.header import Header
from lute.seams import Runtime
from lute.tasks.models import tests as models
from lute.tasks.registry import TASKS
from lute.tasks.result import TaskResult, TaskStatus


class Messages:
    """Keeps what a Task says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def log(self, text: str) -> None:
        self.said.append(text)

    def send_array(self, name: str, array) -> None:
        self.said.append(f"{name} {array.sum():g}")


class Clock:
    """Notes how long it was to wait."""

    def __init__(self) -> None:
        self.waited_s = 0.0

    def sleep(self, duration_s: float) -> None:
        self.waited_s += duration_s


def run(tmp_path: Path, name: str, **parameters: object) -> tuple[TaskResult, Messages, Clock]:
    messages, clock = Messages(), Clock()
    header = Header(experiment="mfxl1", run=12, work_dir=tmp_path)
    model = TASKS[name].parameters_class()(**parameters)
    runtime = Runtime(clock=clock)  # type: ignore[arg-type]
    return TASKS[name].task_class()(model, header, messages, runtime).run(), messages, clock


def test_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result, messages, clock = run(tmp_path, "Test", num_messages=3, sleep_s=7, str_var="ü")
    assert result == TaskResult(TaskStatus.COMPLETED, "test finished: ü")
    assert messages.said == [f"test message {number}" for number in (1, 2, 3)]
    assert clock.waited_s == 7
    assert "float_var 0.01" in capsys.readouterr().out


def test_test_that_fails(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="on purpose"):
        run(tmp_path, "Test", throw_error=True)


def test_socket(tmp_path: Path) -> None:
    result, messages, _ = run(tmp_path, "TestSocket", array_size=10, num_arrays=3)
    assert messages.said == ["array 0 0", "array 1 10", "array 2 20"]
    assert result.summary == {"arrays sent": 3}


def test_write_and_read(tmp_path: Path) -> None:
    written, _, _ = run(tmp_path, "TestWriteOutput", outfile_name="a 'b'\n ü.txt", num_vals=5)
    path = written.payload["out_file"]
    assert path == str(tmp_path / "a 'b'\n ü.txt")
    read, _, _ = run(tmp_path, "TestReadOutput", in_file=path)
    assert read.summary == {"values": 5, "sum": 10}


def test_find_peaks_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psana", None)
    with pytest.raises(LuteError, match="needs psana"):
        run(tmp_path, "FindPeaksPyAlgos", outdir=".", out_file="x", det_name="Rayonix")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LuteError, match="'no-such-program' cannot be started: No such file"):
        run(tmp_path, "TestBinary", executable="no-such-program")
    with pytest.raises(LuteError, match="cannot be started: Permission denied"):
        run(tmp_path, "TestBinary", executable=str(tmp_path))
    with pytest.raises(LuteError, match="null character"):
        run(tmp_path, "TestBinary", executable="a\0b")


def test_the_test_program_uses_threads_and_fails_on_demand() -> None:
    assert os.access(models.TestBinaryParameters().executable, os.X_OK)
    done = subprocess.run(
        [models.TEST_PROGRAM, "-t", "3", "--seconds=0.01", "--exit-code=7"], capture_output=True, text=True
    )
    assert done.returncode == 7
    assert sorted(line[:9] for line in done.stdout.splitlines()) == ["thread 0:", "thread 1:", "thread 2:"]
    assert done.stderr == "error: failing on purpose with exit code 7\n"
