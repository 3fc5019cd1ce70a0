"""squeue, scancel, scontrol, sinfo, sacct: words and exit codes."""

import signal

import pytest

from lute.slurm.records import parse_job
from lute.slurm.states import SlurmState
from simulators.slurm.commands import Reply
from simulators.slurm.hostlist import compress, compress_counts, expand
from tests.simulators.slurm.world import START, World

HEADER = "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n"


def said(reply: Reply) -> tuple[int, str, str]:
    return reply.exit_code, reply.stdout, reply.stderr


def test_squeue_default_table() -> None:
    world = World()
    world.wrap("-n200", "-J", "a long name with blanks")
    world.wrap("-n512")
    world.pass_time(3725)
    assert world.ask("squeue").stdout == (
        HEADER
        + "                 2    milano     wrap   tester PD       0:00      4 (Resources)\n"
        + "                 1    milano a long n   tester  R    1:02:05      2 sdfmilan[001-002]\n"
    )


def test_squeue_formats() -> None:
    world = World()
    world.wrap("-J", "a|b c", "-A", "lcls:x", "-t", "90")
    assert world.ask("squeue", "-h", "-o", "%i|%T|%r|%u|%P|%a|%l|%j").stdout == (
        "1|RUNNING|None|tester|milano|lcls:x|1:30:00|a|b c\n"
    )
    assert world.ask("squeue", "-o", "%.5i %3t|%S %Z").stdout == (
        "JOBID ST |START_TIME WORK_DIR\n    1 R  |2026-11-22T10:15:36 /home/tester/w\n"
    )
    assert world.ask("squeue", "-l").stdout.startswith("Sun Nov 22 10:15:36 2026\n")
    assert "not simulated" in world.ask("squeue", "-o", "%z").stderr


@pytest.mark.parametrize(
    ("argv", "ids"),
    [
        ([], "1 2"),
        (["-t", "all"], "1 2 3"),
        (["-t", "PD"], "2"),
        (["-t", "completed,r"], "1 3"),
        (["-j", "1,3", "-t", "all"], "1 3"),
        (["-j1"], "1"),
        (["--jobs=1,99"], "1"),
        (["-j", "98,99"], ""),
        (["-j", "3"], ""),
        (["-n", "two"], "2"),
        (["--name=two,one"], "1 2"),
        (["-u", "tester"], "1 2"),
        (["-u", "1001"], "1 2"),
        (["--me"], "1 2"),
        (["-p", "ampere"], ""),
        (["-S", "-i"], "2 1"),
    ],
)
def test_squeue_selection(argv: list[str], ids: str) -> None:
    world = World()
    world.wrap("-J", "one")
    world.wrap("-J", "two", "-n512")
    world.controller.ended(world.wrap("-p", "ampere").id, 0, 0)
    reply = world.ask("squeue", "-h", "-o", "%i", *argv)
    assert (reply.exit_code, reply.stderr) == (0, "")
    assert sorted(reply.stdout.split()) == sorted(ids.split())
    if "-S" in argv:
        assert reply.stdout.split() == ids.split()


def test_squeue_errors() -> None:
    world = World()
    assert said(world.ask("squeue", "-j", "99")) == (
        1,
        "",
        "slurm_load_jobs error: Invalid job id specified\n",
    )
    assert said(world.ask("squeue", "-j", "abc")) == (1, "", "squeue: error: Invalid job id: abc\n")
    assert said(world.ask("squeue", "-u", "nosuch")) == (0, HEADER, "squeue: error: Invalid user: nosuch\n\n")
    assert world.ask("squeue", "-t", "foo").stderr.startswith(
        "squeue: error: Invalid job state specified: foo\n"
    )
    assert said(world.ask("squeue", "--bogus")) == (
        1,
        "",
        "squeue: unrecognized option '--bogus'\nTry \"squeue --help\" for more information\n",
    )
    assert said(world.ask("squeue", "--yaml"))[2] == "squeue: error: not simulated: --yaml\n"


def test_scancel() -> None:
    world = World()
    first, second, third = world.wrap("-J", "a"), world.wrap("-J", "b"), world.wrap("-J", "a")
    assert said(world.ask("scancel", str(first.id))) == (0, "", "")
    assert first.state is SlurmState.COMPLETING
    assert said(world.ask("scancel", "-n", "a", "-u", "tester")) == (0, "", "")
    assert (second.state, third.state) == (SlurmState.RUNNING, SlurmState.COMPLETING)
    assert said(world.ask("scancel", "-s", "USR1", "-b", str(second.id))) == (0, "", "")
    assert world.launcher.calls[-1] == ("send", second.id, signal.SIGUSR1, True)
    assert said(world.ask("scancel", "--signal=USR1", str(second.id))) == (0, "", "")
    assert said(world.ask("scancel", "-t", "PENDING", "--me")) == (0, "", "")
    assert second.state is SlurmState.RUNNING
    assert said(world.ask("scancel", "-s", "KILL", f"{second.id},{third.id}")) == (0, "", "")
    assert second.state is SlurmState.COMPLETING


def test_scancel_errors() -> None:
    world = World()
    unknown = (
        "scancel: Terminating job 99999\n"
        "scancel: error: Kill job error on job id 99999: Invalid job id specified\n"
    )
    assert said(world.ask("scancel", "99999")) == (0, "", "")
    assert said(world.ask("scancel", "-v", "99999")) == (0, "", unknown)
    assert said(world.ask("scancel", "abc")) == (1, "", "scancel: error: Invalid job id abc\n")
    assert said(world.ask("scancel")) == (1, "", "scancel: error: No job identification provided\n")
    assert said(world.ask("scancel", "-s", "foo", "1")) == (1, "", "Unknown job signal: foo\n")


def test_scontrol_show_job_is_what_production_reads() -> None:
    world = World()
    world.ask(
        "sbatch",
        "-J",
        "my job",
        "-A",
        "lcls:x",
        "-n3",
        "-t5",
        "-o",
        "full_%j.out",
        "s.sh",
        script="#!/bin/sh\n",
    )
    for option in ((), ("-o",)):
        job = parse_job(world.ask("scontrol", *option, "show", "job", "1").stdout)
        assert job is not None
        assert (job.job_id, job.name, job.account, job.num_cpus) == ("1", "my job", "lcls:x", 3)
        assert (job.submit_time, job.start_time) == (START, START)
        assert job.end_time is not None
        assert (job.end_time - START).total_seconds() == 300
        assert (job.stdout_path, job.nodes) == ("/home/tester/w/full_1.out", "sdfmilan001")


def test_scontrol_record_matches_the_measured_one() -> None:
    world = World()
    world.cluster.next_id = 180
    argv = ("-J", "scr", "-A", "lcls:mfxl1033223", "-q", "normal", "-n3", "-t5", "-o", "full_%j.out")
    world.ask("sbatch", *argv, "s.sh", script="#!/bin/sh\n")
    world.controller.ended(180, 0, 0)
    text = world.ask("scontrol", "show", "job", "180").stdout
    assert text.splitlines()[:4] == [
        "JobId=180 JobName=scr",
        "   UserId=tester(1001) GroupId=tester(1001) MCS_label=N/A",
        "   Priority=4294901759 Nice=0 Account=lcls:mfxl1033223 QOS=normal",
        "   JobState=COMPLETED Reason=None Dependency=(null)",
    ]
    assert text.splitlines()[14:] == [
        "   NumNodes=1 NumCPUs=3 NumTasks=3 CPUs/Task=1 ReqB:S:C:T=0:0:*:*",
        "   TRES=cpu=3,node=1,billing=3",
        "   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*",
        "   MinCPUsNode=1 MinMemoryNode=0 MinTmpDiskNode=0",
        "   Features=(null) DelayBoot=00:00:00",
        "   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)",
        "   Command=/home/tester/w/s.sh",
        "   WorkDir=/home/tester/w",
        "   StdErr=/home/tester/w/full_180.out",
        "   StdIn=/dev/null",
        "   StdOut=/home/tester/w/full_180.out",
        "   Power=",
        "   ",
        "",
    ]


@pytest.mark.parametrize(
    ("argv", "code", "out", "err"),
    [
        (["show", "job", "99"], 1, "", "slurm_load_jobs error: Invalid job id specified\n"),
        (["show", "job", "abc"], 1, "", "scontrol_print_job error: Invalid job id specified\n"),
        (["show", "job"], 0, "No jobs in the system\n", ""),
        (["show", "bogus"], 1, "", "invalid entity:bogus for keyword:show \n"),
        (["show"], 1, "", "too few arguments for keyword:show\n"),
        (["bogus"], 1, "", "invalid keyword: bogus\n"),
        (["ping"], 0, "Slurmctld(primary) at vm is UP\n", ""),
        (["update", "JobId=1", "Name=x"], 1, "", "Invalid job id specified for job 1\n"),
        (["suspend", "1"], 1, "", "scontrol: error: not simulated: suspend\n"),
    ],
)
def test_scontrol_answers(argv: list[str], code: int, out: str, err: str) -> None:
    assert said(World().ask("scontrol", *argv)) == (code, out, err)


def test_sinfo() -> None:
    world = World()
    world.wrap("-n200")
    assert world.ask("sinfo").stdout == (
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n"
        "milano*      up   infinite      1    mix sdfmilan002\n"
        "milano*      up   infinite      1  alloc sdfmilan001\n"
        "milano*      up   infinite      2   idle sdfmilan[003-004]\n"
        "ampere       up   infinite      2   idle sdfampere[001-002]\n"
    )
    assert world.ask("sinfo", "-h", "-o", "%R %C %D", "-p", "milano").stdout == "milano 200/312/0/512 4\n"


def test_sacct_has_no_accounting() -> None:
    assert said(World().ask("sacct", "-j", "1")) == (1, "", "Slurm accounting storage is disabled\n")


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["sdfmilan001"], "sdfmilan001"),
        (["sdfmilan001", "sdfmilan002", "sdfmilan004"], "sdfmilan[001-002,004]"),
        (["a9", "a10", "b"], "a9,a10,b"),
    ],
)
def test_hostlists(names: list[str], text: str) -> None:
    assert compress(names) == text
    assert expand(text) == names


def test_counts() -> None:
    assert compress_counts([128, 72]) == "128,72"
    assert compress_counts([100, 1, 1, 1]) == "100,1(x3)"
