"""Workflows that users write at run time, in the virtual world."""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from lute.workflows.model import DAG_PREFIX, VARIABLE_PREFIX, Step, Workflow
from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.state import DagRun
from simulators.facility import Facility
from simulators.faults.kinds import parse_fault
from simulators.net.messages import HttpReply, HttpRequest
from simulators.scenario.runner import begin, conclude, run_scenario
from simulators.scenario.schema import Scenario, TaskModel
from simulators.virtual.launch import Launch

ONE = """
task_name: Tester
next:
  - task_name: BinaryTester
    max_cores: 2
    next: [{task_name: WriteTester}]
  - task_name: SocketTester
    next:
      - task_name: WriteTester
        trigger_rule: all_done
        next: [{task_name: Tester, id: again}]
"""
OTHER = "[{task_name: BinaryTester}, {task_name: SocketTester, next: [{task_name: Tester, id: x}]}]"
QUICK = {"*": (TaskModel(duration_s=10.0),)}


def scenario(*faults: dict[str, object], text: str = ONE, **more: object) -> Scenario:
    found = tuple(parse_fault(fault) for fault in faults)
    return Scenario(user_workflow=text, faults=found, **({"tasks": QUICK} | more))  # type: ignore[arg-type]


def left(world: Facility) -> list[str]:
    """Return the Variables of run-time workflows, and their DAGs that are to be run."""
    state = world.airflow.state
    dags = [entry.dag_id for entry in state.dags.values() if not entry.is_gone]
    return [key for key in state.variables if key.startswith(VARIABLE_PREFIX)] + [
        name for name in dags if name.startswith(DAG_PREFIX)
    ]


def runs(world: Facility) -> list[DagRun]:
    return sorted(world.airflow.state.runs.values(), key=lambda run: -len(run.tasks))


def reread(world: Facility) -> None:
    """Let Airflow read its DAG files once more, as it does all the time."""
    world.airflow.reparse_all()


def test_a_workflow_of_ones_own() -> None:
    with Facility(scenario()) as world:
        begin(world)
        result = conclude(world, ended=world.finish())
        assert not result.broken
        assert (result.run_state, result.exit_codes) == ("success", [0]), result.output
        assert result.tasks == dict.fromkeys(
            ["Tester", "BinaryTester", "WriteTester", "SocketTester", "again.Tester"], "success"
        )
        (run,) = world.airflow.state.runs.values()
        assert run.dag_id == DAG_PREFIX + run.run_id
        assert [step["task_id"] for step in run.conf["workflow"]["steps"]] == list(result.tasks)
        cores = {job.request.name: job.request.geometry.ntasks for job in world.slurm.cluster.jobs.values()}
        assert (cores["BinaryTester"], cores["SocketTester"]) == (2, 4)
        reread(world)
        assert left(world) == []


def test_trigger_rules_decide() -> None:
    text = """
- task_name: BinaryErrTester
  next:
  - task_name: SocketTester
  - {task_name: WriteTester, trigger_rule: all_done}
  - {task_name: Tester, trigger_rule: one_failed}
"""
    fails = {"BinaryErrTester": (TaskModel(duration_s=5.0, exit_code=1),)}
    result = run_scenario(scenario(text=text, tasks=fails))
    assert result.tasks == {
        "BinaryErrTester": "failed",
        "SocketTester": "upstream_failed",
        "WriteTester": "success",
        "Tester": "success",
    }
    assert result.exit_codes == [1]


def test_retries_of_a_step() -> None:
    fails_once = {"Tester": (TaskModel(duration_s=5.0, exit_code=1), TaskModel(duration_s=5.0))}
    result = run_scenario(scenario(text="{task_name: Tester, retries: 1}", tasks=fails_once))
    assert (result.tasks, result.tries) == ({"Tester": "success"}, {"Tester": 2})


def test_two_users_at_once_do_not_see_each_others() -> None:
    with Facility(scenario()) as world:
        first, second = world.launch(), world.launch(user_workflow=OTHER)
        assert world.finish()
        assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
        steps = [sorted(record.task_id for record in run.tasks.values()) for run in runs(world)]
        assert steps == [
            ["BinaryTester", "SocketTester", "Tester", "WriteTester", "again.Tester"],
            ["BinaryTester", "SocketTester", "x.Tester"],
        ]
        reread(world)
        assert left(world) == []


def test_twenty_users_at_once() -> None:
    with Facility(scenario()) as world:
        texts = [f"{{task_name: Tester, id: user{number}}}" for number in range(20)]
        launches = [world.launch(user_workflow=text) for text in texts]
        assert world.finish()
        assert [launch.exit_code for launch in launches] == [0] * 20
        assert sorted(label for run in runs(world) for label, _ in run.tasks) == sorted(
            f"user{number}.Tester" for number in range(20)
        )
        reread(world)
        assert left(world) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("task_name: Testre", "workflow-1.yaml:1: there is no managed Task 'Testre': did you mean Tester"),
        ("task_name: Tester\nnext: [{task_name: Tester}]", "workflow-1.yaml:2: steps wait for each other"),
        ("task_name: ReadTester", "the parameter 'TestReadOutput.in_file' is missing"),
    ],
)
def test_a_wrong_one_starts_nothing(text: str, says: str) -> None:
    with Facility(scenario(text=text)) as world:
        launch = world.launch()
        assert world.finish()
        assert launch.exit_code == 2
        assert says in launch.errors
        assert (world.network.exchanges, world.airflow.state.runs, left(world)) == (0, {}, [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after_s", [0.3, 1.5, 30.0], ids=["at once", "while Airflow reads it", "running"])
def test_an_interrupted_launcher_leaves_nothing(number: int, after_s: float) -> None:
    with Facility(scenario()) as world:
        launch = world.launch()
        world.agenda.after(after_s, lambda: launch.signals.send(number))
        assert world.finish()
        assert launch.exit_code == 128 + number
        reread(world)
        assert left(world) == []
        assert all(str(run.state) == "failed" for run in world.airflow.state.runs.values())


def test_what_a_killed_launcher_leaves_goes_on_and_can_be_attached() -> None:
    with Facility(scenario()) as world:
        launch = world.launch()
        world.agenda.after(20.0, lambda: launch.signals.send(signal.SIGKILL))
        world.agenda.advance(world.agenda.now_s + 25.0)
        (run,) = world.airflow.state.runs.values()
        assert left(world) == [VARIABLE_PREFIX + run.run_id, DAG_PREFIX + run.run_id]
        again = attached(world, run.run_id)
        assert world.finish()
        assert (again.exit_code, str(run.state)) == (0, "success"), again.output + again.errors
        reread(world)
        assert left(world) == []


def attached(world: Facility, run_id: str) -> Launch:
    """Start a launcher that follows a run."""
    return Launch(
        "attached",
        world.actors,
        ["--attach", run_id, "-w", "run_time"],
        world.launches[0].env,
        world.runtime(),
        on_line=lambda _line: None,
        on_end=lambda _launch: None,
        files=world.slurm.files,
    )


def test_a_later_launch_removes_what_is_older_than_any_run() -> None:
    with Facility(scenario()) as world:
        held, now = world.airflow.state.variables, world.clock.now()
        for name, days in (("old", 15), ("young", 13)):
            kept = Workflow(created=now - timedelta(days=days), steps=(Step(task_id="Tester"),))
            held[VARIABLE_PREFIX + name] = kept.to_json()
        held |= {VARIABLE_PREFIX + "odd": "{", VARIABLE_PREFIX + "undated": '{"steps":[{"task_id":"a"}]}'}
        launch = world.launch()
        assert world.finish()
        assert launch.exit_code == 0
        assert set(held) == {VARIABLE_PREFIX + name for name in ("young", "odd", "undated")}
        told = "Removed what a launcher that was killed has left in Airflow"
        assert f"{told}: {VARIABLE_PREFIX}old" in launch.output


def meddled(world: Facility, answer: Callable[[HttpRequest], HttpReply | None]) -> None:
    """Let Airflow's server answer some requests otherwise."""
    server = world.network._servers["airflow.virtual:8080"]
    before = server.handle
    server.handle = lambda request: answer(request) or before(request)  # type: ignore[method-assign]


def test_without_the_right_to_variables_the_message_says_what_to_ask_for() -> None:
    with Facility(scenario()) as world:
        refusal = HttpReply(403, b'{"detail": "Forbidden"}')
        meddled(world, lambda request: refusal if "/variables" in request.url else None)
        launch = world.launch()
        assert world.finish()
        assert launch.exit_code == 1
        assert "let the user lute read, create, edit and delete Variables" in launch.errors
        assert "WARNING" not in launch.output


def test_without_the_dag_file_the_message_says_so() -> None:
    with Facility(scenario()) as world:
        world.airflow.state.dags["lute_run_time"].is_gone = True
        launch = world.launch()
        assert world.finish()
        assert launch.exit_code == 2
        assert "this Airflow takes no workflow files: it has no DAG lute_run_time" in launch.errors
        assert left(world) == []


def test_an_airflow_that_reads_no_files_is_given_up() -> None:
    with Facility(scenario()) as world:
        ok = HttpReply(201)
        meddled(world, lambda request: ok if "/parseDagFile/" in request.url else None)
        launch = world.launch()
        assert world.finish()
        assert launch.exit_code == 1
        assert "has not made a DAG of the workflow within 300 s" in launch.errors
        assert left(world) == []


@pytest.mark.parametrize(
    "where", ["airflow.variables", "airflow.parse", "airflow.list_tasks", "airflow.get_dag"]
)
@pytest.mark.parametrize("what", ["reset", "refused"])
def test_lost_requests_and_replies_are_asked_again(where: str, what: str) -> None:
    fault = {"what": what, "where": where, "calls": 2}
    result = run_scenario(scenario(fault))
    assert not result.broken
    assert result.exit_codes == [0], result.output
    assert result.idle_faults == []


@pytest.mark.skipif(MAJOR < 3, reason="2.11 writes over what is there")
def test_a_reply_lost_at_the_making_of_the_variable_is_no_conflict() -> None:
    result = run_scenario(scenario({"what": "reset", "where": "airflow.variables", "call": 2}))
    assert result.exit_codes == [0], result.output


def test_a_world_with_one_is_the_same_again() -> None:
    assert run_scenario(scenario(), seed=3).trace.digest == run_scenario(scenario(), seed=3).trace.digest


def test_a_dry_run_gives_airflow_nothing() -> None:
    with Facility(scenario()) as world:
        launch = world.launch("--dry-run")
        assert world.finish()
        assert launch.exit_code == 0, launch.output + launch.errors
        assert "BinaryTester: sbatch --partition=milano --account=lcls:virtual --ntasks=2" in launch.output
        assert (world.airflow.state.runs, left(world)) == ({}, [])
