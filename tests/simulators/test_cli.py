import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.serve.ready import StackInfo

ROOT = Path(__file__).resolve().parents[2]


def lute_sim(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "simulators.cli", *words],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_the_commands() -> None:
    done = lute_sim("--help")
    assert done.returncode == 0
    for command in ("serve", "env", "demo"):
        assert command in done.stdout


def test_env_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    done = lute_sim("env", "--ready-file", str(tmp_path / "none.json"))
    assert done.returncode == 1
    assert done.stderr.startswith("lute-sim: error: no stack is running")
    assert "lute-sim serve" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--airflow", "7"],
        ["serve", "--dags", "/no/such/folder"],
        ["serve", "--slurm", "genuine"],
        ["demo", "--airflow", "none"],
        ["nonsense"],
        ["demo", "nope"],
        ["demo", "--config", "/no/such.yaml"],
    ],
)
def test_wrong_usage_exits_2_before_anything_starts(words: list[str]) -> None:
    done = lute_sim(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "stack ready" not in done.stderr


def test_real_slurm_that_is_not_installed_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    words = ["serve", "--slurm", "real", "--airflow", "none", "--ready-file", str(tmp_path / "r.json")]
    done = lute_sim(*words, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "real Slurm needs" in done.stderr
    assert "sbatch" in done.stderr
    assert "next: apt-get install slurm-wlm munge" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_stack_does_not_take_the_place_of_the_first(tmp_path: Path) -> None:
    ready = tmp_path / "stack.json"
    StackInfo(os.getpid(), "", "", "/w", "/l", "/b", {}).write(ready)
    before = ready.read_text()
    done = lute_sim("serve", "--airflow", "none", "--ready-file", str(ready))
    assert done.returncode == 2
    assert f"a stack is running already (process {os.getpid()})" in done.stderr
    assert ready.read_text() == before
