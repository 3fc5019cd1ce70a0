"""Reading `scontrol show job` and `squeue`."""

from datetime import UTC, datetime

import pytest

from lute.slurm.records import (
    MarkedJob,
    QueueEntry,
    SlurmJob,
    parse_fields,
    parse_job,
    parse_marks,
    parse_queue,
)
from lute.slurm.states import SlurmState

# verbatim from Slurm 22.05.8
SAMPLE = """JobId=180 JobName=scr
   UserId=tester(1001) GroupId=tester(1001) MCS_label=N/A
   Priority=4294901589 Nice=0 Account=lcls:mfxl1033223 QOS=normal
   JobState=COMPLETED Reason=None Dependency=(null)
   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=00:00:00 TimeLimit=00:05:00 TimeMin=N/A
   SubmitTime=2026-11-22T10:15:36 EligibleTime=2026-11-22T10:15:36
   AccrueTime=2026-11-22T10:15:36
   StartTime=2026-11-22T10:15:36 EndTime=2026-11-22T10:15:36 Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-22T10:15:36 Scheduler=Main
   Partition=milano AllocNode:Sid=localhost:4159
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList=sdfmilan001
   BatchHost=sdfmilan001
   NumNodes=1 NumCPUs=3 NumTasks=3 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   TRES=cpu=3,node=1,billing=3
   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*
   MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0
   Features=(null) DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)
   Command=/home/tester/w/s.sh
   WorkDir=/home/tester/w
   StdErr=/home/tester/w/full_180.out
   StdIn=/dev/null
   StdOut=/home/tester/w/full_180.out
   Power=
"""
ONE_LINE = " ".join(line.strip() for line in SAMPLE.splitlines()) + " \n"


@pytest.mark.parametrize("text", [SAMPLE, ONE_LINE])
def test_the_sample_in_both_forms(text: str) -> None:
    job = parse_job(text)
    assert job is not None
    moment = datetime(2026, 11, 22, 10, 15, 36, tzinfo=UTC)
    assert (job.job_id, job.name, job.state, job.reason) == ("180", "scr", SlurmState.COMPLETED, "")
    assert (job.exit_code, job.nodes, job.num_cpus) == ("0:0", "sdfmilan001", 3)
    assert (job.partition, job.account) == ("milano", "lcls:mfxl1033223")
    assert job.submit_time == job.start_time == job.end_time == moment
    assert (job.stdout_path, job.work_dir) == ("/home/tester/w/full_180.out", "/home/tester/w")
    assert parse_fields(text)["TRES"] == "cpu=3,node=1,billing=3"


@pytest.mark.parametrize(
    "name", ["a b", "x JobState=FAILED", "JobId=9 JobName=y", "a\nb", "é 'q' \"d\"", "UserId=me", ""]
)
def test_a_name_may_hold_anything(name: str) -> None:
    job = parse_job(ONE_LINE.replace("JobName=scr", f"JobName={name}"))
    assert job is not None
    assert (job.job_id, job.name, job.state) == ("180", name, SlurmState.COMPLETED)


def test_paths_may_hold_blanks_and_equal_signs() -> None:
    text = ONE_LINE.replace("/home/tester/w/s.sh", "/data/my run/s.sh --a=b JobState=FAILED UserId=x A=1")
    text = text.replace("WorkDir=/home/tester/w", "WorkDir=/data/my run/A=1 x")
    job = parse_job(text.replace("StdOut=/home/tester/w/full", "StdOut=/data/my run/A=1 x/full"))
    assert job is not None
    assert job.state is SlurmState.COMPLETED
    assert job.work_dir == "/data/my run/A=1 x"
    assert job.stdout_path == "/data/my run/A=1 x/full_180.out"


def test_pending_jobs_have_no_times_and_no_nodes() -> None:
    text = ONE_LINE.replace("COMPLETED", "PENDING").replace(
        "NodeList=sdfmilan001 BatchHost=sdfmilan001", "NodeList="
    )
    text = text.replace(
        "StartTime=2026-11-22T10:15:36 EndTime=2026-11-22T10:15:36", "StartTime=Unknown EndTime=Unknown"
    )
    job = parse_job(text.replace("Reason=None", "Reason=ReqNodeNotAvail, UnavailableNodes:sdfmilan004"))
    assert job is not None
    assert (job.nodes, job.start_time, job.end_time) == ("", None, None)
    assert job.reason == "ReqNodeNotAvail, UnavailableNodes:sdfmilan004"


def test_the_first_of_several_records_counts() -> None:
    job = parse_job(ONE_LINE + ONE_LINE.replace("JobId=180", "JobId=181"))
    assert job is not None
    assert job.job_id == "180"
    assert job.stdout_path.endswith(".out")


@pytest.mark.parametrize("text", ["", "No jobs in the system\n", "JobId=3\n", "garbage = JobState=RUNNING"])
def test_what_is_no_record_gives_none(text: str) -> None:
    assert parse_job(text) is None


def test_an_unknown_state_is_none() -> None:
    job = parse_job(ONE_LINE.replace("COMPLETED", "MELTED"))
    assert job is not None
    assert job.state is None


def test_queue() -> None:
    text = "12|RUNNING|None|me|milano|lcls:x|a|b c\n13_[1-3%2]|PENDING|Resources|me|milano|(null)|n\n"
    text += "second line of a name\n\n"
    first, second = parse_queue(text)
    assert (first.job_id, first.state, first.name, first.reason) == ("12", SlurmState.RUNNING, "a|b c", "")
    assert (second.job_id, second.account, second.reason) == ("13_[1-3%2]", "", "Resources")


def test_a_record_may_say_next_to_nothing() -> None:
    job = parse_job("JobId=3 JobName=a JobState=RUNNING\n")
    assert job == SlurmJob(
        job_id="3",
        name="a",
        state=SlurmState.RUNNING,
        reason="",
        exit_code="",
        nodes="",
        num_cpus=None,
        partition="",
        account="",
        submit_time=None,
        start_time=None,
        end_time=None,
        stdout_path="",
        work_dir="",
    )
    nameless = parse_job("JobId=3 JobState=RUNNING\n")
    assert nameless is not None
    assert nameless.name == ""


def test_what_a_later_record_says_is_not_the_first_ones() -> None:
    later = ONE_LINE.replace("JobId=180", "JobId=181").replace("Reason=None", "Reason=None FailedNode=n1")
    assert parse_fields(later)["FailedNode"] == "n1"
    assert parse_fields(ONE_LINE.rstrip("\n") + "\n" + later) == parse_fields(ONE_LINE)


def test_what_stands_before_the_record_is_skipped() -> None:
    assert parse_fields("scontrol: some news\n" + ONE_LINE) == parse_fields(ONE_LINE)


def test_the_queue_has_all_columns_and_no_other_lines() -> None:
    text = "slurm|a|b|c|d|e|f\n12|RUNNING\n12|RUNNING|Prolog|me|milano|lcls:x|name\n"
    assert parse_queue(text) == [
        QueueEntry("12", "name", SlurmState.RUNNING, "Prolog", "me", "milano", "lcls:x")
    ]


def test_marks_are_comments_and_may_hold_anything() -> None:
    text = "12|RUNNING|lute:r/T/-1:1\n13_4|MELTED|a|b c\n14|PENDING|(null)\n15|RUNNING\nx|RUNNING|no job\n\n"
    assert parse_marks(text) == [
        MarkedJob("12", SlurmState.RUNNING, "lute:r/T/-1:1"),
        MarkedJob("13_4", None, "a|b c"),
        MarkedJob("14", SlurmState.PENDING, ""),
    ]
