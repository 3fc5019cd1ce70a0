"""Reports for programs."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lute.airflow_api.models import RunState, TaskInstance, TaskState
from lute.launch.reports import write_report
from lute.launch.steps import Step, StepJob
from lute.launch.watch import RunRef
from lute.slurm.states import SlurmState
from tests.lute.launch.test_causes import slurm_job, step

RUN = RunRef("lute_test", 'r"<&>')
STEPS = [
    step("bad <&> \x00\x1b[31m \ud800\nBus error", slurm=slurm_job(SlurmState.FAILED, "2:0")),
    step(state=TaskState.SUCCESS, slurm=slurm_job(SlurmState.COMPLETED, "0:0")),
    Step(TaskInstance("Left", 2, TaskState.UPSTREAM_FAILED, 0)),
]


def test_xml_is_junits_whatever_the_log_holds(tmp_path: Path) -> None:
    file = tmp_path / "r.xml"
    write_report(file, "te<st", RUN, RunState.FAILED, STEPS)
    suite = ElementTree.parse(file).getroot()
    assert suite.attrib == {
        "name": "te<st",
        "id": 'r"<&>',
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    bad, good, left = suite.findall("testcase")
    (failure,) = bad
    assert failure.get("message", "").startswith("a bus error")
    assert (failure.text or "").startswith("bad <&> \ufffd\ufffd[31m \ufffd")
    assert (bad.get("name"), bad.get("time"), len(good)) == ("Tester", "60.000", 0)
    assert left.get("time") == "0.000"
    assert (left.get("name"), left[0].tag, left[0].get("message")) == (
        "Left[2]",
        "skipped",
        "upstream_failed",
    )


def test_json_has_all_that_the_table_has(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    write_report(file, "test", RUN, RunState.FAILED, STEPS)
    report = json.loads(file.read_text())
    assert (report["workflow"], report["run_id"], report["state"]) == ("test", 'r"<&>', "failed")
    bad, good, left = report["steps"]
    assert bad == {
        "step": "Tester",
        "state": "failed",
        "tries": 1,
        "slurm_job": "7",
        "slurm_state": "FAILED",
        "exit_code": "2",
        "wait_s": 5.0,
        "run_s": 60.0,
        "start": "2026-11-22T12:00:00+00:00",
        "end": "2026-11-22T12:01:10+00:00",
        "log_file": "/l/7.out",
        "likely_cause": bad["likely_cause"],
    }
    assert (good["exit_code"], good["likely_cause"]) == ("0", None)
    assert (left["run_s"], left["slurm_job"], left["start"]) == (None, None, None)


def test_a_report_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_report(
            tmp_path / "gone" / "r.json", "test", RUN, RunState.FAILED, [Step(STEPS[0].instance, StepJob())]
        )
