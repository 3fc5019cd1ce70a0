"""A served stack in a process of its own, for tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from simulators.serve.ready import StackInfo

_READY_LIMIT_S = 180
_STOP_LIMIT_S = 30


@contextlib.contextmanager
def served_stack(tmp_path: Path, *, airflow: str, dags: Path | None = None) -> Iterator[StackInfo]:
    """Run `lute-sim serve` and yield what its ready file says; afterwards nothing of it may be left."""
    ready = tmp_path / "ready.json"
    argv = [sys.executable, "-m", "simulators.cli", "serve", "--airflow", airflow, "--ready-file", str(ready)]
    if dags is not None:
        argv += ["--dags", str(dags)]
    with (tmp_path / "serve.log").open("wb") as log:
        serve = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _READY_LIMIT_S
        while not ready.exists():
            assert serve.poll() is None, (tmp_path / "serve.log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "serve.log").read_text()
            time.sleep(0.1)  # a real process in real time
        info = StackInfo(**json.loads(ready.read_text()))
        yield info
    finally:
        serve.send_signal(signal.SIGTERM)
        assert serve.wait(_STOP_LIMIT_S) == 0, (tmp_path / "serve.log").read_text()
    assert not ready.exists()
    assert not Path(info.work_dir).exists()
    assert left_behind(info) == []


def left_behind(info: StackInfo) -> list[str]:
    """Return the command lines of processes that still belong to a stack."""
    stack_dir = str(Path(info.work_dir).parent)
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(stack_dir in value for value in process.environ().values()):
                found.append(" ".join(process.cmdline()))
    return found
