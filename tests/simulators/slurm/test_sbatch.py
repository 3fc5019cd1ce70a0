"""sbatch: words, exit codes and what reaches the job."""

import re

import pytest

from simulators.slurm.environment import batch_environment, exported
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.times import parse_time_limit
from tests.simulators.slurm.world import World

FAILED = "sbatch: error: Batch job submission failed: "
SCRIPT = "#!/bin/sh\ntrue\n"


def test_what_it_prints() -> None:
    world = World()
    assert world.ask("sbatch", "a.sh", script=SCRIPT).stdout == "Submitted batch job 1\n"
    assert world.ask("sbatch", "--parsable", "--wrap=true").stdout == "2\n"
    assert world.ask("sbatch", "-Q", "--wrap=true").stdout == ""
    waiting = world.ask("sbatch", "-W", "--wrap=true")
    assert (waiting.stdout, waiting.wait_for) == ("Submitted batch job 4\n", 4)


@pytest.mark.parametrize(
    ("argv", "script", "code", "stderr"),
    [
        (
            ["--bogus"],
            None,
            255,
            "sbatch: unrecognized option '--bogus'\nTry \"sbatch --help\" for more information\n",
        ),
        (["nonexist.sh"], None, 1, "sbatch: error: Unable to open file nonexist.sh\n"),
        ([], "", 1, "sbatch: error: Batch script is empty!\n"),
        (
            ["a.sh"],
            "echo hi\n",
            1,
            "sbatch: error: This does not look like a batch script.  The first\n"
            "sbatch: error: line must start with #! followed by the path to an interpreter.\n"
            "sbatch: error: For instance: #!/bin/sh\n",
        ),
        (
            ["a.sh"],
            "#!/bin/sh\r\n",
            1,
            "sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n"
            "sbatch: error: instead of expected UNIX line breaks (\\n).\n",
        ),
        (["--wrap=x", "a.sh"], None, 1, "sbatch: error: Script arguments not permitted with --wrap option\n"),
        (
            ["-p", "nosuch", "a.sh"],
            SCRIPT,
            1,
            f"sbatch: error: invalid partition specified: nosuch\n{FAILED}Invalid partition name specified\n",
        ),
        (["-N1", "-n129", "a"], SCRIPT, 1, f"{FAILED}Requested node configuration is not available\n"),
        (
            ["--nodes=0-1", "-n200", "a"],
            SCRIPT,
            1,
            f"{FAILED}Requested node configuration is not available\n",
        ),
        (["--dependency=bogus", "a"], SCRIPT, 1, f"{FAILED}Job dependency problem\n"),
        (["--reservation=nosuch", "a"], SCRIPT, 1, f"{FAILED}Requested reservation is invalid\n"),
        (["--nodes=0", "a"], SCRIPT, 1, f"{FAILED}Node count specification invalid\n"),
        (
            ["--nodes=4-1", "a"],
            SCRIPT,
            255,
            "sbatch: error: Maximum node count 1 is less than minimum node count 4\n",
        ),
        (["--nodes=abc", "a"], SCRIPT, 255, 'sbatch: error: "abc" is not a valid node count\n'),
        (["--nodes=1-x", "a"], SCRIPT, 255, 'sbatch: error: "x" is not a valid node count\n'),
        (["-n", "abc", "a"], SCRIPT, 1, 'sbatch: error: Invalid numeric value "abc" for --ntasks.\n'),
        (["-n0", "a"], SCRIPT, 1, 'sbatch: error: Invalid numeric value "0" for --ntasks.\n'),
        (["--ntasks=-1", "a"], SCRIPT, 1, 'sbatch: error: Invalid numeric value "-1" for --ntasks.\n'),
        (["--time=bogus", "a"], SCRIPT, 255, "sbatch: error: Invalid --time specification\n"),
        (["--open-mode=z", "a"], SCRIPT, 255, "sbatch: error: Invalid --open-mode specification\n"),
        (["--uid=0", "a"], SCRIPT, 255, "sbatch: error: --uid only permitted by root user\n"),
        (
            ["a"],
            "#!/bin/sh\n#SBATCH -n 2 foo\n",
            255,
            "sbatch: error: Invalid directive found in batch script: foo\n",
        ),
        (["a"], '#!/bin/sh\n#SBATCH -J "a b\n', 1, 'sbatch: fatal: a: line 2: Unmatched `"` in [ "a b]\n'),
        (["--licenses=a", "a"], SCRIPT, 1, "sbatch: error: not simulated: --licenses\n"),
        (["--gres=gpu:1", "a"], SCRIPT, 1, "sbatch: error: Invalid generic resource (gres) specification\n"),
        (["-d", "aftercorr:1", "a"], SCRIPT, 1, "sbatch: error: not simulated: --dependency=aftercorr:1\n"),
        (["a"], "#!/bin/sh\n#SBATCH --signal=9\n", 1, "sbatch: error: not simulated: --signal\n"),
    ],
)
def test_refusals(argv: list[str], script: str | None, code: int, stderr: str) -> None:
    world = World()
    reply = world.ask("sbatch", *argv, script=script)
    assert (reply.exit_code, reply.stdout, reply.stderr) == (code, "", stderr)
    assert not world.cluster.jobs


def test_too_few_tasks_for_the_nodes_is_a_warning() -> None:
    reply = World().ask("sbatch", "-N2", "-n1", "--wrap=true")
    assert (reply.exit_code, reply.stdout) == (0, "Submitted batch job 1\n")
    assert reply.stderr == "sbatch: Warning: can't run 1 processes on 2 nodes, setting nnodes to 1\n"


def test_command_line_beats_environment_beats_script() -> None:
    script = (
        "#!/bin/sh\n\n# note\n#SBATCH -p ampere -A fromscript -J 'a b'  # why\ntrue\n#SBATCH --qos=late\n"
    )
    world = World()
    world.ask(
        "sbatch", "-A", "line", "s.sh", script=script, env={"SBATCH_PARTITION": "milano", "SBATCH_QOS": "q"}
    )
    request = world.cluster.jobs[1].request
    assert (request.partitions, request.account, request.name, request.qos) == (
        ("milano",),
        "line",
        "a b",
        "q",
    )


def test_everything_behind_the_script_is_its_own() -> None:
    world = World()
    odd = ["--partition=ampere", "", "a b", "'q\"", "new\nline", "ü"]
    world.ask("sbatch", "-D", "sub dir", "my dir/ü s.sh", *odd, script=SCRIPT)
    request = world.cluster.jobs[1].request
    assert request.arguments == tuple(odd)
    assert request.partitions == ("milano",)
    assert (request.name, request.work_dir) == ("ü s.sh", "/home/tester/w/sub dir")
    assert request.command.startswith("/home/tester/w/my dir/ü s.sh --partition=ampere")


def test_wrap_makes_a_script() -> None:
    job = World().wrap()
    assert job.request.script == "#!/bin/sh\n# This script was created by sbatch --wrap.\n\ntrue\n"
    assert job.request.name == "wrap"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("1:30", 2),
        ("00:00:20", 1),
        ("00:01", 1),
        ("1:0:0", 60),
        ("1:00:01", 61),
        ("1-0", 1440),
        ("1-1:30", 1530),
        ("0", UNLIMITED_MIN),
        ("infinite", UNLIMITED_MIN),
    ],
)
def test_time_limits(text: str, minutes: int) -> None:
    assert parse_time_limit(text) == minutes


@pytest.mark.parametrize("text", ["", "5:", ":5", "1-2-3", "1:2:3:4", "x", "-5"])
def test_wrong_time_limits(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_time_limit(text)


SUBMIT_ENV = {"Authorization": "Bearer t", "FOO": "1", "SLURM_NTASKS": "3", "PATH": "/x"}


@pytest.mark.parametrize(
    ("export", "present", "absent"),
    [
        ([], {"Authorization": "Bearer t", "FOO": "1", "PATH": "/x"}, ["NEW"]),
        (["--export=ALL"], {"Authorization": "Bearer t"}, []),
        (["--export=NONE"], {"USER": "tester", "SLURM_NTASKS": "3"}, ["Authorization", "FOO"]),
        (["--export=NIL"], {"HOME": "/home/tester"}, ["Authorization", "FOO"]),
        (["--export=FOO"], {"FOO": "1"}, ["Authorization"]),
        (["--export=ALL,NEW=1"], {"NEW": "1", "FOO": "1"}, []),
        (["--export=Authorization,FOO=x"], {"Authorization": "Bearer t", "FOO": "x"}, []),
        (["--export=FOO='a,b',NEW=2"], {"FOO": "a,b", "NEW": "2"}, ["Authorization"]),
    ],
)
def test_export(export: list[str], present: dict[str, str], absent: list[str]) -> None:
    env = exported(World().wrap(*export, env=SUBMIT_ENV).request)
    assert present.items() <= env.items()
    assert not set(absent) & env.keys()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--ntasks=100", "-J", "n100"],
            {
                "SLURM_NTASKS": "100",
                "SLURM_NPROCS": "100",
                "SLURM_JOB_CPUS_PER_NODE": "100",
                "SLURM_TASKS_PER_NODE": "100",
                "SLURM_CPUS_ON_NODE": "100",
                "SLURM_JOB_NODELIST": "sdfmilan001",
                "SLURM_JOB_NAME": "n100",
                "SLURM_SUBMIT_DIR": "/home/tester/w",
                "SLURM_SUBMIT_HOST": "vm",
                "HOSTNAME": "sdfmilan001",
                "ENVIRONMENT": "BATCH",
            },
        ),
        (
            ["--nodes=2", "--ntasks=200"],
            {
                "SLURM_CPUS_ON_NODE": "128",
                "SLURM_JOB_CPUS_PER_NODE": "128,72",
                "SLURM_JOB_NODELIST": "sdfmilan[001-002]",
                "SLURM_NNODES": "2",
            },
        ),
        (
            ["--ntasks=3", "--cpus-per-task=4"],
            {"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "12", "SLURM_TASKS_PER_NODE": "3"},
        ),
        (
            ["-N2", "--ntasks-per-node=3", "--mem=100"],
            {
                "SLURM_NTASKS_PER_NODE": "3",
                "SLURM_MEM_PER_NODE": "100",
                "SLURM_TASKS_PER_NODE": "3(x2)",
                "SLURM_NTASKS": "6",
            },
        ),
        (["--exclusive", "-n1"], {"SLURM_CPUS_ON_NODE": "128", "SLURM_NTASKS": "1"}),
        (["-A", "lcls:x"], {"SLURM_JOB_ACCOUNT": "lcls:x"}),
    ],
)
def test_batch_environment(options: list[str], expected: dict[str, str]) -> None:
    world = World()
    job = world.wrap(*options)
    env = batch_environment(job, world.cluster, {})
    assert expected.items() <= env.items(), {name: env.get(name) for name in expected}


def test_tasks_are_not_told_to_a_job_that_did_not_ask() -> None:
    world = World()
    assert "SLURM_NTASKS" not in batch_environment(world.wrap(), world.cluster, {})
    leaked = world.wrap(env={"SLURM_NTASKS": "3", "SLURM_JOB_ID": "77"})
    env = batch_environment(leaked, world.cluster, {})
    assert (env["SLURM_NTASKS"], env["SLURM_JOB_ID"]) == ("3", str(leaked.id))
