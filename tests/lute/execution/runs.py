"""Runs Executors in tests: a Task is a shell or Python script that may misbehave."""

import json
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lute.execution.executor import Executor
from lute.io.config import load_config
from lute.seams import SystemClock

TALKING = """
import os, sys, time, signal, subprocess
from pathlib import Path
from lute.execution.job import Job
from lute.execution.messages import Log, Result, Started
from lute.execution.messenger import ChannelMessenger
job = Job.read(Path(sys.argv[1]))
to = ChannelMessenger(job.pipe, job.address)
to.send(Started(reports_result=True))
def done(status="COMPLETED"):
    to.send(Result(status=status, summary="all well", payload={"k": [1]}))
"""


class ClockOfFile(SystemClock):
    """Is a day ahead once a file is there: whatever has a limit runs into it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def monotonic(self) -> float:
        return time.monotonic() + 86400 * self._file.exists()


@dataclass
class Outcome:
    """What a run left behind."""

    exit_code: int
    stdout: bytes
    verdict: dict[str, Any]
    statuses: list[tuple[str, str]]
    elapsed_s: float

    @property
    def message(self) -> str:
        return str(self.verdict["message"])


class Runs:
    """Runs Tasks in a directory of their own."""

    def __init__(self, tmp_path: Path) -> None:
        self.work_dir = tmp_path / "work 'dir'\nß"
        self.work_dir.mkdir()
        self.statuses: list[tuple[str, str]] = []
        self.stdout: int | None = None

    def executor(
        self,
        task: str,
        section: str = "",
        *,
        timeout_s: float = 60,
        env: dict[str, str] | None = None,
        work_dir: Path | None = None,
    ) -> Executor:
        config = self.work_dir.parent / "config.yaml"
        header = {
            "experiment": "mfxl1",
            "run": 12,
            "task_timeout": timeout_s,
            "work_dir": str(work_dir or self.work_dir),
        }
        config.write_text(f"{json.dumps(header)}\n---\n{section}", encoding="utf-8")
        return Executor(
            task,
            managed_task=f"{task}er",
            config=load_config(config, {}),
            env=env if env is not None else dict(os.environ),
            on_status=lambda *status: self.statuses.append(status),
            stdout=self.stdout if self.stdout is not None else self._stdout(),
        )

    def finish(self, executor: Executor) -> Outcome:
        start = time.monotonic()
        exit_code = executor.run()
        elapsed_s = time.monotonic() - start
        stdout = self._log.read_bytes()
        last = stdout.splitlines()[-1]
        assert stdout.endswith(b"\n")
        assert last.startswith(b"LUTE-VERDICT {")
        assert stdout.count(b"LUTE-VERDICT") == 1
        verdict = json.loads(last.removeprefix(b"LUTE-VERDICT "))
        return Outcome(exit_code, stdout, verdict, self.statuses, elapsed_s)

    def task(self, task: str, section: str = "", **options: Any) -> Outcome:
        """Run a registered Task."""
        return self.finish(self.executor(task, section, **options))

    def shell(self, script: str, **options: Any) -> Outcome:
        """Run a third-party Task whose program is a shell script."""
        return self.finish(self.shell_executor(script, **options))

    def shell_executor(self, script: str, **options: Any) -> Executor:
        """Return what runs a third-party Task whose program is a shell script."""
        file = self.work_dir / "program"
        file.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        file.chmod(0o755)
        return self.executor("TestBinary", f"TestBinary: {{executable: {json.dumps(str(file))}}}", **options)

    def python(self, script: str, **options: Any) -> Outcome:
        """Run a Task whose process is a Python script, begun as a first-party Task's would."""
        return self.finish(self.python_executor(script, **options))

    def python_executor(self, script: str, **options: Any) -> Executor:
        """Return what runs a Task whose process is a Python script."""
        file = self.work_dir / "script.py"
        file.write_text(TALKING + script, encoding="utf-8")
        executor = self.executor("Test", **options)
        executor.command = lambda job: [sys.executable, str(file), str(job)]  # type: ignore[method-assign]
        executor.environment["PYTHONPATH"] = str(Path(__file__).parents[3])
        return executor

    def end_at(self, file: Path, executor: Executor) -> Executor:
        """Let the time limit of an Executor come when a file is there."""
        executor._runtime = replace(executor._runtime, clock=ClockOfFile(file))
        return executor

    def _stdout(self) -> int:
        self._log = self.work_dir.parent / "stdout"
        return os.open(self._log, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_TRUNC)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """Return what runs Tasks in a new directory."""
    return Runs(tmp_path)


def is_alive(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
