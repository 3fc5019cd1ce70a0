import json

import pytest

from lute.errors import ConfigError
from lute.jid.documents import control_document, parse_run_conf
from tests.fakes import CONF, FakeIdentity

SITE_KEYS = {
    "experiment", "run_id", "JID_UPDATE_COUNTERS", "ARP_ROOT_JOB_ID", "ARP_LOCATION", "Authorization", "user",
    "lute_params", "slurm_params", "lute_location", "kerb_file", "workflow", "run_type", "is_daq2",
    "executable_subdir",
}  # fmt: skip


def test_the_conf_has_exactly_the_sites_keys_and_is_json() -> None:
    conf = parse_run_conf(CONF).to_conf()
    assert set(conf) == SITE_KEYS
    assert json.loads(json.dumps(conf)) == conf
    assert parse_run_conf(conf) == parse_run_conf(CONF)


def test_keys_of_other_launchers_are_ignored() -> None:
    assert parse_run_conf(CONF | {"novelty": 1}) == parse_run_conf(CONF)


@pytest.mark.parametrize("conf", [{}, {"experiment": 1}, CONF | {"lute_params": {}}])
def test_a_conf_that_lacks_something_says_what(conf: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"conf is missing or has wrong: .*(experiment|config_file)"):
        parse_run_conf(conf)


def test_the_token_is_not_in_the_text_of_a_conf() -> None:
    assert "secret-token" not in repr(parse_run_conf(CONF))


def test_the_control_document_has_the_fields_that_the_jid_knows() -> None:
    document = control_document(
        parse_run_conf(CONF),
        task="Tester",
        executable="/opt/lute/scripts/submit_slurm.sh",
        parameters="-c x -t Tester",
        run_as_user="scientist",
        identity=FakeIdentity(),
    )
    assert set(document) == {
        "_id", "arp_root_job_id", "experiment", "run_num", "user", "status", "tool_id", "def_id", "def",
    }  # fmt: skip
    assert document["run_num"] == CONF["run_id"]
    assert document["def"]["_id"] == document["def_id"] != document["_id"]
    assert set(document["def"]) == {
        "_id", "name", "executable", "trigger", "location", "parameters", "run_as_user",
    }  # fmt: skip


def test_a_conf_is_told_all_its_faults_and_where_confs_come_from() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_run_conf(CONF | {"lute_params": {}, "experiment": 1})
    assert (
        caught.value.what == "the DAG run's conf is missing or has wrong: experiment, lute_params.config_file"
    )
    assert caught.value.next_step == "start workflows with scripts/launch_airflow.py, which writes the conf"


def test_the_control_document_word_for_word() -> None:
    ids = FakeIdentity()
    definition, document_id = str(ids.uuid()), str(ids.uuid())
    document = control_document(
        parse_run_conf(CONF),
        task="Tester",
        executable="/x.sh",
        parameters="-t Tester",
        run_as_user="scientist",
        identity=FakeIdentity(),
    )
    assert document == {
        "_id": document_id,
        "arp_root_job_id": CONF["ARP_ROOT_JOB_ID"],
        "experiment": CONF["experiment"],
        "run_num": CONF["run_id"],
        "user": CONF["user"],
        "status": "",
        "tool_id": "",
        "def_id": definition,
        "def": {
            "_id": definition,
            "name": "Tester",
            "executable": "/x.sh",
            "trigger": "MANUAL",
            "location": "S3DF",
            "parameters": "-t Tester",
            "run_as_user": "scientist",
        },
    }


@pytest.mark.parametrize(
    ("subdir", "script"),
    [
        (None, "/opt/lute/scripts/submit_slurm.sh"),
        ("launch_scripts", "/opt/lute/launch_scripts/submit_slurm.sh"),
        ("bin", "/opt/lute/bin/submit_slurm.sh"),
        ("install/lute-1.0+x/..bin", "/opt/lute/install/lute-1.0+x/..bin/submit_slurm.sh"),
    ],
)
def test_the_submit_script_lies_where_the_conf_says(subdir: str | None, script: str) -> None:
    conf = CONF if subdir is None else CONF | {"executable_subdir": subdir}
    assert parse_run_conf(conf).submit_script == script


HOSTILE = [
    "", ".", "..", "/bin", "bin/", "a//b", "../bin", "bin/../..", "./bin", "bin\n", "a b", "$(id)", "`id`",
    "a;b", "'", '"', "-x\x00", "~root:", "bü", "a\\b", "{lute_location}",
]  # fmt: skip


@pytest.mark.parametrize("subdir", HOSTILE)
def test_a_folder_that_leads_elsewhere_is_refused(subdir: str) -> None:
    conf = parse_run_conf(CONF | {"executable_subdir": subdir})
    with pytest.raises(ConfigError, match="executable_subdir must be a folder in lute_location"):
        _ = conf.submit_script


@pytest.mark.parametrize("location", ["", "lute", "./lute", "~/lute"])
def test_a_location_that_is_not_absolute_is_refused(location: str) -> None:
    with pytest.raises(ConfigError, match="lute_location must be an absolute path"):
        _ = parse_run_conf(CONF | {"lute_location": location}).submit_script
