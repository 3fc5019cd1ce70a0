"""The command line, and traces to replay."""

from pathlib import Path

import pytest

from tests.simulators.commands.run_cli import LuteSim


@pytest.fixture
def lute_sim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> LuteSim:
    """The command line."""
    return LuteSim(monkeypatch, capsys)


@pytest.fixture
def trace(lute_sim: LuteSim, tmp_path: Path) -> Path:
    """The trace of a run with a fault."""
    file = tmp_path / "trace.jsonl"
    assert lute_sim("run", "--scenario", "jid_slow", "--seed", "4", "--trace", str(file)).code == 0
    return file


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A folder of DAG files with one whose step tells its token."""
    folder = tmp_path / "dags é"
    folder.mkdir()
    (folder / "leaky.py").write_text(
        """
from airflow import DAG
from datetime import datetime
from lute.operators.jidoperators import JIDSlurmOperator
from lute.operators.tokens import RunToken


class Talkative(JIDSlurmOperator):
    def execute(self, context):
        self.log.info("%s", RunToken(context["dag_run"].conf["Authorization"])())
        super().execute(context)


with DAG(dag_id="lute_leaky", start_date=datetime(2024, 1, 1), schedule=None):
    Talkative(task_id="Tester")
"""
    )
    return folder
