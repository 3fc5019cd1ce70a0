"""What holds where a conf or a document says nothing, and the words that others use."""

import pytest
from pydantic import ValidationError

from lute.errors import ConfigError
from lute.jid.documents import control_document, parse_run_conf
from lute.jid.wire import parse_record
from tests.fakes import CONF, FakeIdentity


def test_a_conf_without_what_may_be_left_out_is_s3dfs_and_not_for_debugging() -> None:
    left_out = ("JID_UPDATE_COUNTERS", "ARP_LOCATION", "slurm_params")
    conf = parse_run_conf(
        {key: value for key, value in CONF.items() if key not in left_out}
        | {"lute_params": {"config_file": "/x"}}
    )
    assert conf.jid_update_counters is None
    assert conf.slurm_params == ()
    assert not conf.lute_params.debug
    document = control_document(
        conf, task="T", executable="/x", parameters="", run_as_user="u", identity=FakeIdentity()
    )
    assert document["def"]["location"] == "S3DF"


@pytest.mark.parametrize("name", ["authorization", "user"])
def test_a_conf_that_was_read_cannot_be_changed(name: str) -> None:
    with pytest.raises(ValidationError):
        setattr(parse_run_conf(CONF), name, "other")


def test_a_folder_that_leads_elsewhere_is_told_with_what_writes_right_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        _ = parse_run_conf(CONF | {"executable_subdir": ".."}).submit_script
    assert "scripts/launch_airflow.py" in caught.value.next_step


@pytest.mark.parametrize(
    ("word", "is_active", "is_success"),
    [
        ("START", True, False),
        ("SUBMITTED", True, False),
        ("RUNNING", True, False),
        ("DONE", False, True),
        ("FAILED", False, False),
        ("EXITED", False, False),
    ],
)
def test_each_word_of_the_elog_is_understood(word: str, is_active: bool, is_success: bool) -> None:
    status = parse_record({"tool_id": 7, "status": word}).status
    assert status is not None
    assert (str(status), status.is_active, status.is_success) == (word, is_active, is_success)
