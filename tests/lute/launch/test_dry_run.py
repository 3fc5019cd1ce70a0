"""A dry run finds what would go wrong, in the virtual world, and starts nothing."""

from collections.abc import Callable
from pathlib import Path

from lute.launch.caps import StepCaps, read_caps
from simulators.facility import Facility
from simulators.scenario.schema import Scenario
from simulators.virtual.launch import Launch

Change = Callable[[Facility], None]


def rehearsed(
    *more: str, workflow: str = "test", config: Path | None = None, change: Change = lambda _world: None
) -> Launch:
    given = {} if config is None else {"config": config}
    with Facility(Scenario(workflow=workflow), **given) as world:
        change(world)
        launch = world.launch("--dry-run", *more)
        world.finish()
        assert not world.airflow.state.runs
        assert not world.slurm.cluster.jobs
        assert not [
            entry
            for entry in world.trace.entries
            if entry["event"] == "http" and entry["endpoint"] in ("airflow.patch_dag", "airflow.trigger")
        ]
    return launch


def test_what_is_right_is_shown_and_may_go_ahead() -> None:
    launch = rehearsed()
    assert launch.exit_code == 0, launch.output
    assert "The token is good for 5:00:00" in launch.output
    assert "Tester: sbatch --partition=milano --account=lcls:virtual --ntasks=4\n" in launch.output
    assert launch.output.count("to start at") == 1, "Slurm is asked once for the same arguments"
    assert launch.output.splitlines()[-1] == "Dry run of test: a launch may go ahead; nothing was started"


def test_limits_of_the_dag_file_are_applied(tmp_path: Path) -> None:
    launch = rehearsed("--ntasks=200", workflow="pyalgos_sfx")
    assert launch.exit_code == 0, launch.output
    caps = read_caps(Path(__file__).parents[3] / "workflows" / "airflow" / "pyalgos_sfx.py")
    capped = {name for name, cap in caps.items() if cap.max_cores and cap.max_cores < 200}
    for name in caps:
        (line,) = [line for line in launch.output.splitlines() if line.startswith(f"{name}: ")]
        assert ("--ntasks=200" in line) is (name not in capped), line


def test_limits_of_a_users_own_workflow_are_applied(tmp_path: Path) -> None:
    own = """
task_name: Tester
max_cores: 3
next: [{task_name: BinaryTester, partition: roma}, {task_name: SocketTester, max_nodes: 2}]
"""
    with Facility(Scenario(workflow="run_time", user_workflow=own)) as world:
        launch = world.launch("--dry-run")
        world.finish()
    lines = [line for line in launch.output.splitlines() if ": sbatch" in line]
    common = "--account=lcls:virtual"
    assert lines == [
        f"Tester: sbatch --partition=milano {common} --ntasks=3",
        f"BinaryTester: sbatch --partition=roma {common} --ntasks=4",
        f"SocketTester: sbatch --partition=milano {common} --ntasks=4 --nodes=1-2",
    ]


def test_a_partition_that_slurm_does_not_know_is_a_problem() -> None:
    launch = rehearsed("--partition=nope")
    assert launch.exit_code == 2
    assert "PROBLEM: Slurm refuses" in launch.output
    assert "Invalid partition name" in launch.output


def test_a_slurm_that_does_not_answer_is_none() -> None:
    def down(world: Facility) -> None:
        world.slurm.is_down = True

    launch = rehearsed(change=down)
    assert launch.exit_code == 0, launch.output
    assert "Unable to contact slurm controller" in launch.output


def test_a_token_that_is_about_to_expire_is_a_problem() -> None:
    launch = rehearsed(change=lambda world: setattr(world, "token_lifetime_min", 5.0))
    assert launch.exit_code == 2
    assert "PROBLEM: the token expires in" in launch.output


def test_in_the_place_of_a_token_that_has_expired_comes_a_new_one_as_in_a_launch() -> None:
    launch = rehearsed(change=lambda world: setattr(world, "token_lifetime_min", -1.0))
    assert launch.exit_code == 0
    assert "Your Kerberos ticket gives a token, good for 5:00:00" in launch.output


def test_parameters_are_checked_for_each_task_of_the_workflow(tmp_path: Path) -> None:
    config = tmp_path / "a b.yaml"
    config.write_text("title: t\nexperiment: mfxl1000126\nrun: 12\n---\nTest: {no_such: 1}\nTestSocket: {}\n")
    launch = rehearsed(config=config)
    assert launch.exit_code == 2
    assert "unknown parameter 'Test.no_such'" in launch.output
    assert "nothing was started" in launch.output


def test_a_paused_workflow_stays_paused() -> None:
    def pause(world: Facility) -> None:
        world.airflow.state.dags[world.dag_id].is_paused = True

    launch = rehearsed(change=pause)
    assert launch.exit_code == 0
    assert "is paused in Airflow: a launch unpauses it" in launch.output


def test_a_workflow_that_is_not_there_is_named() -> None:
    launch = rehearsed("-w", "tset")
    assert launch.exit_code == 2
    assert "did you mean test?" in launch.errors


def test_caps_are_read_where_they_are_plainly_written(tmp_path: Path) -> None:
    file = tmp_path / "dag.py"
    file.write_text(
        "n = 4\n"
        "A(task_id='a', max_cores=2, max_nodes=1, require_partition='p', other=n)\n"
        "A(task_id='b', max_cores=n)\n"
        "A(task_id=f'{n}')\n"
        "A(task_id='d')\n"
        "f(*x, **y)\n"
    )
    assert read_caps(file) == {"a": StepCaps(2, 1, "p"), "d": StepCaps()}
    file.write_text("this is (no Python")
    assert read_caps(file) == {}
    assert read_caps(tmp_path / "none.py") == {}


def test_arguments_of_its_own_replace_the_launchers() -> None:
    caps = StepCaps(max_cores=1, custom_slurm_params="--ntasks 9 --partition=x")
    assert caps.arguments(["--ntasks=2"]) == ["--ntasks=9", "--partition=x"]
    assert StepCaps(max_cores=1).arguments(["--ntasks=2"]) == ["--ntasks=1"]
