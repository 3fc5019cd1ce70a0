"""The token of a run, where it travels in an Airflow Variable."""

import pytest

from simulators.facility import Facility
from simulators.scenario.catalogue import library
from simulators.scenario.runner import begin
from simulators.scenario.schema import Scenario

INTERRUPTED = Scenario.model_validate(
    {"token_channel": "variable", "faults": [{"what": "launcher_signal", "at_s": 30, "signal": "SIGTERM"}]}
)


def test_the_conf_of_a_run_names_a_variable_and_holds_no_token() -> None:
    with Facility(library()["token_expires_midway"], seed=1) as world:
        begin(world)
        world.agenda.advance(world.start_s + 100)
        (run,) = world.airflow.state.runs.values()
        name = f"lute_token_{run.run_id}"
        assert run.conf["Authorization"] == f"variable:{name}"
        seen = world.airflow.state.variables[name]
        assert seen.removeprefix("Bearer ") in world.secrets
        assert len(world.secrets) >= 4  # one given, one at the start, one each 30 s
        assert not any(secret in str(run.conf) for secret in world.secrets)
        assert world.finish()
        assert world.airflow.state.variables == {}


@pytest.mark.parametrize("scenario", [INTERRUPTED, library()["token_cannot_be_renewed"]])
def test_nothing_is_left_in_airflow_however_the_launcher_ends(scenario: Scenario) -> None:
    with Facility(scenario, seed=1) as world:
        begin(world)
        assert world.finish()
        assert world.airflow.state.variables == {}
        assert world.launches[0].exit_code in (0, 143)


def test_by_default_airflow_holds_no_variable() -> None:
    with Facility(Scenario(), seed=1) as world:
        begin(world)
        world.agenda.advance(world.start_s + 20)
        (run,) = world.airflow.state.runs.values()
        assert run.conf["Authorization"] == f"Bearer {world.secrets[0]}"
        assert world.airflow.state.variables == {}
        assert "The token lasts 4 h 59 min; steps" in world.launches[0].output
        assert world.finish()
