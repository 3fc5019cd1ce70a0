"""A served stack in a process of its own, for tests, and launching workflows in it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from simulators.serve.ready import StackInfo

ROOT = Path(__file__).resolve().parents[1]
SLURM_ARGUMENTS = ["--partition=milano", "--account=lcls:demo", "--ntasks=4"]
_READY_LIMIT_S = 180
_STOP_LIMIT_S = 30
_LAUNCHER_LIMIT_S = 200


@contextlib.contextmanager
def served_stack(
    tmp_path: Path, *, airflow: str, slurm: str = "fake", dags: Path | None = None
) -> Iterator[StackInfo]:
    """Run `lute-sim serve` and yield what its ready file says; afterwards nothing of it may be left."""
    ready = tmp_path / "ready.json"
    argv = [sys.executable, "-m", "simulators.cli", "serve", "--airflow", airflow, "--slurm", slurm]
    argv += ["--ready-file", str(ready)]
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
    return processes_of(Path(info.work_dir).parent)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of other processes whose environment names something in `folder`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and any(str(folder) in text for text in process.environ().values()):
                found.append(" ".join(process.cmdline()))
    return found


def in_stack(stack: StackInfo, *argv: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user does who has taken over the variables of `lute-sim env`."""
    return subprocess.run(
        argv,
        env=stack.applied_to(os.environ),
        cwd=stack.work_dir,
        capture_output=True,
        text=True,
        timeout=_LAUNCHER_LIMIT_S,
        check=check,
    )


def launch(stack: StackInfo, workflow: str) -> tuple[int, str]:
    """Launch as a scientist would and wait; return the launcher's exit code and its log."""
    script = ROOT / "scripts" / "submit_launch_airflow.sh"
    config = ROOT / "config" / "test.yaml"
    done = in_stack(stack, script, "-c", str(config), "-w", workflow, *SLURM_ARGUMENTS)
    assert re.fullmatch(r"Submitted batch job \d+\n", done.stdout)
    job_id = done.stdout.split()[-1]
    deadline = time.monotonic() + _LAUNCHER_LIMIT_S
    while in_stack(stack, "squeue", "-h", "-j", job_id).stdout:
        assert time.monotonic() < deadline, in_stack(stack, "squeue").stdout
        time.sleep(0.5)  # a real process in real time
    shown = in_stack(stack, "scontrol", "show", "job", job_id).stdout
    exit_code = int(re.findall(r"ExitCode=(\d+):", shown)[0])
    log = re.findall(r"StdOut=(.*)", shown)[0].replace("%J", job_id)  # which real Slurm leaves in
    return exit_code, Path(log).read_text()


def steps(log: str) -> dict[str, str]:
    """Return the last state that the launcher told of each step."""
    return dict(re.findall(r"^\d\d:\d\d:\d\d (\w+): (\w+)", log, re.MULTILINE))


def check_workflow_test(stack: StackInfo) -> None:
    """Launch the workflow `test`; it succeeds, every log comes once, and nothing is left in Slurm."""
    exit_code, log = launch(stack, "test")
    assert exit_code == 0, log
    tasks = ["BinaryTester", "ReadTester", "SocketTester", "Tester", "WriteTester"]
    assert steps(log) == dict.fromkeys(tasks, "success"), log
    for task in tasks:
        assert log.count(f'"managed_task": "{task}", "status": "COMPLETED"') == 1, log
    assert log.rstrip().endswith("Workflow test: success")
    assert in_stack(stack, "squeue", "-h").stdout == ""
