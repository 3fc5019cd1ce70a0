"""Every scenario of the library ends as it says, or is known not to."""

import re
from functools import cache

import pytest

from simulators.dagrunner.installed import MAJOR
from simulators.facility import WORKFLOWS, Facility
from simulators.faults.kinds import KINDS
from simulators.faults.model import Moment, WorldFault
from simulators.scenario.catalogue import catalogue_lines, library
from simulators.scenario.loader import check_tasks, dump_scenario, load_scenario, scenario_file
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario

SEED = 1
SCENARIOS = library()
HERE = [name for name, scenario in SCENARIOS.items() if scenario.airflow in (None, MAJOR)]


@cache
def first_run(name: str) -> Result:
    return run_scenario(SCENARIOS[name], seed=SEED)


def expected(name: str) -> object:
    reason = SCENARIOS[name].xfail
    mark = pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)
    return pytest.param(name, marks=[mark] if reason else [])


@pytest.mark.parametrize("name", [expected(name) for name in HERE])
def test_it_ends_as_it_says(name: str) -> None:
    result = first_run(name)
    assert not result.broken
    assert not result.unexpected, result.output


@pytest.mark.parametrize("name", HERE)
def test_its_faults_act(name: str) -> None:
    awaited = {fault.after for fault in SCENARIOS[name].faults if isinstance(fault, WorldFault)}
    if Moment.DEFERRED in awaited and "no deferrable form" in SCENARIOS[name].xfail:
        assert first_run(name).idle_faults
    else:
        assert first_run(name).idle_faults == []


@pytest.mark.parametrize("name", HERE)
def test_it_goes_the_same_way_twice(name: str) -> None:
    assert run_scenario(SCENARIOS[name], seed=SEED).digest == first_run(name).digest


@pytest.mark.parametrize("name", HERE)
def test_the_launcher_says_how_the_run_ended(name: str) -> None:
    """Whatever goes wrong, a user sees the end of the run, or an error with what to do, in the output."""
    result = first_run(name)
    if None in result.exit_codes:
        return  # killed
    last = result.output.rstrip().splitlines()[-1]
    assert re.search(
        r"Workflow \w+: (success|success, although .+ failed|failed)$|interrupted by|error:|next:", last
    ), result.output


def test_another_seed_goes_another_way() -> None:
    assert run_scenario(SCENARIOS["dag_paused"], seed=SEED + 1).digest != first_run("dag_paused").digest


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_says_what_happens_and_where_it_was_seen(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.about.endswith(".")
    assert len(scenario.about) <= 110
    assert re.search(r"Seen|Known|Measured|Read in|Usual|The same outage as seen", scenario.seen)
    assert {"run", "exit_code"} <= scenario.expect.model_fields_set
    assert scenario.faults or scenario.tasks or scenario.launches > 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_names_tasks_of_its_workflow(name: str) -> None:
    with Facility(Scenario(workflow=SCENARIOS[name].workflow), dags=WORKFLOWS) as world:
        check_tasks(SCENARIOS[name], world.airflow.state.dags[world.dag_id].dag.task_ids, scenario_file(name))


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_can_be_written_and_read_again(name: str, tmp_path: object) -> None:
    path = tmp_path / "again.yaml"  # type: ignore[operator]
    path.write_text(dump_scenario(SCENARIOS[name]), encoding="utf-8")
    assert load_scenario(path) == SCENARIOS[name]


def test_every_kind_of_fault_happens_in_some_scenario() -> None:
    assert {fault.what for scenario in SCENARIOS.values() for fault in scenario.faults} == set(KINDS)


def test_both_airflow_versions_have_scenarios_of_their_own() -> None:
    assert {scenario.airflow for scenario in SCENARIOS.values()} == {None, 2, 3}


def test_the_catalogue_has_a_line_for_each() -> None:
    lines = catalogue_lines()
    assert [line.split()[0] for line in lines] == list(SCENARIOS)
    (cleared,) = [line for line in lines if line.startswith("task_cleared_while_running_airflow_2 ")]
    assert cleared.endswith("which Airflow 2 does not do. [Airflow 2 only]")
    (lost,) = [line for line in lines if line.startswith("lost_start_job_reply ")]
    assert lost.endswith("[xfail]") is bool(SCENARIOS["lost_start_job_reply"].xfail)


def test_faults_that_meet_on_one_reply_do_not_crash_the_world() -> None:
    malformed = {"what": "malformed", "where": "jid.job_statuses", "calls": None}
    for body in ("html", "null", "list", "not_utf8", "truncated"):
        for other in ("status_word", "stale_status", "empty_list"):
            scenario = Scenario(
                workflow="test",
                faults=(malformed | {"body": body, "calls": 3}, {"what": other, "calls": 3}),  # type: ignore[arg-type]
            )
            assert run_scenario(scenario).exit_code == 0
