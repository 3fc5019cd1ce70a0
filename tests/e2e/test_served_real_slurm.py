"""The whole chain on a real Airflow and a real Slurm: production scripts, operators, launcher, Executor."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simulators.realslurm import missing
from simulators.serve.airflow import installed_version
from simulators.serve.ready import StackInfo
from simulators.serve.stack import SLURM_BIN
from tests.served import check_workflow_test, in_stack, launch, served_stack, steps

pytestmark = [pytest.mark.served, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    airflow = str(installed_version()[0])
    with served_stack(tmp_path_factory.mktemp("stack"), airflow=airflow, slurm="real") as info:
        yield info


def test_the_workflow_test_succeeds(stack: StackInfo) -> None:
    check_workflow_test(stack)


def test_the_workflow_test_failure_fails_and_every_log_comes_once(stack: StackInfo) -> None:
    exit_code, log = launch(stack, "test_failure")
    assert exit_code == 1, log
    assert steps(log)["BinaryErrTester"] == "failed", log
    assert steps(log)["SocketTester"] == "upstream_failed", log
    logs = log.partition("\nstep ")[0]
    for task in ("Tester", "BinaryTester", "BinaryErrTester", "WriteTester", "ReadTester"):
        assert logs.count(f'"managed_task": "{task}"') == 1, log
    assert in_stack(stack, "squeue", "-h").stdout == ""


def test_the_shell_of_a_user_has_the_real_commands(stack: StackInfo) -> None:
    assert Path(in_stack(stack, "which", "sbatch").stdout.strip()).parent != SLURM_BIN
    assert in_stack(stack, "sinfo", "--version").stdout.startswith("slurm")
    assert "export SLURM_CONF=" in stack.exports()
    assert str(SLURM_BIN) not in stack.exports()


def test_jobs_that_ended_leave_no_zombies(stack: StackInfo) -> None:
    done = in_stack(stack, "sbatch", "--wait", "--wrap", "true")
    assert done.returncode == 0
    deadline = time.monotonic() + 20
    while "slurmstepd" in [process.name() for process in psutil.Process(stack.pid).children()]:
        assert time.monotonic() < deadline
        time.sleep(0.1)  # a real process in real time


def test_the_end_of_the_stack_ends_jobs_that_would_rather_not(tmp_path: Path) -> None:
    with served_stack(tmp_path, airflow="none", slurm="real") as stack:
        in_stack(stack, "sbatch", "--wrap", "trap '' TERM; while :; do sleep 0.1; done")
        in_stack(stack, "sbatch", "--nodes=4", "--exclusive", "--wrap", "sleep 60")
        deadline = time.monotonic() + 20
        while "RUNNING" not in in_stack(stack, "squeue", "-h", "-o", "%T").stdout:
            assert time.monotonic() < deadline
            time.sleep(0.1)  # a real process in real time
