"""What a seed draws is valid, the same each time, and gets to act."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from lute.slurm.arguments import parse_step_arguments
from simulators.explore.explorer import Search, survivable
from simulators.faults.kinds import KINDS, parse_fault
from simulators.faults.swarm import EARLY_PURGE, MAKERS, NOT_YET, draw_scenario
from simulators.scenario.loader import dump_scenario, load_scenario
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario

TASKS = ["Tester", "BinaryTester", "SocketTester", "WriteTester", "ReadTester"]
ALL = (*MAKERS, EARLY_PURGE)


def draw(seed: int, kinds: tuple[str, ...] = ALL) -> Scenario:
    return draw_scenario(seed, "test", TASKS, kinds, {"Tester": 8})


def test_a_seed_draws_the_same_each_time_and_seeds_differ() -> None:
    assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]
    plain = [draw(seed).model_copy(update={"name": ""}) for seed in range(50)]
    assert all(plain.count(one) == 1 for one in plain)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_maker_yields_valid_faults_and_varies(kind: str) -> None:
    made = [parse_fault(MAKERS[kind](Random(seed), TASKS)) for seed in range(200)]
    assert {fault.what for fault in made} <= set(KINDS)
    assert {fault.task for fault in made} <= {None, *TASKS}
    # Some leave nothing to chance but the task.
    least = {"dag_paused": 1, "wrong_user": 1, "dag_import_error": 1, "duplicate_submit": 5}.get(kind, 10)
    assert len({fault.model_dump_json() for fault in made}) >= least


def test_only_kinds_that_are_asked_for_are_drawn() -> None:
    whats = {fault.what for seed in range(200) for fault in draw(seed, ("jid_down", "node_down")).faults}
    assert whats == {"refused", "node_down"}
    assert not [fault for seed in range(50) for fault in draw(seed, ()).faults]


def test_what_is_not_survived_yet_is_known_by_name() -> None:
    assert set(MAKERS) >= NOT_YET
    assert set(survivable()) == set(MAKERS) - NOT_YET


def test_every_kind_is_drawn_by_some_seed_and_many_seeds_draw_few() -> None:
    counts = Counter(len(draw(seed).faults) for seed in range(300))
    assert counts[0] > 30
    assert max(counts) >= 8
    # The makers' own streams tell them apart where the kinds of fault do not.
    for kind in survivable():
        alone = [seed for seed in range(300) if draw(seed, (kind,)).faults]
        assert len(alone) > 15, kind


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_gets_to_act(kind: str) -> None:
    """One that never acts proves nothing, however often it is drawn."""
    for seed in range(40):
        fault = parse_fault(MAKERS[kind](Random(f"{kind}{seed}"), TASKS))
        result = run_scenario(draw(seed, ()).with_faults((fault,)), seed=seed)
        if not result.idle_faults:
            assert result.faults
            return
    pytest.fail(f"{kind} never acted")


def test_a_cluster_that_forgets_early_is_no_fault() -> None:
    ages = {draw(seed, (EARLY_PURGE,)).cluster.min_job_age_s for seed in range(100)}
    assert len([age for age in ages if age < 301]) > 10
    assert not [fault for seed in range(100) for fault in draw(seed, (EARLY_PURGE,)).faults]


@pytest.mark.parametrize("seed", range(60))
def test_what_a_seed_draws_survives_being_written_and_read(seed: int, tmp_path: Path) -> None:
    scenario = draw(seed)
    file = tmp_path / "drawn.yaml"
    file.write_text(dump_scenario(scenario), encoding="utf-8")
    assert load_scenario(file) == scenario


def test_a_written_scenario_runs_as_the_drawn_one(tmp_path: Path) -> None:
    search = Search("test", survivable())
    scenario = next(found for seed in range(50) if len((found := search.scenario(seed)).faults) > 2)
    file = tmp_path / "drawn.yaml"
    file.write_text(dump_scenario(scenario), encoding="utf-8")
    assert run_scenario(load_scenario(file), seed=9).digest == run_scenario(scenario, seed=9).digest


def test_slurm_arguments_are_sbatchs_and_go_beyond_the_caps() -> None:
    drawn = {draw(seed).slurm_args for seed in range(200)}
    for words in drawn:
        parse_step_arguments(list(words))
    assert len(drawn) > 20
    assert any("128" in " ".join(words) for words in drawn)


def test_models_of_all_sorts_are_drawn() -> None:
    models = [models for seed in range(300) for models in draw(seed).tasks.values()]
    bad = [model[0] for model in models if len(model) > 1]
    assert {bool(model.signal) for model in bad} == {True, False}
    for name in ("out_of_memory", "fails_to_launch", "ignores_term"):
        assert any(getattr(model, name) for model in bad), name
