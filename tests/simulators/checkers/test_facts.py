"""What the checkers are told of a real world."""

from typing import Any

import pytest

from lute.operators.jidoperators import JIDSlurmOperator
from simulators.facility import Facility
from simulators.scenario.result import Result
from simulators.scenario.runner import begin, broken_so_far, conclude, run_scenario
from simulators.scenario.schema import ClusterModel, Scenario


def leak(monkeypatch: pytest.MonkeyPatch, how: Any) -> Result:
    """Run with an operator that does `how(operator, context, token)` first."""
    execute = JIDSlurmOperator.execute

    def talkative(self: JIDSlurmOperator, context: Any) -> None:
        how(self, context, context["dag_run"].conf["Authorization"].removeprefix("Bearer "))
        execute(self, context)

    monkeypatch.setattr(JIDSlurmOperator, "execute", talkative)
    return run_scenario(Scenario())


def into_xcom(_operator: Any, context: Any, token: str) -> None:
    context["ti"].xcom_push(key="conf", value={"deep": [{"token": token}]})


def into_arguments(operator: Any, _context: Any, token: str) -> None:
    operator.custom_slurm_params = f"--partition=milano --job-name={token}"


def into_log(operator: Any, _context: Any, token: str) -> None:
    operator.log.info("the signature is %s", token.rpartition(".")[2])


@pytest.mark.parametrize(
    ("how", "where"),
    [(into_xcom, "XCom conf of Tester"), (into_arguments, "the request of job 1"), (into_log, "the log of")],
)
def test_a_leak_is_found_wherever_it_goes(how: Any, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = leak(monkeypatch, how)
    assert any(found.text.startswith(f"a token stands in {where}") for found in result.broken)


def test_the_conf_of_a_run_may_hold_the_token() -> None:
    with Facility(Scenario()) as world:
        begin(world)
        result = conclude(world, ended=world.finish())
        (run,) = world.airflow.state.runs.values()
        assert world.secrets[0] in str(run.conf)
    assert result.broken == []


def test_a_token_in_a_log_file_of_a_job_is_found() -> None:
    with Facility(Scenario()) as world:
        begin(world)
        ended = world.finish()
        world.slurm.files["/home/scientist/a.out"] = f"env: {world.secrets[0]}"
        (found,) = conclude(world, ended=ended).broken
    assert found.text == "a token stands in /home/scientist/a.out"


def test_arguments_of_a_steps_own_are_not_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    with Facility(Scenario()) as world:
        tasks = world.airflow.state.dags[world.dag_id].dag.tasks
        for task in tasks:
            monkeypatch.setattr(task, "custom_slurm_params", "--partition=milano --ntasks=100")
        begin(world)
        result = conclude(world, ended=world.finish())
    assert {entry["cpus"] for entry in result.entries if entry["event"] == "job" and "cpus" in entry} == {100}
    assert result.broken == []


def test_a_small_cluster_of_its_own_is_known_to_the_checkers() -> None:
    cluster = ClusterModel(partitions={"milano": {"tiny": 4}})
    result = run_scenario(Scenario(cluster=cluster))
    assert (result.run_state, result.broken) == ("success", [])


def test_a_world_in_the_middle_of_its_run_has_broken_nothing() -> None:
    with Facility(Scenario(launches=2)) as world:
        begin(world)
        for until_s in (0.01, 1, 5, 30, 60, 120):
            world.agenda.advance(world.start_s + until_s)
            assert broken_so_far(world) == []
