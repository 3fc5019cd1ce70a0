from pathlib import Path

import pytest

from lute.errors import ConfigError, LuteError
from lute.launch.arguments import LaunchArguments
from lute.launch.conf import build_conf, dag_run_id
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
    ("change", "message"),
    [
        ({"EXPERIMENT": ""}, "add -e"),
        ({"EXPERIMENT": "../x"}, "not the name of an experiment"),
        ({"RUN_NUM": ""}, "add -r"),
        ({"RUN_NUM": "twelve"}, "not a run number"),
    ],
)
def test_without_experiment_or_run_nothing_starts(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_conf(arguments(), ARP | change, settings(), fake_runtime())


def test_without_token_and_kerberos_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "requests_gssapi", None)
    with pytest.raises(LuteError, match=r"no Authorization(?s:.*)launch from the eLog"):
        build_conf(arguments(), ARP | {"Authorization": ""}, settings(), fake_runtime())


def test_run_ids_have_only_characters_that_both_airflows_take() -> None:
    runtime = fake_runtime()
    conf = build_conf(arguments(), ARP, settings(), runtime)
    first, second = dag_run_id(conf, runtime), dag_run_id(conf, runtime)
    assert first != second
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~-")
