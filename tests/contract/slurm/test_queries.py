"""What squeue, sacct, scancel, scontrol and sinfo answer: facts, section 4."""

import json
import re

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import BOOKED
from tests.contract.slurm.script import Script

LONG = Script(sleep_s=600)
UNKNOWN = "slurm_load_jobs error: Invalid job id specified\n"

ANSWERS: list[tuple[str, int, str, str]] = [
    ("squeue -h -j 99999", 1, "", UNKNOWN),
    ("squeue -h -j 99998,99999", 0, "", ""),
    ("squeue -h -j abc", 1, "", "squeue: error: Invalid job id: abc\n"),
    ("squeue -h -u nosuchuser", 0, "", "squeue: error: Invalid user: nosuchuser\n\n"),
    ("scontrol show job 99999", 1, "", UNKNOWN),
    ("scancel 99999", 0, "", ""),
    (
        "scancel -v 99999",
        0,
        "",
        "scancel: Terminating job 99999\n"
        "scancel: error: Kill job error on job id 99999: Invalid job id specified\n",
    ),
    ("scancel abc", 1, "", "scancel: error: Invalid job id abc\n"),
    ("scancel", 1, "", "scancel: error: No job identification provided\n"),
    ("sacct -j 1", 1, "", "Slurm accounting storage is disabled\n"),
    (
        "scontrol hold 99999",
        1,
        "",
        "Invalid job id specified for job 99999\nslurm_suspend error: Invalid job id specified\n",
    ),
    (
        "scontrol update NodeName=sdfmilan001 State=DRAIN",
        1,
        "",
        "You must specify a reason when DOWNING or DRAINING a node. Request denied\n",
    ),
    ("scontrol requeue 99999", 1, "", "Invalid job id specified for job 99999\n"),
    ("scontrol update JobId=99999 TimeLimit=5", 1, "", "Invalid job id specified for job 99999\n"),
    (
        "scontrol update NodeName=nosuch State=DRAIN Reason=x",
        1,
        "",
        "slurm_update error: Invalid node name specified\n",
    ),
    (
        "scontrol update PartitionName=nosuch State=UP",
        1,
        "",
        "slurm_update error: Invalid partition name specified\n",
    ),
    ("scontrol show nosuch", 1, "", "invalid entity:nosuch for keyword:show \n"),
    ("scontrol show partition nosuch", 1, "Partition nosuch not found\n", ""),
    ("scontrol show node nosuch", 1, "Node nosuch not found\n", ""),
    ("squeue --version", 0, "slurm-wlm 22.05.8\n", ""),
]


@pytest.mark.parametrize(("command", "code", "out", "err"), ANSWERS, ids=[case[0] for case in ANSWERS])
def test_answers(slurm: Slurm, command: str, code: int, out: str, err: str) -> None:
    assert slurm.run(*command.split()) == (code, out, err)


@pytest.mark.profile(BOOKED)
@pytest.mark.parametrize(
    ("command", "code", "out", "err"),
    [
        ("sacct -n -j 99999", 0, "", ""),
        ("sacct -j abc", 1, "", "sacct: fatal: Bad job/step specified: abc\n"),
        (
            "sacct -j 99999",
            0,
            "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode \n"
            "------------ ---------- ---------- ---------- ---------- ---------- -------- \n",
            "",
        ),
    ],
)
def test_sacct_answers(slurm: Slurm, command: str, code: int, out: str, err: str) -> None:
    assert slurm.run(*command.split()) == (code, out, err)


@pytest.mark.profile(BOOKED)
def test_sacct_is_late(slurm: Slurm) -> None:
    job = slurm.submit(Script(text="x"), "-n", "3", "-J", "a name too long")
    slurm.until(lambda: slurm.run("sacct", "-n", "-j", job).out != "", lambda: "nothing yet")
    slurm.finished(job)
    # real sacct calls a job "allocation" until its database knows the name
    slurm.until(
        lambda: re.search("a name to.*COMPLETED", slurm.run("sacct", "-n", "-X", "-j", job).out) is not None,
        lambda: slurm.run("sacct", "-n", "-X", "-j", job).out,
    )
    assert slurm.run("sacct", "-n", "-j", job).out == (
        f"{job:<12} a name to+     milano lcls:defa+          3  COMPLETED      0:0 \n"
        f"{job + '.batch':<12}      batch            lcls:defa+          3  COMPLETED      0:0 \n"
    )
    fields = "JobID,JobName,State,NodeList,AllocCPUS,User"
    user = slurm.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%u").out.strip()
    assert slurm.run("sacct", "-n", "-X", "-P", "-j", job, "-o", fields).out == (
        f"{job}|a name too long|COMPLETED|sdfmilan001|3|{user}\n"
    )
    assert slurm.run("sacct", "-n", "-X", "-p", "-j", job, "-o", "JobID,State").out == f"{job}|COMPLETED|\n"


def test_squeue_table(slurm: Slurm) -> None:
    running = slurm.running(None, "-J", "a long name")
    held = slurm.submit(LONG, "--hold", "-n3")
    user = slurm.run("squeue", "-h", "-j", held, "-o", "%u").out.strip()[:8]
    lines = slurm.run("squeue").out.splitlines()
    assert lines[0] == "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)"
    assert re.fullmatch(
        rf"{held:>18}    milano  script2 {user:>8} PD       0:00      1 \(JobHeld(User|Admin)\)", lines[1]
    )
    assert re.fullmatch(
        rf"{running:>18}    milano a long n {user:>8}  R +0:\d\d      1 sdfmilan001", lines[2]
    )
    long = slurm.run("squeue", "-l").out.splitlines()
    assert re.fullmatch(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4}", long[0])
    assert long[1] == (
        "             JOBID PARTITION     NAME     USER    STATE       TIME TIME_LIMI  NODES NODELIST(REASON)"
    )


def test_squeue_formats(slurm: Slurm) -> None:
    job = slurm.running(Script(sleep_s=600), "-n5", "-t", "10", "-J", "n", "--comment", "c d", "-A", "acc")
    out = slurm.run("squeue", "-h", "-j", job, "-o", "%A|%C|%D|%F|%K|%N|%P|%T|%a|%j|%k|%l|%r|%t|%v|%E|%b").out
    assert out == f"{job}|5|1|{job}|N/A|sdfmilan001|milano|RUNNING|acc|n|c d|10:00|None|R|(null)|(null)|N/A\n"
    assert slurm.run("squeue", "-h", "-j", job, "-o", "%.4C|%4C|%8j|").out == "   5|5   |n       |\n"


def test_squeue_filters(slurm: Slurm) -> None:
    running = slurm.running(None, "-J", "one")
    held = slurm.submit(LONG, "--hold", "-J", "two", "-p", "ampere")

    def ids(*options: str) -> set[str]:
        return set(slurm.run("squeue", "-h", "-o", "%i", *options).out.split())

    assert ids() == {running, held}
    assert ids("-n", "one") == {running}
    assert ids("-p", "ampere") == {held}
    assert ids("-t", "PD") == {held}
    assert ids("-t", "running") == {running}
    assert ids("-w", "sdfmilan001") == {running}
    assert ids("-j", f"{running},99999") == {running}
    assert ids("--me") == {running, held}


def test_a_finished_job_shows_only_when_asked_for(slurm: Slurm) -> None:
    job = slurm.submit(Script(exit_code=3))
    slurm.finished(job)
    assert slurm.run("squeue", "-h", "-j", job) == (0, "", "")
    assert slurm.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%T %r").out == "FAILED NonZeroExitCode\n"
    assert slurm.run("scancel", job) == (0, "", "")
    said = slurm.run("scancel", "-v", job).err
    assert said.endswith(f"error: Kill job error on job id {job}: Job/step already completing or completed\n")


def test_squeue_json(slurm: Slurm) -> None:
    failed, running = slurm.submit(Script(exit_code=3)), slurm.running(None, "-n2", "-t", "7", "-o", "log.%j")
    slurm.finished(failed)
    answer = slurm.run("squeue", "--json", "-j", "99999")
    assert answer.code == 0
    document = json.loads(answer.out)
    jobs = {str(job["job_id"]): job for job in document["jobs"]}
    assert document["errors"] == []
    assert (jobs[failed]["job_state"], jobs[failed]["exit_code"]) == ("FAILED", 768)
    job = jobs[running]
    assert job["job_state"] == "RUNNING"
    assert (job["cpus"], job["node_count"], job["nodes"], job["tasks"]) == (2, 1, "sdfmilan001", 2)
    assert (job["partition"], job["time_limit"], job["restart_cnt"]) == ("milano", 7, 0)
    assert job["standard_output"] == f"{slurm.work}/log.%j"
    assert jobs[failed]["standard_output"] == ""
    assert job["start_time"] - job["submit_time"] in range(5)


MEASURED = """JobId={id} JobName=scr
   UserId={user}({uid}) GroupId={group}({gid}) MCS_label=N/A
   Priority=# Nice=0 Account=(null) QOS=(null)
   JobState=COMPLETED Reason=None Dependency=(null)
   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=# TimeLimit=00:05:00 TimeMin=N/A
   SubmitTime=# EligibleTime=#
   AccrueTime=#
   StartTime=# EndTime=# Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=# Scheduler=#
   Partition=milano AllocNode:Sid=#
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList=sdfmilan001
   BatchHost=sdfmilan001
   NumNodes=1 NumCPUs=3 NumTasks=3 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   TRES=cpu=3,node=1,billing=3
   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*
   MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0
   Features=(null) DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)
   Command={work}/scr
   WorkDir={work}
   StdErr={work}/log.{id}
   StdIn=/dev/null
   StdOut={work}/log.{id}
   Power=


"""
_VARIES = (
    r"\b(Priority|RunTime|SubmitTime|EligibleTime|AccrueTime|StartTime|EndTime|LastSchedEval|Scheduler"
    r"|AllocNode:Sid)=\S+"
)


def test_the_record_of_a_job(slurm: Slurm) -> None:
    slurm.script(Script(), "scr")
    job = slurm.run("sbatch", "--parsable", "-n3", "-t", "5", "-o", "log.%j", "scr").out.strip()
    slurm.finished(job)
    person = slurm.run("squeue", "-h", "-t", "all", "-j", job, "-o", "%u %U %g %G").out.split()
    user, uid, group, gid = person
    expected = MEASURED.format(id=job, work=slurm.work, user=user, uid=uid, group=group, gid=gid)
    found = re.sub(_VARIES, r"\1=#", slurm.run("scontrol", "show", "job", job).out)
    assert [line.rstrip() for line in found.splitlines()] == [line.rstrip() for line in expected.splitlines()]


def test_the_record_of_a_waiting_job(slurm: Slurm) -> None:
    job = slurm.submit(LONG, "--hold", "-n", "300", "-N", "2-4", "-t", "5")
    record = slurm.record(job)
    assert (record["StartTime"], record["EndTime"], record["NodeList"]) == ("Unknown", "Unknown", "")
    assert (record["NumNodes"], record["NumCPUs"], record["NumTasks"]) == ("3-4", "300", "300")


@pytest.mark.parametrize(
    ("options", "nodes"), [(["-n1"], "1"), (["-n300"], "3"), (["-N3"], "3"), (["-n513"], "5")]
)
def test_how_many_nodes_a_waiting_job_shows(slurm: Slurm, options: list[str], nodes: str) -> None:
    job = slurm.submit(LONG, "--hold", *options)
    assert slurm.run("squeue", "-h", "-j", job, "-o", "%D").out == f"{nodes}\n"


def test_sinfo(slurm: Slurm) -> None:
    slurm.running(None, "-n130")
    out = slurm.run("sinfo", "-h", "-p", "milano", "-o", "%P|%a|%D|%T|%N").out.splitlines()
    assert sorted(out) == [
        "milano*|up|1|allocated|sdfmilan001",
        "milano*|up|1|mixed|sdfmilan002",
        "milano*|up|2|idle|sdfmilan[003-004]",
    ]
    assert slurm.run("sinfo", "-h", "-p", "milano", "-o", "%C").out == "130/382/0/512\n"
    assert slurm.run("sinfo", "-p", "ampere").out == (
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n"
        "ampere       up   infinite      2   idle sdfampere[001-002]\n"
    )
    states = slurm.run("sinfo", "-h", "-o", "%R %a").out.split("\n")
    assert {"drain drain", "inactive inactive", "down down", "milano up"} <= set(states)


def test_the_record_of_a_partition(slurm: Slurm) -> None:
    assert slurm.run("scontrol", "show", "partition", "ampere").out == (
        "PartitionName=ampere\n"
        "   AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL\n"
        "   AllocNodes=ALL Default=NO QoS=N/A\n"
        "   DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO\n"
        "   MaxNodes=UNLIMITED MaxTime=UNLIMITED MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED\n"
        "   Nodes=sdfampere[001-002]\n"
        "   PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO\n"
        "   OverTimeLimit=NONE PreemptMode=OFF\n"
        "   State=UP TotalCPUs=128 TotalNodes=2 SelectTypeParameters=NONE\n"
        "   JobDefaults=(null)\n"
        "   DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED\n"
        "   TRES=cpu=128,mem=16000M,node=2,billing=128\n\n"
    )


def test_the_record_of_a_node(slurm: Slurm) -> None:
    slurm.running(None, "-p", "ampere", "-n3")
    text = slurm.run("scontrol", "-o", "show", "node", "sdfampere001").out
    for part in (
        "NodeName=sdfampere001 ", "CPUAlloc=3 CPUEfctv=64 CPUTot=64 ", "Gres=gpu:a100:4", " State=MIXED ",
        "Partitions=ampere ", "CfgTRES=cpu=64,mem=8000M,billing=64 AllocTRES=cpu=3", " Version=22.05.8",
    ):  # fmt: skip
        assert part in text


def test_without_a_limit_backfill_gives_it_a_year(slurm: Slurm) -> None:
    held = slurm.submit(LONG, "--hold")
    assert slurm.record(held)["TimeLimit"] == "UNLIMITED"
    assert slurm.record(held)["EligibleTime"] == "Unknown"
    record = slurm.record(slurm.running())
    # either loop may come first
    assert record["TimeLimit"] == {"Backfill": "365-00:00:00", "Main": "UNLIMITED"}[record["Scheduler"]]
