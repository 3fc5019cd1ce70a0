"""Every command in the virtual world: exit codes, JSON, wrong usage."""

import json
from pathlib import Path

import pytest

from simulators.checkers.all import CHECKERS
from simulators.scenario.loader import scenario_names
from tests.simulators.commands.run_cli import LuteSim

RUN_KEYS = {
    "workflow", "scenario", "seed", "run", "exit_code", "launchers", "tasks", "tries", "jobs", "broken",
    "unexpected", "idle_faults", "faults", "virtual_s", "requests", "digest",
}  # fmt: skip
EXPLORE_KEYS = {
    "runs", "run_twice", "virtual_h", "requests", "ends", "faults", "faults_that_never_acted", "broken",
    "crashed", "stopped", "shrunk",
}  # fmt: skip


def test_run_exits_with_0_for_success(lute_sim: LuteSim) -> None:
    done = lute_sim("run", "test", "--seed", "3")
    assert (done.code, done.err) == (0, "")
    assert "the workflow succeeded: test, scenario none, seed 3" in done.out
    assert "Workflow test: success" in done.out


def test_run_exits_with_1_for_a_failed_workflow(lute_sim: LuteSim) -> None:
    done = lute_sim("run", "--scenario", "step-fails")
    assert done.code == 1
    assert "the workflow failed" in done.out
    assert "everything as the scenario expects" in done.out


def test_run_takes_a_workflow_of_ones_own(lute_sim: LuteSim, tmp_path: Path) -> None:
    file = tmp_path / "my 'flow' é.yaml"
    file.write_text("{task_name: Tester, next: [{task_name: Tester, id: again}]}")
    done = lute_sim("run", "-W", str(file))
    assert (done.code, done.err) == (0, "")
    assert "again.Tester: success" in done.out
    file.write_text("task_name: Testre")
    done = lute_sim("run", "-W", str(file))
    assert done.code == 2
    assert "there is no managed Task 'Testre': did you mean Tester" in done.err


def test_run_exits_with_3_for_a_broken_invariant(lute_sim: LuteSim, leaky: Path) -> None:
    done = lute_sim("run", "leaky", "--dags", str(leaky))
    assert done.code == 3
    assert "broken: no_secret: a token stands in the log of Tester" in done.out
    assert "Bearer" not in done.out


def test_run_exits_with_4_without_a_verdict_in_time(lute_sim: LuteSim, tmp_path: Path) -> None:
    file = tmp_path / "shört name.yaml"
    file.write_text("workflow: test\ndeadline_s: 5\n")
    done = lute_sim("run", "--scenario", str(file))
    assert done.code == 4
    assert "not ended in time" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "tset"], "there is no workflow 'tset': did you mean test"),
        (["run", "--scenario", "jid_slwo"], "there is no scenario 'jid_slwo': did you mean jid_slow"),
        (["run", "--scenario", "no/such.yaml"], "no/such.yaml: cannot be read"),
        (["run", "--seed", "x"], "Invalid value for '--seed'"),
        (["run", "--dags", "/no/such"], "Invalid value for '--dags'"),
        (["run", "--config", "/no/such"], "Invalid value for '--config'"),
        (["run", "--trace", "/no/such/folder/t.jsonl"], "/no/such/folder/t.jsonl: cannot be written"),
        (["run", "--timeline", "/no/such/folder/t.html"], "/no/such/folder/t.html: cannot be written"),
        (["explore", "tset"], "there is no workflow 'tset': did you mean test"),
        (["explore", "test", "--faults", "jid_dwn"], "did you mean jid_down"),
        (["explore", "test", "--seeds", "5"], "Invalid value for --seeds"),
        (["explore", "test", "--seeds", "5:5"], "Invalid value for --seeds"),
        (["explore", "test", "--workers", "-1"], "Invalid value for '--workers'"),
        (["replay", "/no/such"], "does not exist"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why_on_standard_error(
    words: list[str], said: str, lute_sim: LuteSim
) -> None:
    done = lute_sim(*words)
    assert done.code == 2
    assert said in " ".join(done.err.replace("│", " ").split())
    assert "Traceback" not in done.err
    assert "Workflow" not in done.out


@pytest.mark.parametrize("scenario", ["", "step_fails", "jid-down-5-min", "swarm-7"])
def test_run_prints_one_json_object(scenario: str, lute_sim: LuteSim) -> None:
    done = lute_sim("run", "test", "--scenario", scenario, "--json")
    plain = json.loads(done.out)
    assert set(plain) == RUN_KEYS
    assert (plain["exit_code"], done.err) == (done.code, "")
    assert plain["workflow"] == "test"


def test_a_seed_repeats_and_another_does_not(lute_sim: LuteSim) -> None:
    digests = [json.loads(lute_sim("run", "test", "--seed", seed, "--json").out)["digest"] for seed in "334"]
    assert digests[0] == digests[1] != digests[2]


def test_paths_may_be_odd(lute_sim: LuteSim, tmp_path: Path) -> None:
    folder = tmp_path / "with a space, é; $x"
    folder.mkdir()
    trace, page = folder / "-t 'r' a.jsonl", folder / "pagé.html"
    done = lute_sim("run", "test", "--trace", str(trace), "--timeline", str(page))
    assert done.code == 0
    assert json.loads(trace.read_text().splitlines()[0])["event"] == "header"
    assert page.read_text().lstrip().lower().startswith("<!doctype html")
    assert lute_sim("replay", str(trace)).code == 0


def test_scenarios_and_checkers_are_listed(lute_sim: LuteSim) -> None:
    lines = lute_sim("scenarios").out.splitlines()
    assert [line.split()[0] for line in lines] == scenario_names()
    assert {"name", "about", "xfail"} <= set(json.loads(lute_sim("scenarios", "--json").out)[0])
    assert [line.split()[0] for line in lute_sim("checkers").out.splitlines()] == list(CHECKERS)
    plain = json.loads(lute_sim("checkers", "--json").out)
    assert [found["name"] for found in plain] == list(CHECKERS)


def test_explore_finds_nothing_in_a_few_seeds(lute_sim: LuteSim) -> None:
    done = lute_sim("explore", "test", "--seeds", "1:6", "--workers", "1")
    assert (done.code, done.err) == (0, "")
    assert "5 seeds (0 run twice)" in done.out
    assert done.out.endswith("nothing was broken\n")
    plain = json.loads(lute_sim("explore", "test", "--seeds", "1:6", "--json", "--workers", "1").out)
    assert set(plain) == EXPLORE_KEYS
    assert (plain["runs"], plain["stopped"], plain["shrunk"]) == (5, False, [])


def test_explore_keeps_a_case_that_runs_and_replays_as_it_was(
    lute_sim: LuteSim, leaky: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out put"
    words = ["--dags", str(leaky), "--seeds", "1:4", "--workers", "1", "--out", str(out)]
    done = lute_sim("explore", "leaky", *words)
    assert done.code == 3
    assert "BROKEN no_secret in 3 runs; first: seed 1" in done.out
    trace, scenario = out / "no_secret-1.jsonl", out / "no_secret-1.yaml"
    assert lute_sim("replay", str(trace), "--dags", str(leaky)).code == 3
    again = lute_sim("run", "--scenario", str(scenario), "--seed", "1", "--dags", str(leaky), "--json")
    assert [found["checker"] for found in json.loads(again.out)["broken"]] == ["no_secret"]
    assert json.loads(again.out)["faults"] == []


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ([], "lute-sim run leaky --scenario swarm-1 --seed 1"),
        (["--all"], "lute-sim explore leaky --seeds 1:2 --all"),
        (["--faults", "jid_down,log"], "lute-sim explore leaky --seeds 1:2 --faults jid_down,log"),
    ],
)
def test_the_command_that_repeats_a_case_draws_from_the_same_kinds(
    options: list[str], command: str, lute_sim: LuteSim, leaky: Path
) -> None:
    words = ["--dags", str(leaky), "--seeds", "1:2", "--workers", "1", "--json"]
    (case,) = json.loads(lute_sim("explore", "leaky", *words, *options).out)["shrunk"]
    assert case["again"].startswith(command)
    assert (case["checker"], case["seed"], case["faults"]) == ("no_secret", 1, [])


def test_explore_tells_a_crash_with_its_seed_on_standard_error(
    lute_sim: LuteSim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("simulators.explore.explorer.run_scenario", crash)
    done = lute_sim("explore", "test", "--seeds", "7:8", "--workers", "1")
    assert done.code == 3
    assert "seed 7 crashed the world:" in done.err
    assert "ZeroDivisionError: a bug" in done.err
    assert "nothing was broken" not in done.out
