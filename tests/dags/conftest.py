"""The installed Airflow's `dag.test()` with the simulated JID and the fake Slurm behind it."""

import importlib.metadata
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lute.launch.arguments import parse_launch_arguments
from lute.launch.conf import build_conf
from lute.seams import Runtime
from lute.settings import load_settings
from simulators.serve.ready import StackInfo
from tests.served import served_stack

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_VERSION = importlib.metadata.version("apache-airflow")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    with served_stack(tmp_path_factory.mktemp("stack"), airflow="none") as info:
        yield info


@pytest.fixture(scope="package")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIRFLOW_HOME with a fresh database, to be copied."""
    home = tmp_path_factory.mktemp("airflow")
    env = airflow_env(home)
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True
    )
    return home


def airflow_env(home: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }


@dataclass
class DagTest:
    """One Airflow and what its database says after `dag.test()`."""

    home: Path
    stack: StackInfo

    def run(self, dag_text: str, name: str, *slurm_arguments: str, **conf_changes: object) -> "DagTest":
        """Write a DAG file and run it."""
        dag_file = self.home / "dags" / f"{name}.py"
        dag_file.parent.mkdir(exist_ok=True)
        dag_file.write_text(dag_text)
        env = self.stack.applied_to(airflow_env(self.home)) | {
            "AIRFLOW_CONN_JID_DEFAULT": json.dumps({"conn_type": "jid", "host": self.stack.jid_url})
        }
        argv = ["-c", str(ROOT / "config" / "test.yaml"), "-w", name, *slurm_arguments]
        conf = build_conf(parse_launch_arguments(argv), env, load_settings(env), Runtime()).to_conf()
        conf_file = self.home / "conf.json"
        conf_file.write_text(json.dumps(conf | conf_changes))
        script = str(Path(__file__).with_name("run_dag.py"))
        self.done = subprocess.run(
            [sys.executable, script, str(dag_file), str(conf_file)],
            env=env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return self

    @property
    def output(self) -> str:
        return self.done.stdout + self.done.stderr

    def states(self) -> dict[str, str]:
        return dict(self._query("select task_id, state from task_instance"))

    def run_state(self) -> str:
        return str(self._query("select state from dag_run")[0][0])

    def xcom(self, task_id: str, key: str) -> Any:
        rows = self._query("select value from xcom where task_id = ? and key = ?", task_id, key)
        text = json.loads(rows[0][0]) if rows else None
        return json.loads(text) if key == "job" and text else text

    def _query(self, sql: str, *values: str) -> list[Any]:
        with sqlite3.connect(self.home / "airflow.db") as connection:
            return connection.execute(sql, values).fetchall()


@pytest.fixture
def dag_test(migrated_home: Path, tmp_path: Path, stack: StackInfo) -> DagTest:
    home = tmp_path / "home"
    shutil.copytree(migrated_home, home)
    return DagTest(home, stack)
