"""The dagrunner and the installed Airflow's own `dag.test()` come to the same end."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.contract.dagrunner.simulated import run_simulated
from tests.contract.dagrunner.table import CASES, Case, copied_dags

ROOT = Path(__file__).resolve().parents[3]
_LIMIT_S = 280


@pytest.fixture(scope="session")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DAG files of the cases."""
    return copied_dags(tmp_path_factory.mktemp("dags"))


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the installed Airflow did in each case: all of them in one process, on a database of its own."""
    home = tmp_path_factory.mktemp("airflow")
    folder, output = copied_dags(home / "dags"), home / "seen.json"
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    argv = [sys.executable, "-m", "tests.contract.dagrunner.real", str(folder), str(output)]
    done = subprocess.run(
        argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(output.read_text()))


@pytest.mark.timeout(_LIMIT_S + 20)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_come_to_the_same_end(case: Case, dags: Path, real: dict[str, Any]) -> None:
    assert "seen" in real[case.name], real[case.name]["error"]
    expected = real[case.name]["seen"]
    found = json.loads(json.dumps(asdict(run_simulated(case, dags))))
    assert expected["tasks"], "the case shows nothing"
    assert found == expected


def test_all_dags_of_the_folder_are_in_a_case(dags: Path) -> None:
    from simulators.dagrunner.load import load_folder

    loaded = load_folder(dags)
    assert loaded.errors == {}
    wanted = {name for name in loaded.dags if name.startswith(("c_", "lute_"))} - {"lute_run_time"}  # empty
    assert wanted == {case.dag_id for case in CASES}
