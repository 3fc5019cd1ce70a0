import re
from dataclasses import replace
from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.launch.arguments import LaunchArguments
from lute.launch.conf import build_conf, contradictions, dag_run_id, is_restarted
from lute.workflows.model import Step, Workflow
from tests.fakes import fake_runtime, settings

ARP = {
    "EXPERIMENT": "mfxl1000126",
    "RUN_NUM": "12_2026-11-22T12:00:00",
    "Authorization": "Bearer tok",
    "ARP_JOB_ID": "abc",
    "ARP_LOCATION": "SRCF_FFB",
    "JID_UPDATE_COUNTERS": "http://counters",
}


def arguments(experiment: str | None = None, run: str | None = None) -> LaunchArguments:
    return LaunchArguments(Path("/c.yaml"), "test", False, False, experiment, run, ("--ntasks=4",))


def test_what_the_arp_sets_is_used() -> None:
    conf = build_conf(arguments("other", "99"), ARP, settings(), fake_runtime())
    assert conf.experiment == "mfxl1000126"
    assert conf.run_id == "12_2026-11-22T12:00:00.000000"
    assert (conf.arp_root_job_id, conf.arp_location) == ("abc", "SRCF_FFB")
    assert conf.jid_update_counters == "http://counters"
    assert conf.slurm_params == ("--ntasks=4",)
    assert Path(conf.lute_location, conf.executable_subdir, "submit_slurm.sh").is_file()


def test_arguments_stand_in_for_the_arp() -> None:
    env = {"Authorization": "Bearer tok"}
    conf = build_conf(arguments("mfxl1000126", "7"), env, settings(), fake_runtime())
    assert conf.run_id.startswith("7_")
    assert (conf.arp_location, conf.jid_update_counters) == ("S3DF", None)
    assert len(conf.arp_root_job_id) == 24


@pytest.mark.parametrize(
    ("change", "what", "next_step"),
    [
        ({"EXPERIMENT": ""}, "which experiment? EXPERIMENT is not set", "add -e EXPERIMENT"),
        (
            {"EXPERIMENT": "../x"},
            "'../x' is not the name of an experiment",
            "check EXPERIMENT or -e",
        ),
        ({"RUN_NUM": ""}, "which run? RUN_NUM is not set", "add -r RUN"),
        ({"RUN_NUM": "twelve"}, "'twelve' is not a run number", "check RUN_NUM or -r"),
    ],
)
def test_without_experiment_or_run_nothing_starts(change: dict[str, str], what: str, next_step: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_conf(arguments(), ARP | change, settings(), fake_runtime())
    assert (caught.value.what, caught.value.next_step) == (what, next_step)


def test_older_and_newer_names_of_the_environment_are_known() -> None:
    env = {"EXPERIMENT": "exp", "RUN": "007", "ARP_UPDATE_COUNTERS": "http://c", "KRB5CCNAME": "FILE:/k"}
    conf = build_conf(arguments(), env, settings(location="here"), fake_runtime())
    assert conf.run_id == "7_2026-11-22T12:00:00.000000"
    assert (conf.jid_update_counters, conf.arp_location) == ("http://c", "here")
    assert (conf.kerb_file, conf.lute_params.config_file) == ("FILE:/k", "/c.yaml")
    assert conf.workflow == {}


def test_a_workflow_of_the_users_own_is_in_the_conf() -> None:
    own = Workflow(title="t", steps=(Step(task_id="Tester"),))
    conf = build_conf(replace(arguments(), run_time=own), ARP, settings(), fake_runtime())
    assert conf.workflow == own.to_dict() != {}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, []),
        ({"EXPERIMENT": "exp", "RUN_NUM": "12_2026"}, []),
        (
            {"EXPERIMENT": "other", "RUN_NUM": "13_2026_x", "RUN": "12"},
            [
                "WARNING: -e exp is ignored: the environment says other",
                "WARNING: -r 12 is ignored: the environment says 13",
            ],
        ),
        ({"RUN": "14"}, ["WARNING: -r 12 is ignored: the environment says 14"]),
    ],
)
def test_arguments_that_the_environment_overrules_are_told(env: dict[str, str], said: list[str]) -> None:
    assert contradictions(arguments("exp", "12"), env) == said
    assert contradictions(arguments(), env) == []


def test_the_token_may_come_later() -> None:
    conf = build_conf(arguments(), ARP | {"Authorization": ""}, settings(), fake_runtime())
    assert conf.authorization == ""


def test_run_ids_have_only_characters_that_both_airflows_take() -> None:
    runtime = fake_runtime()
    conf = build_conf(arguments(), ARP, settings(), runtime)
    first, second = dag_run_id(conf, {}, runtime), dag_run_id(conf, {}, runtime)
    assert first != second
    assert re.fullmatch(r"mfxl1000126_r12_2026-11-22T12-00-00\.000000_[0-9a-f]{8}", first)
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-")


def test_the_launchers_own_batch_job_has_one_run_id_in_all_its_lives() -> None:
    runtime = fake_runtime()
    env = ARP | {"LUTE_LAUNCHER_JOB": "123", "ARP_JOB_ID": "a:bC"}
    ids = {dag_run_id(build_conf(arguments(), env, settings(), runtime), env, runtime) for _ in range(2)}
    assert ids == {"mfxl1000126_r12_a-bC_job123"}
    env = {name: value for name, value in env.items() if name != "ARP_JOB_ID"}
    runtime.clock.sleep(3.0)
    ids = {dag_run_id(build_conf(arguments(), env, settings(), runtime), env, runtime) for _ in range(2)}
    assert len(ids) == 1
    other = env | {"LUTE_LAUNCHER_JOB": "124"}
    assert build_conf(arguments(), other, settings(), runtime).arp_root_job_id not in ids.pop()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, False),
        ({"SLURM_RESTART_COUNT": "1"}, False),
        ({"LUTE_LAUNCHER_JOB": "1"}, False),
        ({"LUTE_LAUNCHER_JOB": "1", "SLURM_RESTART_COUNT": "0"}, False),
        ({"LUTE_LAUNCHER_JOB": "1", "SLURM_RESTART_COUNT": "2"}, True),
    ],
)
def test_only_the_launchers_own_job_is_started_again(env: dict[str, str], expected: bool) -> None:
    assert is_restarted(env) is expected


def test_steps_are_submitted_from_the_folder_of_the_launchers_own_script() -> None:
    conf = build_conf(arguments(), ARP, settings(), fake_runtime(), Path("/sdf/lute/latest/bin"))
    assert (conf.lute_location, conf.executable_subdir) == ("/sdf/lute/latest", "bin")
    assert conf.submit_script == "/sdf/lute/latest/bin/submit_slurm.sh"
