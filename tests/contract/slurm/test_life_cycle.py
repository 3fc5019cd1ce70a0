"""How jobs end, and what Slurm then says: facts, section 4."""

import os
import re

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import BOOKED, BRIEF
from tests.contract.slurm.script import Script

LONG = Script(sleep_s=600)

ENDS = [
    (Script(), "COMPLETED None 0:0", "COMPLETED|0:0", "COMPLETED|0:0"),
    (Script(exit_code=3), "FAILED NonZeroExitCode 3:0", "FAILED|3:0", "FAILED|3:0"),
    (Script(exit_code=127), "FAILED NonZeroExitCode 127:0", "FAILED|127:0", "FAILED|127:0"),
    (Script(exit_code=128), "FAILED NonZeroExitCode 128:0", "FAILED|0:0", "FAILED|0:0"),
    (Script(exit_code=137), "FAILED NonZeroExitCode 137:0", "FAILED|9:0", "FAILED|9:0"),
    (Script(exit_code=143), "FAILED NonZeroExitCode 143:0", "FAILED|15:0", "FAILED|15:0"),
    (Script(exit_code=255), "FAILED NonZeroExitCode 255:0", "FAILED|127:0", "FAILED|127:0"),
    (Script(kill=9), "FAILED JobLaunchFailure 0:9", "FAILED|0:9", "CANCELLED|0:9"),
    (Script(kill=11), "FAILED JobLaunchFailure 0:11", "FAILED|0:11", "CANCELLED|0:11"),
    (Script(kill=15), "FAILED JobLaunchFailure 0:15", "FAILED|0:15", "CANCELLED|0:15"),
]


def booked(slurm: Slurm, job: str, state: str, *options: str) -> list[str]:
    """Wait until sacct's first line for a job begins with `state`; return its lines `State|ExitCode`."""
    lines: list[str] = []

    def look() -> bool:
        answer = slurm.run("sacct", "-n", "-P", "-o", "State,ExitCode", *options, "-j", job)
        assert (answer.code, answer.err) == (0, ""), answer
        lines[:] = answer.out.splitlines()
        return bool(lines) and lines[0].startswith(state)

    slurm.until(look, lambda: repr(lines))
    return lines


@pytest.mark.profile(BOOKED)
@pytest.mark.parametrize(("script", "told", "job", "step"), ENDS, ids=[case[1] for case in ENDS])
def test_ends(slurm: Slurm, script: Script, told: str, job: str, step: str) -> None:
    job_id = slurm.submit(script)
    assert slurm.finished(job_id) == told
    assert booked(slurm, job_id, job.partition("|")[0])[:2] == [job, step]


def test_not_found(slurm: Slurm) -> None:
    if slurm.leg.name == "in process":
        pytest.skip("there a script is a model: what it says is not run")
    job = slurm.run("sbatch", "--parsable", "--wrap", "nosuchcommand").out.strip()
    assert slurm.finished(job) == "FAILED NonZeroExitCode 127:0"


CANCELS = [
    (LONG, "CANCELLED None 0:15", "CANCELLED|0:15"),
    (Script(sleep_s=600, on_term=0), "CANCELLED None 0:0", "COMPLETED|0:0"),
    (Script(sleep_s=600, on_term=5), "CANCELLED None 5:0", "FAILED|5:0"),
    (Script(sleep_s=600, on_term=-1), "CANCELLED None 0:9", "CANCELLED|0:9"),
]


@pytest.mark.profile(BOOKED)
@pytest.mark.parametrize(
    ("script", "told", "step"), CANCELS, ids=["dies", "exits 0", "exits 5", "ignores it"]
)
def test_cancelled_while_running(slurm: Slurm, script: Script, told: str, step: str) -> None:
    job = slurm.running(script)
    assert slurm.run("scancel", job) == (0, "", "")
    assert slurm.finished(job) == told
    uid = slurm.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%U").out.strip()
    lines = booked(slurm, job, "CANCELLED")
    assert lines[0] == f"CANCELLED by {uid}|0:0"
    assert lines[1] == step
    said = slurm.leg.output(f"slurm-{job}.out")
    assert said is not None
    assert re.fullmatch(
        rf"slurmstepd-sdfmilan001: error: \*\*\* JOB {job} ON sdfmilan001 CANCELLED AT"
        r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \*\*\*\n",
        said.splitlines(keepends=True)[0],
    )


def test_while_it_dies_it_is_completing(slurm: Slurm) -> None:
    job = slurm.running(Script(sleep_s=600, on_term=-1))
    slurm.run("scancel", job)
    slurm.wait(job, "COMPLETING")
    assert slurm.run("squeue", "-h", "-j", job, "-o", "%t").out == "CG\n"
    assert slurm.finished(job) == "CANCELLED None 0:9"


@pytest.mark.profile(BOOKED)
def test_cancelled_while_pending(slurm: Slurm) -> None:
    slurm.running(None, "-n512")
    job = slurm.submit(LONG, "-n512")
    slurm.wait(job, "PENDING Resources")
    assert slurm.run("scancel", job) == (0, "", "")
    assert slurm.finished(job) == "CANCELLED Resources 0:0"
    assert slurm.record(job)["NodeList"] == ""
    assert slurm.leg.output(f"slurm-{job}.out") is None
    lines = booked(slurm, job, "CANCELLED by")
    assert [line.partition("|")[2] for line in lines] == ["0:0"]


def test_a_signal_for_the_script(slurm: Slurm) -> None:
    job = slurm.running(Script(sleep_s=600, on_usr1=9))
    assert slurm.run("scancel", "-s", "USR1", "-b", job) == (0, "", "")
    assert slurm.finished(job) == "FAILED NonZeroExitCode 9:0"


def test_first_come_first_served_with_a_blocked_head(slurm: Slurm) -> None:
    first = slurm.running(None, "-n500", "-t", "60")
    big = slurm.submit(LONG, "-n512", "-t", "60")
    small = slurm.submit(LONG, "-n1", "-t", "120")
    other = slurm.submit(LONG, "-p", "ampere")
    slurm.wait(other, "RUNNING")
    slurm.wait(big, "PENDING Resources")
    assert slurm.state(small) == "PENDING Priority 0:0"
    slurm.run("scancel", first)
    slurm.wait(big, "RUNNING")
    slurm.run("scancel", big)
    slurm.wait(small, "RUNNING")


def test_a_short_job_goes_before_a_blocked_one(slurm: Slurm) -> None:
    slurm.running(None, "-n500", "-t", "60")
    big = slurm.submit(LONG, "-n512", "-t", "60")
    short = slurm.submit(LONG, "-n1", "-t", "30")
    slurm.wait(short, "RUNNING")
    assert slurm.record(short)["Scheduler"] == "Backfill"
    assert slurm.state(big).startswith("PENDING")


@pytest.mark.parametrize(
    ("kind", "parent", "expected"),
    [
        ("afterok", 0, "COMPLETED None"),
        ("afterok", 1, "PENDING DependencyNeverSatisfied"),
        ("afternotok", 0, "PENDING DependencyNeverSatisfied"),
        ("afternotok", 1, "COMPLETED None"),
        ("afterany", 0, "COMPLETED None"),
        ("afterany", 1, "COMPLETED None"),
    ],
)
def test_dependencies(slurm: Slurm, kind: str, parent: int, expected: str) -> None:
    job = slurm.submit(Script(sleep_s=2, exit_code=parent))
    child = slurm.submit(Script(), "-d", f"{kind}:{job}")
    assert slurm.state(child) == "PENDING Dependency 0:0"
    assert slurm.record(child)["Dependency"] == f"{kind}:{job}(unfulfilled)"
    slurm.wait(child, expected)
    if expected.startswith("PENDING"):
        assert slurm.record(child)["Dependency"] == f"{kind}:{job}(failed)"


def test_after(slurm: Slurm) -> None:
    held = slurm.submit(LONG, "--hold")
    child = slurm.submit(LONG, "-d", f"after:{held}")
    assert slurm.state(child).startswith("PENDING Dependency")
    slurm.run("scontrol", "release", held)
    slurm.wait(child, "RUNNING")


def test_singleton(slurm: Slurm) -> None:
    slurm.submit(Script(sleep_s=2), "-J", "one")
    second = slurm.submit(Script(), "-J", "one", "-d", "singleton")
    assert slurm.state(second).startswith("PENDING Dependency")
    assert slurm.finished(second) == "COMPLETED None 0:0"


def test_a_dependency_on_an_unknown_job_is_met(slurm: Slurm) -> None:
    assert slurm.finished(slurm.submit(Script(), "-d", "afterok:99999")) == "COMPLETED None 0:0"


@pytest.mark.profile(BOOKED)
def test_killed_for_an_invalid_dependency(slurm: Slurm) -> None:
    job = slurm.submit(Script(exit_code=1))
    child = slurm.submit(Script(), "-d", f"afterok:{job}", "--kill-on-invalid-dep=yes")
    assert slurm.finished(child) == "CANCELLED DependencyNeverSatisfied 0:0"
    assert booked(slurm, child, "CANCELLED") == ["CANCELLED|0:0"]


def test_hold_and_release(slurm: Slurm) -> None:
    job = slurm.submit(Script(), "--hold")
    assert slurm.state(job) == "PENDING JobHeldUser 0:0"
    assert slurm.record(job)["Priority"] == "0"
    assert slurm.run("scontrol", "release", job) == (0, "", "")
    assert slurm.finished(job) == "COMPLETED None 0:0"


def test_hold_of_a_waiting_job(slurm: Slurm) -> None:
    slurm.running(None, "-n512")
    job = slurm.submit(LONG, "-n512")
    assert slurm.run("scontrol", "hold", job) == (0, "", "")
    slurm.wait(job, "PENDING JobHeldAdmin" if os.getuid() == 0 else "PENDING JobHeldUser")
    assert slurm.run("scontrol", "release", job) == (0, "", "")
    slurm.wait(job, "PENDING Resources")


def test_begin(slurm: Slurm) -> None:
    job = slurm.submit(Script(), "--begin=now+3")
    slurm.wait(job, "PENDING BeginTime")
    assert slurm.finished(job) == "COMPLETED None 0:0"


@pytest.mark.profile(BOOKED)
def test_requeue(slurm: Slurm) -> None:
    job = slurm.running(Script(sleep_s=600, text="first"))
    assert slurm.run("scontrol", "requeue", job) == (0, "", "")
    slurm.wait(job, "PENDING BeginTime")
    record = slurm.record(job)
    assert (record["Restarts"], record["Requeue"], record["ExitCode"]) == ("1", "1", "0:0")
    said = slurm.leg.output(f"slurm-{job}.out") or ""
    assert " DUE TO JOB REQUEUE ***\n" in said
    booked(slurm, job, "PENDING")
    assert len(booked(slurm, job, "REQUEUED", "-D", "-X")) == 2
    assert slurm.run("scontrol", "update", f"JobId={job}", "StartTime=now") == (0, "", "")
    slurm.wait(job, "RUNNING")
    slurm.until(
        lambda: slurm.environment(job).get("SLURM_RESTART_COUNT") == "1", lambda: "no SLURM_RESTART_COUNT"
    )
    slurm.until(lambda: slurm.leg.output(f"slurm-{job}.out") == "first\n", lambda: "not truncated")


def test_requeue_in_held_state(slurm: Slurm) -> None:
    job = slurm.running()
    assert slurm.run("scontrol", "requeuehold", job) == (0, "", "")
    slurm.wait(job, "PENDING job_requeued_in_held_state")
    assert slurm.run("squeue", "-h", "-j", job, "-o", "%t %R").out == "PD (job requeued in held state)\n"
    slurm.run("scontrol", "release", job)
    slurm.wait(job, "PENDING BeginTime")


@pytest.mark.profile(BOOKED)
def test_a_node_fails(slurm: Slurm) -> None:
    lost = slurm.running(None, "--no-requeue", "-w", "sdfmilan003")
    again = slurm.running(None, "-w", "sdfmilan003")
    down = ["scontrol", "update", "NodeName=sdfmilan003", "State=DOWN"]
    assert slurm.run(*down, "Reason=broken") == (0, "", "")
    assert slurm.finished(lost) in ("NODE_FAIL NodeDown 0:0", "NODE_FAIL NodeDown 0:15")
    slurm.wait(again, "PENDING BeginTime")
    assert slurm.record(again)["Restarts"] == "1"
    assert booked(slurm, lost, "NODE_FAIL", "-X") == ["NODE_FAIL|0:0"]
    booked(slurm, again, "PENDING", "-X")
    slurm.until(
        lambda: slurm.run("sinfo", "-h", "-n", "sdfmilan003", "-o", "%T").out == "idle\n",
        lambda: slurm.run("sinfo").out,
    )


def test_a_node_is_drained(slurm: Slurm) -> None:
    def state() -> str:
        return slurm.run("sinfo", "-h", "-n", "sdfmilan002", "-o", "%T").out.strip()

    job = slurm.running(None, "-w", "sdfmilan002")
    drain = ["scontrol", "update", "NodeName=sdfmilan002", "State=DRAIN"]
    assert slurm.run(*drain, "Reason=tired") == (0, "", "")
    try:
        assert state() == "draining"
        assert slurm.state(job).startswith("RUNNING")
        asking = slurm.submit(LONG, "-w", "sdfmilan002")
        slurm.wait(asking, "PENDING ReqNodeNotAvail,_UnavailableNodes:sdfmilan002")
        slurm.run("scancel", job)
        slurm.until(lambda: state() == "drained", state)
    finally:
        assert slurm.run("scontrol", "update", "NodeName=sdfmilan002", "State=RESUME") == (0, "", "")
    slurm.wait(asking, "RUNNING")
    refused = (1, "", "slurm_update error: Invalid node state specified\n")
    assert slurm.run("scontrol", "update", "NodeName=sdfmilan001", "State=RESUME") == refused


def test_a_partition_goes_down(slurm: Slurm) -> None:
    assert slurm.run("scontrol", "update", "PartitionName=ampere", "State=DOWN") == (0, "", "")
    try:
        job = slurm.submit(LONG, "-p", "ampere")
        slurm.wait(job, "PENDING PartitionDown")
    finally:
        slurm.run("scontrol", "update", "PartitionName=ampere", "State=UP")
    slurm.wait(job, "RUNNING")


def test_a_longer_time_limit(slurm: Slurm) -> None:
    job = slurm.running(None, "-t", "5")
    assert slurm.run("scontrol", "update", f"JobId={job}", "TimeLimit=10") == (0, "", "")
    assert slurm.record(job)["TimeLimit"] == "00:10:00"


def test_an_array(slurm: Slurm) -> None:
    array = slurm.submit(LONG, "--array=1-4%2")
    slurm.wait(f"{array}_2", "RUNNING")
    slurm.until(lambda: "JobArrayTaskLimit" in slurm.run("squeue", "-h", "-o", "%r").out, lambda: "no limit")
    shown = slurm.run("squeue", "-h", "-j", array, "-o", "%i %t %r", "-S", "i").out.splitlines()
    assert sorted(shown) == sorted(
        [f"{array}_1 R None", f"{array}_2 R None", f"{array}_[3-4%2] PD JobArrayTaskLimit"]
    )
    one_by_one = slurm.run("squeue", "-h", "-r", "-j", array, "-o", "%i").out.split()
    assert sorted(one_by_one) == [f"{array}_{task}" for task in (1, 2, 3, 4)]
    assert slurm.run("scancel", f"{array}_3") == (0, "", "")
    slurm.until(
        lambda: f"{array}_[4%2]" in slurm.run("squeue", "-h", "-o", "%i").out, lambda: slurm.run("squeue").out
    )
    assert slurm.run("scancel", f"{array}_1") == (0, "", "")
    slurm.wait(f"{array}_4", "RUNNING")
    assert slurm.record(f"{array}_4")["JobId"] == array
    assert slurm.run("scancel", array) == (0, "", "")
    slurm.until(lambda: slurm.run("squeue", "-h").out == "", lambda: slurm.run("squeue").out)


def test_a_dependency_on_an_array_waits_for_all_of_it(slurm: Slurm) -> None:
    array = slurm.submit(Script(sleep_s=2), "--array=1-2")
    child = slurm.submit(Script(), "-d", f"afterok:{array}")
    slurm.wait(f"{array}_2", "COMPLETED")
    assert slurm.finished(child) == "COMPLETED None 0:0"


def test_time_limits(slurm: Slurm) -> None:
    usual, deaf = slurm.running(LONG, "-t", "1"), slurm.running(Script(sleep_s=600, on_term=-1), "-t", "0:30")
    slurm.leg.pass_time(58)
    assert slurm.state(usual).startswith("RUNNING")
    assert slurm.finished(usual, 40) == "TIMEOUT TimeLimit 0:15"
    assert slurm.finished(deaf, 40) == "TIMEOUT TimeLimit 0:9"
    assert (slurm.leg.output(f"slurm-{usual}.out") or "").splitlines()[0].endswith(" DUE TO TIME LIMIT ***")


@pytest.mark.profile(BRIEF)
def test_ended_jobs_are_forgotten(slurm: Slurm) -> None:
    job = slurm.submit(Script())
    assert slurm.finished(job) == "COMPLETED None 0:0"
    assert slurm.run("squeue", "-h", "-j", job) == (0, "", "")
    gone = (1, "", "slurm_load_jobs error: Invalid job id specified\n")
    slurm.until(lambda: slurm.run("squeue", "-h", "-j", job) == gone, lambda: "still there", 60)
    assert slurm.run("scontrol", "show", "job", job) == gone
    child = slurm.submit(Script(), "-d", f"afterok:{job}")
    assert slurm.finished(child) == "COMPLETED None 0:0"
