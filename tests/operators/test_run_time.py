"""DAGs of workflows that users wrote."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.operators import run_time
from lute.operators.run_time import run_time_dags
from lute.workflows.model import TRIGGER_RULES, Step, StepSettings, Workflow
from simulators import environ
from simulators.dagrunner.load import Loaded, load_file
from simulators.dagrunner.state import AirflowState
from simulators.dagrunner.variables import connected

FILE = Path(__file__).parents[2] / "workflows" / "airflow" / "run_time.py"
PARSED = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"
"""By it both versions tell a DAG file for which DAG it is read."""
WORKFLOW = Workflow(
    title='ca\nf"é.yaml',
    steps=(
        Step(task_id="Tester", next=("BinaryTester", "again.Tester")),
        Step(
            task_id="BinaryTester",
            next=("again.Tester",),
            settings=StepSettings(max_cores=3, max_nodes=2, partition="ampere", retries=2),
        ),
        Step(
            task_id="again.Tester",
            settings=StepSettings(slurm_params="--ntasks=2", trigger_rule="none_failed"),
        ),
    ),
)


@pytest.fixture
def variables() -> Iterator[dict[str, str]]:
    """Those of an Airflow that this process belongs to."""
    state = AirflowState()
    with connected(state):
        yield state.variables


def test_a_workflow_becomes_a_dag_of_its_own(
    variables: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    variables |= {
        "lute_workflow_x": WORKFLOW.to_json(),
        "lute_workflo": "",
        "workflow_y": "",
        "lute-workflow-y": "",
    }
    assert list(run_time_dags()) == ["lute_run_time_x"]
    assert caplog.messages == [], "the others are left alone"
    dag = run_time_dags()["lute_run_time_x"]
    assert dag.dag_id == "lute_run_time_x"
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "Tester": ["BinaryTester", "again.Tester"],
        "BinaryTester": ["again.Tester"],
        "again.Tester": [],
    }
    first, second, third = (dag.get_task(name) for name in ("Tester", "BinaryTester", "again.Tester"))
    assert (second.max_cores, second.max_nodes, second.require_partition, second.retries) == (
        3,
        2,
        "ampere",
        2,
    )
    assert (third.managed_task, third.custom_slurm_params, third.trigger_rule) == (
        "Tester",
        "--ntasks=2",
        "none_failed",
    )
    assert (first.max_cores, first.custom_slurm_params, first.trigger_rule) == (None, "", "all_success")
    assert first.retries == 0
    assert dag.is_paused_upon_creation is False
    assert dag.start_date == datetime(2024, 3, 18, tzinfo=UTC)
    assert not dag.timetable.can_be_scheduled
    assert dag.description == WORKFLOW.title
    assert set(dag.tags) == {"lute", "run time"}


@pytest.mark.parametrize("rule", TRIGGER_RULES)
def test_airflow_knows_every_trigger_rule(variables: dict[str, str], rule: str) -> None:
    step = Step(task_id="Tester", settings=StepSettings(trigger_rule=rule))
    variables["lute_workflow_x"] = Workflow(steps=(step,)).to_json()
    assert run_time_dags()["lute_run_time_x"].get_task("Tester").trigger_rule == rule


def test_an_odd_variable_hides_no_other(variables: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bad_id = '{"steps": [{"task_id": "a b"}]}'  # which the operator refuses
    variables |= {"lute_workflow_a": "{", "lute_workflow_b": WORKFLOW.to_json(), "lute_workflow_c": bad_id}
    assert list(run_time_dags()) == ["lute_run_time_b"]
    assert [message.split(":")[0] for message in caplog.messages] == [
        "The Variable lute_workflow_a makes no workflow",
        "The Variable lute_workflow_c makes no workflow",
    ]
    assert "a b" in caplog.messages[1]


def test_a_worker_reads_its_own_alone(variables: dict[str, str]) -> None:
    variables |= {"lute_workflow_a": "{", "lute_workflow_b": WORKFLOW.to_json()}
    with environ.changed({PARSED: "lute_run_time_b"}):
        assert list(run_time_dags()) == ["lute_run_time_b"]
    for other in ("lute_run_time", "lute_test", "lute_run_time_none"):
        with environ.changed({PARSED: other}):
            assert run_time_dags() == {}
    with environ.changed({PARSED: "lute_run_time_a"}), pytest.raises(ConfigError):
        run_time_dags()


def test_a_workflow_whose_run_ends_meanwhile_is_no_trouble(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run_time, "variable_keys", lambda prefix: [f"{prefix}gone"])
    assert run_time_dags() == {}
    assert caplog.messages == []


def test_the_dag_of_a_file_is_none_of_a_users_workflow_even_if_that_has_its_name(
    variables: dict[str, str],
) -> None:
    variables["lute_workflow_lute_test"] = WORKFLOW.to_json()
    with environ.changed({PARSED: "lute_test"}):
        assert run_time_dags() == {}


def test_the_dag_file_has_them_beside_one_that_is_always_there() -> None:
    state = AirflowState()
    for present in ({}, {"x"}, {"x", "y"}, {"y"}, {}):
        state.variables.clear()
        state.variables.update({f"lute_workflow_{name}": WORKFLOW.to_json() for name in present})
        loaded = Loaded()
        with connected(state):
            load_file(FILE, loaded)
        assert loaded.errors == {}
        assert set(loaded.dags) == {"lute_run_time"} | {f"lute_run_time_{name}" for name in present}
