"""The served world: the real scripts, a real Airflow, the JID over HTTP, real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import TaskState
from lute.seams import Runtime
from lute.settings import load_settings
from simulators.serve.airflow import installed_version
from simulators.serve.ready import StackInfo
from tests.served import ROOT, SLURM_ARGUMENTS, check_workflow_test, in_stack, launch, served_stack, steps

pytestmark = pytest.mark.served


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    with served_stack(tmp_path_factory.mktemp("stack"), airflow=str(installed_version()[0])) as info:
        yield info


def test_the_workflow_test_succeeds(stack: StackInfo) -> None:
    check_workflow_test(stack)


def test_the_workflow_test_failure_fails_and_every_log_comes_once(stack: StackInfo) -> None:
    exit_code, log = launch(stack, "test_failure")
    assert exit_code == 1, log
    assert steps(log) == {
        "Tester": "success",
        "BinaryTester": "success",
        "BinaryErrTester": "failed",
        "SocketTester": "upstream_failed",
        "WriteTester": "success",
        "ReadTester": "success",
    }, log
    logs, _, summary = log.partition("\nstep ")
    for task in ("Tester", "BinaryTester", "BinaryErrTester", "WriteTester", "ReadTester"):
        assert logs.count(f'"managed_task": "{task}"') == 1, log
    assert "BinaryErrTester failed" in summary
    assert '"managed_task": "SocketTester"' not in log
    assert in_stack(stack, "squeue", "-h").stdout == ""


def test_an_unknown_workflow_is_told_with_the_closest_names(stack: StackInfo) -> None:
    argv = ["-c", str(ROOT / "config" / "test.yaml"), "-w", "tset", *SLURM_ARGUMENTS]
    done = in_stack(stack, sys.executable, ROOT / "scripts" / "launch_airflow.py", *argv, check=False)
    assert done.returncode == 2
    assert "there is no workflow 'tset': did you mean test" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_launcher_leaves_no_job_behind(stack: StackInfo) -> None:
    argv = ["-c", str(ROOT / "config" / "test.yaml"), "-w", "test", *SLURM_ARGUMENTS]
    launcher = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "launch_airflow.py"), *argv],
        env=stack.applied_to(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdout is not None
    for line in launcher.stdout:
        if "Tester: running" in line:
            break
    launcher.terminate()
    rest = launcher.stdout.read()
    assert launcher.wait(60) == 128 + 15, rest
    assert "marked failed" in rest
    deadline = time.monotonic() + 60
    while in_stack(stack, "squeue", "-h").stdout:
        assert time.monotonic() < deadline, in_stack(stack, "squeue").stdout
        time.sleep(0.2)  # a real process in real time


def test_airflow_and_the_launcher_agree(stack: StackInfo) -> None:
    """The client reads a real Airflow as it reads the fake one of the unit tests."""
    env = stack.applied_to(os.environ)
    client = AirflowClient(load_settings(env), Runtime())
    client.check_health()
    assert {"lute_test", "lute_test_failure", "lute_pyalgos_sfx"} <= set(client.dag_ids())
    assert client.import_errors() == []
    assert client.downstream("lute_pyalgos_sfx")["CrystFELIndexer"] == ["PartialatorMerger"]
    assert client.dag("lute_nope") is None
    assert TaskState("upstream_failed").is_final
