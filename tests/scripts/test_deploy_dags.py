"""The folder that deploy_dags.sh lays out works in an Airflow that knows nothing of this project."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.scripts.conftest import SCRIPTS

# -S keeps Python from reading .pth files, through which an editable installation would be found.
_LOAD = """
import json, runpy, sys
from pathlib import Path
target = Path(sys.argv[1])
found = {}
for file in sorted(target.glob("*.py")):
    dag = runpy.run_path(str(file))["dag"]
    found[dag.dag_id] = sorted(dag.task_ids)
import lute, lute.operators.hook, lute.operators.provider
from lute.settings import load_settings
assert Path(lute.__file__).is_relative_to(target), lute.__file__
assert load_settings({}).name == "s3df"
for name in ("lute.launch", "lute.tasks", "simulators", "lute.execution"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(name + " can be imported: this is no clean environment")
print("FOUND " + json.dumps(found))
"""


def load(target: Path, home: Path) -> dict[str, list[str]]:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "PYTHONPATH": os.pathsep.join([str(target), sysconfig.get_path("purelib")]),
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LOAD, str(target)], env=env, cwd=home, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found: dict[str, list[str]] = json.loads(line.removeprefix("FOUND "))
    return found


def deploy(target: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SCRIPTS / "deploy_dags.sh", str(target)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["dags", "a 'weird' dir ü"])
def test_the_deployed_folder_loads_in_a_clean_environment(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    done = deploy(target)
    assert done.returncode == 0, done.stderr
    home = tmp_path / "home"
    home.mkdir()
    found = load(target, home)
    assert found["lute_pyalgos_sfx"] == [
        "CrystFELIndexer", "HKLComparer", "PartialatorMerger", "PeakFinderPyAlgos",
    ]  # fmt: skip
    assert {"lute_test", "lute_test_failure"} <= set(found)


def test_deploying_again_leaves_nothing_old_and_nothing_twice(tmp_path: Path) -> None:
    assert deploy(tmp_path).returncode == 0
    (tmp_path / "lute" / "old_module.py").touch()
    (tmp_path / "mine.py").write_text("# another team's DAG")
    assert deploy(tmp_path).returncode == 0
    assert not (tmp_path / "lute" / "old_module.py").exists()
    assert (tmp_path / "mine.py").exists()
    assert (tmp_path / ".airflowignore").read_text() == "lute/\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".lute-new")]
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_a_relative_folder_is_meant_from_here(tmp_path: Path) -> None:
    script = SCRIPTS / "deploy_dags.sh"
    done = subprocess.run([script, "dags"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dags" / "lute" / "operators" / "jidoperators.py").is_file()
    assert (tmp_path / "dags" / "test.py").is_file()


@pytest.mark.parametrize("arguments", [[], ["-h"], ["a", "b"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [SCRIPTS / "deploy_dags.sh", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "usage: deploy_dags.sh DIR" in done.stderr
