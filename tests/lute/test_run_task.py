import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import lute.run_task
from lute.io.config import load_config
from lute.io.database import Database, TaskRun
from lute.run_task import main
from lute.tasks.parameters import resolve_parameters

ROOT = Path(lute.__file__).parent.parent
CONFIG = ROOT / "config"
TEST_TASKS = ["Tester", "BinaryTester", "BinaryErrTester", "SocketTester", "WriteTester", "ReadTester"]


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("RUN", "RUN_NUM", "EXPERIMENT")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def run(*arguments: object, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lute.run_task", *map(str, arguments)],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


def verdict(stdout: str) -> dict[str, Any]:
    last = stdout.splitlines()[-1]
    assert last.startswith("LUTE-VERDICT ")
    fields: dict[str, Any] = json.loads(last.removeprefix("LUTE-VERDICT "))
    assert sorted(fields) == ["managed_task", "message", "return_code", "run_time_s", "status", "task"]
    return fields


def test_the_test_workflow_in_any_directory(tmp_path: Path) -> None:
    for name in TEST_TASKS:
        done = run("-c", CONFIG / "test.yaml", "-t", name, cwd=tmp_path, EXPERIMENT="mfxl0000000", RUN="12")
        expected = 1 if name == "BinaryErrTester" else 0
        assert done.returncode == expected, done.stdout + done.stderr
        assert verdict(done.stdout)["status"] == ("FAILED" if expected else "COMPLETED")
        assert verdict(done.stdout)["managed_task"] == name
        assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "lute.db",
        "mfxl0000000_r0012_test_output.txt",
    ]


def test_the_run_of_the_elog_and_a_work_dir_elsewhere(tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    done = run(
        *["--config", CONFIG / "test.yaml", "--taskname", "WriteTester"],
        cwd=tmp_path,
        EXPERIMENT="mfxl0000000",
        RUN_NUM="12_2026-11-22T10:00:00.123",
        LUTE_WORK_DIR=str(work_dir),
    )
    assert done.returncode == 0
    assert (work_dir / "mfxl0000000_r0012_test_output.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-c", CONFIG / "test.yaml", "-t", "Testr"], "did you mean Tester"),
        (["-c", "none.yaml", "-t", "Tester"], "none.yaml: cannot be read: No such file"),
        (["-c", CONFIG / "test.yaml", "-t", "Tester"], "$EXPERIMENT is not set"),
        (["-c", CONFIG / "test.yaml"], "required: -t/--taskname"),
        (["-t", "Tester", "--unknown"], "required: -c/--config"),
    ],
)
def test_errors_of_the_user(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[object],
    says: str,
) -> None:
    monkeypatch.delenv("EXPERIMENT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(list(map(str, arguments))) == 2
    out, err = capfd.readouterr()
    assert err.startswith("error: ")
    assert says in err
    assert "Traceback" not in err
    assert len(err.splitlines()) < 6
    fields = verdict(out)
    assert (fields["status"], fields["return_code"]) == ("FAILED", 2)
    assert says in fields["message"]
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_the_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "none.yaml", "-t", "Tester", "--debug"]) == 2
    out, err = capfd.readouterr()
    assert "Traceback" in err
    assert verdict(out)["status"] == "FAILED"


def test_scancel(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("experiment: a\nrun: 1\n---\nTest: {sleep_s: 60}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "lute.run_task", "-c", str(config), "-t", "Tester"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "test message 10\n":
            break
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    rest, _ = process.communicate(timeout=30)
    assert time.monotonic() - start < 4
    assert process.returncode == 1
    assert verdict(rest)["status"] == "CANCELLED"


def test_starting_up_is_light(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("experiment: a\nrun: 1\n---\nTest: {sleep_s: 0}\n")
    before = os.times()
    assert run("-c", config, "-t", "Tester", cwd=tmp_path).returncode == 0
    after = os.times()
    used_s = after.children_user + after.children_system - before.children_user - before.children_system
    assert used_s < 2  # about 0.6 on a quiet machine


def test_a_parallel_task(tmp_path: Path) -> None:
    """`mpirun` is a stand-in that starts the processes and gives each its rank."""
    mpirun = tmp_path / "bin" / "mpirun"
    mpirun.parent.mkdir()
    mpirun.write_text(
        '#!/bin/bash\n[ "$1" = -n ] || exit 9\nn=$2; shift 2; failed=0; pids=()\n'
        'for ((i = 0; i < n; i++)); do PMI_RANK=$i "$@" & pids+=($!); done\n'
        'for pid in "${pids[@]}"; do wait $pid || failed=1; done; exit $failed\n'
    )
    mpirun.chmod(0o755)
    config = tmp_path / "c.yaml"
    config.write_text("experiment: a\nrun: 1\n---\nFindPeaksPyAlgos: {det_name: Rayonix}\n")
    path = f"{mpirun.parent}:{os.environ['PATH']}"
    done = run("-c", config, "-t", "PeakFinderPyAlgos", cwd=tmp_path, PATH=path, SLURM_NTASKS="3")
    assert done.returncode == 1
    # The first where psana is not installed.
    assert re.search("needs psana|SIT_PSDM_DATA is not set", verdict(done.stdout)["message"])
    done = run("-c", config, "-t", "PeakFinderPyAlgos", cwd=tmp_path, PATH=path, SLURM_NTASKS="many")
    assert done.returncode == 2
    assert "SLURM_NTASKS is 'many'" in verdict(done.stdout)["message"]


def test_the_sfx_configuration(tmp_path: Path) -> None:
    env = {"EXPERIMENT": "mfxl1013621", "RUN": "12", "LUTE_WORK_DIR": str(tmp_path)}
    config = load_config(CONFIG / "sfx.yaml", env)
    database = Database(tmp_path / "lute.db")
    for task in ("FindPeaksPyAlgos", "IndexCrystFEL", "MergePartialator", "CompareHKL"):
        values = resolve_parameters(task, config, database).model_dump(mode="json")
        database.store(TaskRun(task, task, "mfxl1013621", 12, "", "", "COMPLETED", 0, values, "", {}))
    assert values["in_files"] == [f"{tmp_path}/mfxl1013621_r0012.hkl{half}" for half in (1, 2)]
    assert values["symmetry"] == "4/mmm"


@pytest.mark.parametrize(
    ("folder", "kills", "left"), [("rec ord", 0, "2\n"), ("rec ord", 1, None), ("no/such", 0, None)]
)
def test_the_exit_code_is_left_for_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    folder: str,
    kills: int,
    left: str | None,
) -> None:
    (tmp_path / "rec ord").mkdir()
    monkeypatch.setattr(lute.run_task, "oom_kills", lambda: kills)
    file = tmp_path / folder / "ended-7"
    assert main(["-c", "none.yaml", "-t", "NoSuchTask", "--exit-code-file", str(file)]) == 2
    assert (file.read_text() if file.exists() else None) == left
    assert ("cannot be written" in capfd.readouterr().err) is (folder == "no/such")
    assert [path.name for path in (tmp_path / "rec ord").iterdir()] == (["ended-7"] if left else [])
