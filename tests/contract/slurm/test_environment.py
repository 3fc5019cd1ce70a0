"""What a batch script finds in its environment and where its output goes: facts, section 2."""

import os

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import BOOKED
from tests.contract.slurm.script import Script

ABSENT = None
VARIABLES: list[tuple[list[str], dict[str, str | None]]] = [
    (
        ["--ntasks=100", "-J", "n100"],
        {
            "SLURM_CPUS_ON_NODE": "100",
            "SLURM_GTIDS": "0",
            "SLURM_JOB_CPUS_PER_NODE": "100",
            "SLURM_JOB_NAME": "n100",
            "SLURM_JOB_NODELIST": "sdfmilan001",
            "SLURM_NODELIST": "sdfmilan001",
            "SLURMD_NODENAME": "sdfmilan001",
            "HOSTNAME": "sdfmilan001",
            "SLURM_JOB_NUM_NODES": "1",
            "SLURM_NNODES": "1",
            "SLURM_JOB_PARTITION": "milano",
            "SLURM_LOCALID": "0",
            "SLURM_NODEID": "0",
            "SLURM_PROCID": "0",
            "SLURM_PRIO_PROCESS": "0",
            "SLURM_NODE_ALIASES": "(null)",
            "SLURM_NPROCS": "100",
            "SLURM_NTASKS": "100",
            "SLURM_TASKS_PER_NODE": "100",
            "SLURM_TOPOLOGY_ADDR": "sdfmilan001",
            "SLURM_TOPOLOGY_ADDR_PATTERN": "node",
            "ENVIRONMENT": "BATCH",
            "TMPDIR": "/tmp",
            "SLURM_JOB_ACCOUNT": ABSENT,
            "SLURM_JOB_QOS": ABSENT,
            "SLURM_CPUS_PER_TASK": ABSENT,
            "SLURM_NTASKS_PER_NODE": ABSENT,
            "SLURM_MEM_PER_NODE": ABSENT,
            "SLURM_RESTART_COUNT": ABSENT,
            "SLURM_ARRAY_TASK_ID": ABSENT,
            "SLURM_GPUS_ON_NODE": ABSENT,
        },
    ),
    ([], {"SLURM_NTASKS": ABSENT, "SLURM_NPROCS": ABSENT, "SLURM_CPUS_ON_NODE": "1"}),
    (["-A", "someone"], {"SLURM_JOB_ACCOUNT": "someone"}),
    (
        ["--nodes=2", "--ntasks=200"],
        {
            "SLURM_CPUS_ON_NODE": "128",
            "SLURM_JOB_CPUS_PER_NODE": "128,72",
            "SLURM_TASKS_PER_NODE": "128,72",
            "SLURM_JOB_NODELIST": "sdfmilan[001-002]",
            "SLURM_NNODES": "2",
            "SLURM_NTASKS": "200",
        },
    ),
    (
        ["--ntasks=3", "--cpus-per-task=4"],
        {
            "SLURM_CPUS_PER_TASK": "4",
            "SLURM_CPUS_ON_NODE": "12",
            "SLURM_JOB_CPUS_PER_NODE": "12",
            "SLURM_TASKS_PER_NODE": "3",
            "SLURM_NTASKS": "3",
        },
    ),
    (
        ["-N", "2", "--ntasks-per-node=3", "--mem=100"],
        {
            "SLURM_NTASKS_PER_NODE": "3",
            "SLURM_MEM_PER_NODE": "100",
            "SLURM_TASKS_PER_NODE": "3(x2)",
            "SLURM_JOB_CPUS_PER_NODE": "3(x2)",
            "SLURM_NTASKS": "6",
        },
    ),
    (["--exclusive", "-n1"], {"SLURM_CPUS_ON_NODE": "128", "SLURM_NTASKS": "1"}),
    (
        ["-n100", "-N0-4"],
        {"SLURM_JOB_CPUS_PER_NODE": "100,1(x3)", "SLURM_TASKS_PER_NODE": "97,1(x3)"},
    ),
    (["-p", "ampere", "--gres=gpu:2"], {"SLURM_GPUS_ON_NODE": "2"}),
]


@pytest.mark.parametrize(
    ("options", "expected"), VARIABLES, ids=[" ".join(case[0]) or "nothing" for case in VARIABLES]
)
def test_variables(slurm: Slurm, options: list[str], expected: dict[str, str | None]) -> None:
    job = slurm.submit(Script(), *options)
    found = slurm.environment(job)
    assert {name: found.get(name) for name in expected} == expected
    assert (found["SLURM_JOB_ID"], found["SLURM_JOBID"]) == (job, job)
    assert (found["SLURM_SUBMIT_DIR"], found["SLURM_SUBMIT_HOST"]) == (str(slurm.work), slurm.leg.host)
    assert (found["SLURM_JOB_UID"], found["SLURM_JOB_GID"]) == (str(os.getuid()), str(os.getgid()))


@pytest.mark.profile(BOOKED)
def test_with_accounting_there_are_account_and_qos(slurm: Slurm) -> None:
    found = slurm.environment(slurm.submit(Script()))
    assert (found["SLURM_JOB_ACCOUNT"], found["SLURM_JOB_QOS"]) == ("lcls:default", "normal")


def test_an_array_task_knows_its_place(slurm: Slurm) -> None:
    array = slurm.submit(Script(sleep_s=600), "--array=3-7:2", "-o", "log")
    slurm.wait(f"{array}_7", "RUNNING")
    ids = [slurm.record(f"{array}_{task}")["JobId"] for task in (3, 5, 7)]
    assert ids[2] == array
    for task, job in zip((3, 5, 7), ids, strict=True):
        found = slurm.environment(job)
        assert {name: value for name, value in found.items() if name.startswith("SLURM_ARRAY")} == {
            "SLURM_ARRAY_JOB_ID": array,
            "SLURM_ARRAY_TASK_ID": str(task),
            "SLURM_ARRAY_TASK_COUNT": "3",
            "SLURM_ARRAY_TASK_MAX": "7",
            "SLURM_ARRAY_TASK_MIN": "3",
            "SLURM_ARRAY_TASK_STEP": "2",
        }


EXPORTS: list[tuple[str | None, dict[str, str | None]]] = [
    (None, {"TOKEN": "t 1", "FOO": "f", "NEW": ABSENT, "ENVIRONMENT": "BATCH"}),
    ("ALL", {"TOKEN": "t 1", "FOO": "f"}),
    ("NONE", {"TOKEN": ABSENT, "FOO": ABSENT, "SLURM_JOB_NAME": "script1", "HOME": "*", "PATH": "*"}),
    ("NIL", {"TOKEN": ABSENT, "FOO": ABSENT}),
    ("FOO", {"TOKEN": ABSENT, "FOO": "f", "HOME": "*"}),
    ("ALL,NEW=1", {"TOKEN": "t 1", "NEW": "1"}),
    ("TOKEN,FOO=x", {"TOKEN": "t 1", "FOO": "x"}),
]


@pytest.mark.parametrize(("export", "expected"), EXPORTS)
def test_export(slurm: Slurm, export: str | None, expected: dict[str, str | None]) -> None:
    options = [] if export is None else [f"--export={export}"]
    job = slurm.submit(Script(), *options, env={"TOKEN": "t 1", "FOO": "f"})
    found = slurm.environment(job)
    for name, value in expected.items():
        if value == "*":
            assert name in found
        else:
            assert found.get(name) == value


def test_variables_of_an_enclosing_job_leak(slurm: Slurm) -> None:
    outer = {"SLURM_NTASKS": "3", "SLURM_ARRAY_TASK_ID": "5", "SLURM_JOB_ID": "1"}
    job = slurm.submit(Script(), env=outer)
    found = slurm.environment(job)
    assert (found["SLURM_NTASKS"], found["SLURM_ARRAY_TASK_ID"]) == ("3", "5")
    assert found["SLURM_JOB_ID"] == job


PATTERNS = [
    ("o.%j", "o.{id}"),
    ("o.%A", "o.{id}"),
    ("o.%J", "o.{id}"),
    ("o.%x", "o.name"),
    ("o.%N", "o.{host}"),
    ("o.%a", "o.4294967294"),
    ("o.%n", "o.0"),
    ("o.%t", "o.0"),
    ("o.%s", "o.batch"),
    ("o.%b", "o.%b"),
    ("o.%%", "o.%"),
    ("o.%9j", "o.{id:0>9}"),
    ("o.%q", "o.%q"),
    ("o.%p", "o.%p"),
    ("ü %j 'q'", "ü {id} 'q'"),
    (None, "slurm-{id}.out"),
]


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS)
def test_output_file_names(slurm: Slurm, pattern: str | None, expected: str) -> None:
    options = [] if pattern is None else ["-o", pattern]
    job = slurm.submit(Script(text="hello"), "-J", "name", *options)
    assert slurm.finished(job) == "COMPLETED None 0:0"
    assert slurm.leg.output(expected.format(id=job, host=slurm.leg.host)) == "hello\n"


SHOWN = ["o.%j", "o.%A.%a", "o.%x.%u", "o.%J", "o.%N", "o.%5j", "o.%%", "o.%q"]


@pytest.mark.parametrize("pattern", SHOWN)
def test_scontrol_shows_only_some_patterns_expanded(slurm: Slurm, pattern: str) -> None:
    job = slurm.submit(Script(), "--hold", "-J", "name", "-o", pattern)
    user = slurm.run("squeue", "-h", "-j", job, "-o", "%u").out.strip()
    values = {"%j": job, "%A": job, "%a": "4294967294", "%x": "name", "%u": user}
    for mark, value in values.items():
        pattern = pattern.replace(mark, value)
    assert slurm.record(job)["StdOut"] == f"{slurm.work}/{pattern}"


def test_array_output(slurm: Slurm) -> None:
    array = slurm.submit(Script(text="hello"), "--array=1-2")
    for task in (1, 2):
        slurm.until(
            lambda task=task: slurm.leg.output(f"slurm-{array}_{task}.out") == "hello\n",  # type: ignore[misc]
            lambda: "not there",
        )


def test_append_and_truncate(slurm: Slurm) -> None:
    for mode, expected in (("truncate", "x\n"), ("append", "x\nx\n"), ("truncate", "x\n")):
        job = slurm.submit(Script(text="x"), "-o", "log", f"--open-mode={mode}")
        slurm.finished(job)
        assert slurm.leg.output("log") == expected


@pytest.mark.parametrize(
    "options", [["-o", "missing/o%j"], ["-D", "/nonexistent"], ["-J", "a/b", "-o", "%x"]]
)
def test_an_output_that_cannot_be_opened(slurm: Slurm, options: list[str]) -> None:
    job = slurm.submit(Script(text="x"), *options)
    assert slurm.finished(job) == "FAILED JobLaunchFailure 0:53"


def test_the_working_directory(slurm: Slurm) -> None:
    (slurm.work / "sub").mkdir()
    job = slurm.submit(Script(text="x"), "-D", "sub", "-o", "log")
    assert slurm.record(job)["WorkDir"] == f"{slurm.work}/sub"
    slurm.finished(job)
    assert slurm.leg.output("sub/log") == "x\n"
