"""Variables in DAG files, operators and triggers."""

from pathlib import Path

from simulators.dagrunner.load import Loaded, load_file
from simulators.dagrunner.state import AirflowState
from simulators.dagrunner.variables import connected
from tests.simulators.dagrunner.running import NewAirflow, new_airflow, only

__all__ = ["new_airflow"]

DAG_FILE = """
from datetime import datetime
from airflow import DAG
from airflow.providers.common.compat.sdk import BaseOperator, Variable

for name in Variable.get("names", "").split():
    with DAG(name, schedule=None, start_date=datetime(2024, 1, 1)):
        BaseOperator(task_id="a")
"""


def test_a_dag_file_sees_the_variables_of_the_moment(tmp_path: Path) -> None:
    file, state = tmp_path / "many.py", AirflowState()
    file.write_text(DAG_FILE)
    for names in ("", "one", "one two", "three"):
        state.variables["names"] = names
        loaded = Loaded()
        with connected(state):
            load_file(file, loaded)
        assert loaded.errors == {}
        assert list(loaded.dags) == sorted(names.split())


def test_two_airflows_have_variables_of_their_own(tmp_path: Path) -> None:
    file, one, other = tmp_path / "many.py", AirflowState(), AirflowState()
    file.write_text(DAG_FILE)
    one.variables["names"], other.variables["names"] = "one", "other"
    for state in (one, other, one):
        loaded = Loaded()
        with connected(state):
            load_file(file, loaded)
        assert list(loaded.dags) == [state.variables["names"]]


def test_an_operator_sees_what_somebody_stores_while_the_dag_is_there(new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        """
from airflow.providers.common.compat.sdk import Variable, task
@task
def take():
    return [Variable.get("a"), Variable.get("b", "none")]
take()
"""
    )
    airflow.instance.state.variables["a"] = "1"
    run = airflow.run()
    assert only(run, "take").xcoms["return_value"] == ["1", "none"]


def test_a_trigger_sees_variables(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Defer(task_id='a', seconds=5.0, mode='variable')")
    airflow.instance.state.variables["a"] = "1"
    assert only(airflow.run(), "a").xcoms["return_value"] == ["1", "a"]
