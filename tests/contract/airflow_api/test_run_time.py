"""A Variable becomes a DAG of the file run_time.py, and goes with it."""

from lute.workflows.model import DAG_PREFIX, PARENT_DAG, VARIABLE_PREFIX, Step, Workflow
from tests.contract.airflow_api.legs import Leg

_POLL_S = 0.5
_LIMIT_S = 60.0
_WORKFLOW = Workflow(
    title="é.yaml", steps=(Step(task_id="Tester", next=("x.Tester",)), Step(task_id="x.Tester"))
)


def parse(airflow: Leg) -> None:
    """Ask for the file to be read."""
    token = airflow.ask("GET", f"/dags/{PARENT_DAG}").body["file_token"]
    assert airflow.ask("PUT", f"/parseDagFile/{token}").status in (201, 409)


def test_a_variable_becomes_a_dag(airflow: Leg) -> None:
    variable = {"key": f"{VARIABLE_PREFIX}one.2", "value": _WORKFLOW.to_json()}
    odd = {"key": f"{VARIABLE_PREFIX}odd", "value": "{"}
    for body in (odd, variable):
        assert airflow.ask("POST", "/variables", body).status in (200, 201)
    parse(airflow)
    dag = f"/dags/{DAG_PREFIX}one.2"
    passed_s = 0.0
    while airflow.ask("GET", f"{dag}/tasks").status == 404:
        assert passed_s < _LIMIT_S
        airflow.pass_time(_POLL_S)
        passed_s += _POLL_S
    tasks = airflow.ask("GET", f"{dag}/tasks").body["tasks"]
    assert {task["task_id"]: task["downstream_task_ids"] for task in tasks} == {
        "Tester": ["x.Tester"],
        "x.Tester": [],
    }
    assert airflow.ask("GET", dag).body["is_paused"] is False
    assert airflow.ask("GET", f"/dags/{DAG_PREFIX}odd").status == 404
    for body in (odd, variable):
        assert airflow.ask("DELETE", f"/variables/{body['key']}").status == 204
