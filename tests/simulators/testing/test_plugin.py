"""The plugin in a user's project: a folder with a DAG file, some tests, and nothing of this repository."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.dagrunner.installed import VERSION
from simulators.scenario.loader import load_scenario
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario

pytest_plugins = ["pytester"]

DAG = """
from datetime import datetime
from pathlib import Path
from airflow import DAG
from lute.operators.jidoperators import JIDSlurmOperator

class Careless(JIDSlurmOperator):
    def execute(self, context):
        try:
            super().execute(context)
        except Exception:
            self.log.warning("never mind")

dag = DAG(dag_id=f"lute_{Path(__file__).stem}", start_date=datetime(2024, 3, 18), schedule=None)
Careless(task_id="Tester", dag=dag) >> JIDSlurmOperator(task_id="ReadTester", dag=dag)
"""
STOPPED = """
import pytest
from simulators.testing import TaskModel

pytestmark = pytest.mark.scenario(workflow="mine", tasks={"Tester": TaskModel(duration_s=200)})
FAULT = dict(what="cancel", task="Tester", after="job_running")
"""
ALONE = "-p no:hypothesispytest"
"""Hypothesis's own plugin, which a session inside of a session would import anew each time, is not needed."""
BROKEN = "broken invariant: success_only_when_done: Tester is a success, its job 1 ended as CANCELLED"


@pytest.fixture(scope="module", autouse=True)
def _everything_imported() -> None:
    """Pytester takes back what a session imports; Airflow can be imported only once in a process."""
    run_scenario(Scenario(workflow="test", faults=({"what": "mark_task", "task": "Tester", "at_s": 5},)))


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    dags = pytester.mkdir("dags")
    (dags / "mine.py").write_text(DAG)
    pytester.makeini(f"[pytest]\nlute_dags = dags\naddopts = --strict-markers {ALONE}\n")
    return pytester


def words_of(result: pytest.RunResult, command: str) -> list[str]:
    """Return the words of a command that the report gives."""
    (line,) = [line for line in result.outlines if line.startswith(f"  lute-sim {command} ")]
    return [sys.executable, "-m", "simulators.cli", *shlex.split(line)[1:]]


def test_a_run_that_breaks_an_invariant_fails_and_can_be_run_again(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
@pytest.mark.scenario(faults=[FAULT], expect={{"run": "failed"}})
def test_it(facility):
    facility.run()
"""
    )
    result = project.runpytest("-rf")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            BROKEN,
            "not as expected: the run is success, expected failed",
            "*- lute -*",
            f"workflow mine, seed 0, Airflow {VERSION}",
            "scenario:",
            "  *what: cancel",
            "how it went:",
            "  Tester * success *",
            "  broken: success_only_when_done: *",
            "last lines of the launcher:",
            "  * Workflow mine: success",
            "again:",
            "FAILED *::test_it*",
        ]
    )
    again = words_of(result, "run")
    scenario = load_scenario(Path(again[again.index("--scenario") + 1]))
    assert (scenario.workflow, [fault.what for fault in scenario.faults]) == ("mine", ["cancel"])
    for words, said in (
        (again, "broken: success_only_when_done"),
        (words_of(result, "replay"), "the same as recorded"),
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=project.path)
        assert done.returncode == 3, done.stderr
        assert said in done.stdout


def test_a_test_may_look_at_a_broken_invariant_itself(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
@pytest.mark.scenario(faults=[FAULT], check=False)
def test_it(facility):
    assert [found.checker for found in facility.run().broken] == ["success_only_when_done"]
"""
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_world_that_was_only_launched_is_finished_and_checked(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
def test_it(facility, clock):
    facility.launch()
    clock.sleep(5)
    facility.inject("cancel", task="Tester")
"""
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([BROKEN, "  * at_s: 5.0", "  broken: *"])
    assert "how it went:" in result.outlines


def test_what_a_scenario_expects_is_checked(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
@pytest.mark.scenario(expect={{"run": "failed", "jobs": {{"Tester": 2}}}})
def test_it(facility):
    facility.run()
"""
    )
    result = project.runpytest()
    result.stdout.fnmatch_lines(
        [
            "not as expected: the run is success, expected failed",
            "not as expected: Tester had 1 Slurm jobs, expected 2",
        ]
    )


def test_marks_of_module_and_function_come_together(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
@pytest.mark.scenario("jid_down_5_min", "cases/own.yaml", seed=7, retries=2)
class TestAll:
    @pytest.mark.scenario(retries=1)
    def test_it(self, facility):
        result = facility.run()
        assert (result.workflow, result.seed, result.tasks["Tester"]) == ("mine", 7, "success")
        assert facility.runs[0].scenario.retries == 1
"""
    )
    case = project.mkdir("cases") / "own.yaml"
    case.write_text("workflow: mine\ntasks: {ReadTester: {duration_s: 3}}\n")
    result = project.runpytest("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_it?jid_down_5_min? PASSED*", "*::test_it?own? PASSED*"])


def test_the_report_names_what_the_library_knows(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import pytest

@pytest.mark.scenario("job_cancelled_by_admin", workflow="mine")
def test_it(facility):
    facility.run()
"""
    )
    project.runpytest().stdout.fnmatch_lines(
        [
            "broken invariant: success_only_when_done: *",
            "scenario job_cancelled_by_admin of the library: *",
        ]
    )


def test_the_report_says_when_no_scenario_says_what_the_test_did(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
def test_by_command(facility, slurm, clock):
    facility.launch()
    clock.sleep(20)
    slurm.run("scancel", "1")
    assert facility.finish().run_state == "success"

def test_by_fault(facility, slurm, clock):
    facility.launch()
    clock.sleep(20)
    slurm.cancel("Tester")
    assert facility.finish().run_state == "success"
"""
    )
    result = project.runpytest()
    result.assert_outcomes(failed=2)
    told = [line for line in result.outlines if "no scenario can say" in line]
    by_command, by_fault = re.split("_ test_by_fault _", result.stdout.str())
    assert len(told) == 1
    assert told[0] in by_command
    assert "what: cancel" in by_fault


def test_a_test_that_fails_in_the_middle_leaves_nothing_behind(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
import os
import simulators.facility  # what Airflow needs in the environment comes with its import, and stays
from lute.seams import SystemClock, current_runtime

BEFORE, WORLDS = dict(os.environ), []

def same():
    now = {{name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}}
    then = {{name: value for name, value in BEFORE.items() if name != "PYTEST_CURRENT_TEST"}}
    return now == then and isinstance(current_runtime().clock, SystemClock)

@pytest.mark.parametrize("end", ["assert", "fail", "error"])
def test_it(facility, clock, end):
    facility.launch()
    clock.sleep(20)
    WORLDS.append(facility.world)
    assert not same()
    if end == "error":
        raise ZeroDivisionError
    assert end != "assert"
    pytest.fail("so")

def test_after():
    assert same()
    assert len(WORLDS) == 3
    assert not any(world.actors.running for world in WORLDS)
"""
    )
    result = project.runpytest()
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(["the run had not ended when the test failed; by its end:"])


def test_one_seed_for_all_and_traces_of_all(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
@pytest.mark.scenario(seed=3)
def test_it(facility):
    assert (facility.run().seed, facility.run(seed=4).seed) == (9, 9)
"""
    )
    project.runpytest("--lute-seed=9", "--lute-trace=kept").assert_outcomes(passed=1)
    name = "test_one_seed_for_all_and_traces_of_all.py-test_it"
    assert sorted(file.name for file in (project.path / "kept").iterdir()) == sorted(
        f"{name}{number}.{suffix}" for number in ("", "-2") for suffix in ("jsonl", "yaml")
    )
    assert '"seed":9' in (project.path / "kept" / f"{name}.jsonl").read_text()
    project.runpytest().assert_outcomes(failed=1)


def test_a_fault_that_never_acted_is_a_warning(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""{STOPPED}
def test_it(facility):
    facility.inject("preempt", task="ReadTester", after="job_running", nth=9)
    facility.run()
"""
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*FaultNeverActed: this fault never acted: preempt at slurm.job"])


def test_a_mark_that_is_wrong_is_told_in_a_sentence(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import pytest

@pytest.mark.scenario("jid_dwon_5_min")
def test_name(facility): ...

@pytest.mark.scenario(retires=2)
def test_field(facility): ...
"""
    )
    result = project.runpytest("-q")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "there is no scenario 'jid_dwon_5_min': did you mean jid_down_5_min*",
            "the scenario: retires: Extra inputs are not permitted*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_without_any_folder_of_dag_files(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(facility): facility.run()")
    result = pytester.runpytest(*ALONE.split())
    result.stdout.fnmatch_lines(
        ["E *ConfigError: there is no folder of DAG files", "E * next: give dags=*lute_dags = FOLDER*"]
    )
    result.stdout.no_fnmatch_line("*- lute -*")


def test_the_usual_folder_needs_no_setting(pytester: pytest.Pytester) -> None:
    folder = pytester.path / "workflows" / "airflow"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(DAG)
    pytester.makepyfile('def test_it(facility): assert facility.run(workflow="mine").run_state == "success"')
    pytester.runpytest(*ALONE.split()).assert_outcomes(passed=1)


def test_the_tasks_configuration_is_the_projects(project: pytest.Pytester) -> None:
    project.makeini(f"[pytest]\nlute_dags = dags\nlute_config = tasks.yaml\naddopts = {ALONE}\n")
    (project.path / "tasks.yaml").write_text("work_dir: [")
    project.makepyfile('def test_it(facility): assert facility.run(workflow="mine").exit_codes == [0]')
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*tasks.yaml*", "  lute-sim run mine --dags dags --config tasks.yaml *"])


def test_without_pytests_cache_the_files_are_in_its_temporary_folder(project: pytest.Pytester) -> None:
    project.makepyfile(f"{STOPPED}\ndef test_it(facility):\n    facility.run()\n    assert 0")
    result = project.runpytest("-p", "no:cacheprovider")
    assert Path(words_of(result, "replay")[4]).is_relative_to(project.path.parent.parent)
    assert not (project.path / ".pytest_cache").exists()


def test_without_the_plugin_nothing_of_it_is_there(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\n")
    project.makepyfile("def test_other(): pass\ndef test_it(facility): pass")
    result = project.runpytest_subprocess("-p", "no:lute")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'facility' not found"])
    project.runpytest_subprocess("-p", "no:lute", "--lute-seed=1").stderr.fnmatch_lines(
        ["*unrecognized arguments*"]
    )


def test_who_does_not_use_it_pays_nothing(project: pytest.Pytester) -> None:
    """The plugin imports pytest and itself; a session without its fixtures imports no more of the product."""
    project.makepyfile(
        """
import sys

def test_it():
    ours = {name for name in sys.modules if name.partition(".")[0] in ("lute", "simulators")}
    assert ours == {"simulators", "simulators.testing", "simulators.testing.plugin"}
    assert not {"airflow", "numpy", "pydantic", "requests", "greenlet", "hypothesis"} & set(sys.modules)
"""
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_every_name_for_tests_is_there() -> None:
    import simulators.testing

    for name in simulators.testing.__all__:
        assert getattr(simulators.testing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Scenarios'"):
        _ = simulators.testing.Scenarios
