"""What the strategies draw can be run, survives what production survives, and shrinks to something small."""

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from simulators.dagrunner.load import load_folder
from simulators.dagrunner.rules import RULES
from simulators.faults.kinds import parse_fault
from simulators.faults.swarm import MAKERS
from simulators.scenario.loader import dump_scenario, load_scenario
from simulators.scenario.result import ExitCode
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario
from simulators.testing.dag_shapes import DagShape, TaskShape
from simulators.testing.strategies import SURVIVABLE, TRIGGER_RULES, dags, fault_plans, scenarios, task_models

TASKS = ("Tester", "BinaryTester", "SocketTester", "WriteTester", "ReadTester")
RUNS = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
"""Each example is a run or two of a whole workflow; the same ones every time."""
EVERYTHING = DagShape(
    (
        TaskShape("Tester", group="first"),
        TaskShape("BinaryTester", (0,), max_cores=8, copies=3, group="first"),
        TaskShape("SocketTester", (0, 1), trigger_rule="all_done", retries=2, group="second"),
        TaskShape("WriteTester", (1,), trigger_rule="one_success", copies=1),
    )
)


@RUNS
@given(dags())
def test_every_workflow_loads_and_ends_in_time(shape: DagShape) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shape.write(Path(folder))
        loaded = load_folder(Path(folder))
        assert not loaded.errors
        assert {task.task_id for task in loaded.dags["lute_drawn"][0].tasks} == set(shape.task_ids)
        result = run_scenario(Scenario(workflow="drawn"), dags=Path(folder))
    assert (result.exit_code, result.broken) == (ExitCode.SUCCESS, [])
    # A mapped step that is skipped is never expanded, as in Airflow: it has no elements.
    labels = {label for task in shape.tasks for label in (*task.labels, task.task_id)}
    assert set(result.tasks) <= labels
    assert {label.partition("[")[0] for label in result.tasks} == set(shape.task_ids)


def test_a_workflow_with_everything_is_what_it_says(tmp_path: Path) -> None:
    assert EVERYTHING.write(tmp_path / "dags") == tmp_path / "dags" / "drawn.py"
    dag, _ = load_folder(tmp_path / "dags").dags["lute_drawn"]
    tasks = {task.task_id: task for task in dag.tasks}
    assert list(tasks) == ["first.Tester", "first.BinaryTester", "second.SocketTester", "WriteTester"]
    joined = tasks["second.SocketTester"]
    assert joined.upstream_task_ids == {"first.Tester", "first.BinaryTester"}
    assert (str(joined.trigger_rule.value), joined.retries) == ("all_done", 2)
    result = run_scenario(Scenario(workflow="drawn"), dags=tmp_path / "dags")
    assert set(result.tasks.values()) == {"success"}
    assert [label for label in result.tasks if "BinaryTester" in label] == [
        f"first.BinaryTester[{index}]" for index in range(3)
    ]


def test_groups_may_wait_for_each_other_and_tasks_may_not(tmp_path: Path) -> None:
    """As in Airflow: a way that leaves a group and comes back to it is no circle of tasks."""
    there_and_back = DagShape(
        (
            TaskShape("Tester", group="first"),
            TaskShape("BinaryTester", (0,)),
            TaskShape("SocketTester", (1,), group="first"),
        )
    )
    file = there_and_back.write(tmp_path / "dags")
    result = run_scenario(Scenario(workflow="drawn"), dags=file.parent)
    assert list(result.tasks.values()) == ["success"] * 3
    file.write_text(file.read_text() + "step_2 >> step_0\n")
    assert "AirflowDagCycleException" in load_folder(file.parent).errors[str(file)]


def test_every_trigger_rule_is_one_of_airflows() -> None:
    assert set(TRIGGER_RULES) <= set(RULES)


@settings(deadline=None)
@given(st.sampled_from(sorted(MAKERS)).flatmap(lambda kind: fault_plans(TASKS, [kind])))
def test_every_plan_of_every_kind_survives_its_file(plan: tuple[object, ...]) -> None:
    scenario = Scenario(faults=plan)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "drawn.yaml"
        file.write_text(dump_scenario(scenario))
        assert load_scenario(file) == scenario


@settings(RUNS, max_examples=25)
@given(scenarios("test", TASKS), st.integers(0, 3))
def test_a_scenario_of_what_production_survives_breaks_nothing(scenario: Scenario, seed: int) -> None:
    result = run_scenario(scenario, seed=seed)
    assert not result.broken


def test_only_what_production_survives_is_drawn_unless_asked_for() -> None:
    assert set(SURVIVABLE) == set(MAKERS), "production survives all of them"
    plan = find(fault_plans(TASKS, ["lost_submit"]), bool)
    assert plan[0].where == "jid.start_job"
    assert find(fault_plans(TASKS, []), lambda _: True) == ()


def test_scenarios_shrink_to_the_little_that_matters() -> None:
    drawn = scenarios("my_dag", TASKS, kinds=["jid_down", "mark_task"])
    plain = find(drawn, lambda scenario: True)
    assert (plain.tasks, plain.faults, plain.retries, plain.slurm_args[-1]) == ({}, (), 0, "--ntasks=1")
    (fault,) = find(drawn, lambda scenario: len(scenario.faults) == 1).faults
    assert fault == parse_fault({"what": "refused", "where": "jid.*", "for_s": 1.0, "calls": None})


def test_workflows_shrink_to_one_plain_task() -> None:
    assert find(dags(), lambda shape: True) == DagShape((TaskShape("Tester"),))
    joined = find(dags(), lambda shape: any(len(task.upstream) > 1 for task in shape.tasks))
    assert [task.upstream for task in joined.tasks] == [(), (), (0, 1)]
    assert all(task == TaskShape(task.name, task.upstream) for task in joined.tasks)


def test_the_simplest_job_succeeds_at_once() -> None:
    model = find(task_models(), lambda model: True)
    assert (model.duration_s, model.exit_code, model.fails_to_launch) == (1.0, 0, False)


def test_reports_show_scenarios_as_files_and_workflows_as_python() -> None:
    @settings(database=None, derandomize=True)
    @given(scenarios("my_dag", TASKS, kinds=["mark_task"]), dags())
    def falsified(scenario: Scenario, shape: DagShape) -> None:
        assert not scenario.faults

    with pytest.raises(AssertionError) as failure:
        falsified()
    text = "\n".join(line.removeprefix("    ") for line in "\n".join(failure.value.__notes__).splitlines())
    shown, _, file = text.partition("scenario=\n")[2].partition(",\nshape=\n")
    assert [fault["what"] for fault in yaml.safe_load(shown)["faults"]] == ["mark_task"]
    assert compile(file.rpartition(",\n)")[0], "drawn.py", "exec")
    assert 'JIDSlurmOperator(task_id="Tester", dag=dag)' in file
