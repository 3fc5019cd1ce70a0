"""How options are read, and what a job then has: facts, section 3."""

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import LIMITS
from tests.contract.slurm.script import Script

GOT: list[tuple[list[str], str]] = [
    (["--ntasks", "12"], "1 12 12"),
    (["--ntasks=12"], "1 12 12"),
    (["-n", "12"], "1 12 12"),
    (["-n12"], "1 12 12"),
    (["--ntasks=12", "--ntasks=3"], "1 3 3"),
    (["-n", "3", "--ntasks=5"], "1 5 5"),
    (["-n130"], "2 130 130"),
    (["--nodes=2"], "2 2 2"),
    (["--nodes=2", "-n3"], "2 3 3"),
    (["--nodes=1-4"], "4 4 4"),
    (["--nodes=1-4", "-n2"], "2 2 2"),
    (["--nodes=1-4", "-n100"], "4 100 100"),
    (["--nodes=1-10", "-n20"], "4 20 20"),
    (["--ntasks=10", "--ntasks-per-node=3"], "4 12 12"),
    (["--ntasks=10", "--ntasks-per-node=5"], "2 10 10"),
    (["--exclusive"], "1 128 1"),
    (["-n3", "-c4"], "1 12 3"),
    (["-N2", "--ntasks-per-node=3"], "2 6 6"),
    (["-n100", "-N0-4"], "4 103 100"),
    (["-n200", "-N0-4"], "4 202 200"),
    (["-n10", "-N0-1"], "1 10 10"),
    (["-n200", "-N0-2"], "2 200 200"),
]


@pytest.mark.parametrize(("options", "expected"), GOT, ids=[" ".join(case[0]) for case in GOT])
def test_nodes_cores_and_tasks(slurm: Slurm, options: list[str], expected: str) -> None:
    job = slurm.running(None, *options)
    record = slurm.record(job)
    assert f"{record['NumNodes']} {record['NumCPUs']} {record['NumTasks']}" == expected


@pytest.mark.parametrize(
    ("options", "partition"),
    [
        (["--part=ampere"], "ampere"),
        (["--parti=milano"], "milano"),
        (["--partition=milano,ampere"], "milano"),
        (["--partition=ampere,milano"], "ampere"),
        ([], "milano"),
    ],
)
def test_partitions(slurm: Slurm, options: list[str], partition: str) -> None:
    job = slurm.running(None, *options, *(["-n1"] if "," not in "".join(options) else ["-n100"]))
    assert slurm.record(job)["Partition"] == partition


LIMITS_READ = [
    ("90", "01:30:00"),
    ("1:30", "00:02:00"),
    ("00:00:20", "00:01:00"),
    ("1:0:0", "01:00:00"),
    ("1-0", "1-00:00:00"),
    ("1-2:3", "1-02:03:00"),
    ("00:01", "00:01:00"),
    ("unlimited", "UNLIMITED"),
]


@pytest.mark.parametrize(("text", "shown"), LIMITS_READ)
def test_time_limits(slurm: Slurm, text: str, shown: str) -> None:
    assert slurm.record(slurm.submit(Script(), "--hold", "-t", text))["TimeLimit"] == shown


@pytest.mark.profile(LIMITS)
def test_without_a_limit_it_has_the_partitions(slurm: Slurm) -> None:
    assert slurm.record(slurm.submit(Script(), "--hold"))["TimeLimit"] == "01:00:00"
    assert slurm.record(slurm.running())["TimeLimit"] == "01:00:00"


def test_sbatch_lines_count_until_the_first_command(slurm: Slurm) -> None:
    text = "#!/bin/bash\n#SBATCH -n 7\n# a comment\n#SBATCH -J named\ntrue\n#SBATCH -J later\n"
    (slurm.work / "script").write_text(text)
    job = slurm.run("sbatch", "--parsable", "--hold", "script").out.strip()
    record = slurm.record(job)
    assert (record["NumTasks"], record["JobName"]) == ("7", "named")


def test_the_command_line_beats_the_environment_which_beats_the_script(slurm: Slurm) -> None:
    (slurm.work / "script").write_text("#!/bin/bash\n#SBATCH -p milano\n#SBATCH -n 7\n#SBATCH -J script\n")
    env = {"SBATCH_PARTITION": "ampere", "SBATCH_JOB_NAME": "environment"}
    job = slurm.run("sbatch", "--parsable", "--hold", "-n5", "script", env=env).out.strip()
    record = slurm.record(job)
    assert [record[key] for key in ("Partition", "NumTasks", "JobName")] == ["ampere", "5", "environment"]
    job = slurm.run("sbatch", "--parsable", "--hold", "-p", "milano", "script", env=env).out.strip()
    assert slurm.record(job)["Partition"] == "milano"


def test_after_the_script_everything_is_its_argument(slurm: Slurm) -> None:
    job = slurm.run(
        "sbatch", "--parsable", "--hold", slurm.script(Script()), "--partition=ampere", "-n", "3"
    ).out.strip()
    record = slurm.record(job)
    assert (record["Partition"], record["NumTasks"]) == ("milano", "1")
    assert record["Command"].endswith("script1 --partition=ampere -n 3")


@pytest.mark.parametrize(
    ("argv", "stdin", "name"),
    [
        (["--wrap=true"], "", "wrap"),
        (["script"], "", "script"),
        ([], "#!/bin/sh\n", "sbatch"),
        (["-J", "n ü", "script"], "", "n ü"),
    ],
)
def test_names(slurm: Slurm, argv: list[str], stdin: str, name: str) -> None:
    slurm.script(Script(), "script")
    answer = slurm.run("sbatch", "--parsable", "--hold", *argv, stdin=stdin)
    assert slurm.run("squeue", "-h", "-j", answer.out.strip(), "-o", "%j").out == f"{name}\n"


def test_nodes_by_name(slurm: Slurm) -> None:
    job = slurm.running(None, "-w", "sdfmilan003")
    assert slurm.record(job)["NodeList"] == "sdfmilan003"
    job = slurm.running(None, "-x", "sdfmilan[001,003]")
    assert slurm.record(job)["NodeList"] == "sdfmilan002"


@pytest.mark.parametrize(
    ("option", "first", "second"),
    [("--gres=gpu:3", "sdfampere001", "sdfampere002"), ("--gres=gpu:a100:2", "sdfampere001", "sdfampere001")],
)
def test_devices_are_counted(slurm: Slurm, option: str, first: str, second: str) -> None:
    nodes = [slurm.record(slurm.running(None, "-p", "ampere", option))["NodeList"] for _ in range(2)]
    assert nodes == [first, second]


def test_devices_run_out(slurm: Slurm) -> None:
    for _ in range(2):
        slurm.running(None, "-p", "ampere", "--gres=gpu:3")
    job = slurm.submit(Script(), "-p", "ampere", "--gpus-per-node=2")
    slurm.wait(job, "PENDING Resources")


def test_a_more_important_job_goes_first(slurm: Slurm) -> None:
    slurm.running(None, "-n512", "-t", "5")
    nice = slurm.submit(Script(sleep_s=600), "--nice=50", "-n512", "-t", "5")
    usual = slurm.submit(Script(sleep_s=600), "-n512", "-t", "5")
    assert int(slurm.record(nice)["Priority"]) < int(slurm.record(usual)["Priority"])
    slurm.run("scancel", "--name", "script1")
    slurm.wait(usual, "RUNNING")
    assert slurm.state(nice).startswith("PENDING")
