"""What sbatch says and how it ends: facts, section 2."""

import re

import pytest

from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.profiles import BOOKED, LIMITS, STRICT
from tests.contract.slurm.script import Script

FAILED = "sbatch: error: Batch job submission failed: "
NO_CONFIGURATION = f"{FAILED}Requested node configuration is not available\n"
NO_INTERPRETER = (
    "sbatch: error: This does not look like a batch script.  The first\n"
    "sbatch: error: line must start with #! followed by the path to an interpreter.\n"
    "sbatch: error: For instance: #!/bin/sh\n"
)
MORE = 'Try "sbatch --help" for more information\n'

REFUSED: list[tuple[list[str], int, str]] = [
    (["missing.sh"], 1, "sbatch: error: Unable to open file missing.sh\n"),
    (["--wrap=true", "script"], 1, "sbatch: error: Script arguments not permitted with --wrap option\n"),
    (
        ["-p", "nosuch", "script"],
        1,
        "sbatch: error: invalid partition specified: nosuch\n"
        + FAILED
        + "Invalid partition name specified\n",
    ),
    (["-N1", "-n129", "script"], 1, NO_CONFIGURATION),
    (["--nodes=2-3", "-n400", "script"], 1, NO_CONFIGURATION),
    (["--nodes=1-1", "-n129", "script"], 1, NO_CONFIGURATION),
    (["--nodes=0-1", "-n200", "script"], 1, NO_CONFIGURATION),
    (["-p", "milano", "--gres=gpu:1", "script"], 1, NO_CONFIGURATION),
    (["-p", "ampere", "--gres=gpu:5", "script"], 1, NO_CONFIGURATION),
    (["-p", "ampere", "--gpus-per-node=9", "script"], 1, NO_CONFIGURATION),
    (
        ["-n2", "-c129", "script"],
        1,
        "sbatch: error: CPU count per node can not be satisfied\n" + NO_CONFIGURATION,
    ),
    (
        ["--mem=9000", "script"],
        1,
        "sbatch: error: Memory specification can not be satisfied\n" + NO_CONFIGURATION,
    ),
    (["--gres=foo:1", "script"], 1, "sbatch: error: Invalid generic resource (gres) specification\n"),
    (["--constraint=foo", "script"], 1, FAILED + "Invalid feature specification\n"),
    (["-w", "nosuchnode", "script"], 1, FAILED + "Invalid node name specified\n"),
    (["--dependency=bogus", "script"], 1, FAILED + "Job dependency problem\n"),
    (["--reservation=nosuch", "script"], 1, FAILED + "Requested reservation is invalid\n"),
    (["-p", "drain", "script"], 1, FAILED + "Required partition not available (inactive or drain)\n"),
    (["-p", "inactive", "script"], 1, FAILED + "Required partition not available (inactive or drain)\n"),
    (["--nodes=0", "script"], 1, FAILED + "Node count specification invalid\n"),
    (["--nodes=0-0", "script"], 1, FAILED + "Node count specification invalid\n"),
    (
        ["--nodes=4-1", "script"],
        255,
        "sbatch: error: Maximum node count 1 is less than minimum node count 4\n",
    ),
    (["--nodes=abc", "script"], 255, 'sbatch: error: "abc" is not a valid node count\n'),
    (["--ntasks=abc", "script"], 1, 'sbatch: error: Invalid numeric value "abc" for --ntasks.\n'),
    (["--ntasks=0", "script"], 1, 'sbatch: error: Invalid numeric value "0" for --ntasks.\n'),
    (["--ntasks=-1", "script"], 1, 'sbatch: error: Invalid numeric value "-1" for --ntasks.\n'),
    (["--time=bogus", "script"], 255, "sbatch: error: Invalid --time specification\n"),
    (["--bogus", "script"], 255, f"sbatch: unrecognized option '--bogus'\n{MORE}"),
    (["-Y", "script"], 255, f"sbatch: invalid option -- 'Y'\n{MORE}"),
    (["--ntasks"], 255, f"sbatch: option '--ntasks' requires an argument\n{MORE}"),
    (["--hold=1", "script"], 255, f"sbatch: option '--hold' doesn't allow an argument\n{MORE}"),
    (["--array=x", "script"], 1, FAILED + "Invalid job array specification\n"),
    (["--array=3-1", "script"], 1, FAILED + "Invalid job array specification\n"),
    (["--array=1-2000", "script"], 1, FAILED + "Invalid job array specification\n"),
    (
        ["--begin=bogus", "script"],
        255,
        "Invalid time specification (pos=0): bogus\nsbatch: error: Invalid --begin specification\n",
    ),
    (["--open-mode=z", "script"], 255, "sbatch: error: Invalid --open-mode specification\n"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSED, ids=[" ".join(case[0]) for case in REFUSED])
def test_refused(slurm: Slurm, arguments: list[str], code: int, said: str) -> None:
    slurm.script(Script(), "script")
    assert slurm.run("sbatch", *arguments) == (code, "", said)


@pytest.mark.parametrize("option", ["--nt=4", "--ntask=4"])
def test_ambiguous(slurm: Slurm, option: str) -> None:
    answer = slurm.run("sbatch", option, "script")
    assert answer.code == 255
    assert answer.err.startswith(
        f"sbatch: option '{option}' is ambiguous; possibilities: '--ntasks' '--ntasks-per-core'"
    )


SCRIPTS: list[tuple[str, str, str]] = [
    ("no interpreter", "echo hello\n", NO_INTERPRETER),
    ("empty", "", "sbatch: error: Batch script is empty!\n"),
    (
        "DOS",
        "#!/bin/sh\r\ntrue\r\n",
        "sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n"
        "sbatch: error: instead of expected UNIX line breaks (\\n).\n",
    ),
]


@pytest.mark.parametrize("by_stdin", [False, True], ids=["file", "stdin"])
@pytest.mark.parametrize(("text", "said"), [case[1:] for case in SCRIPTS], ids=[case[0] for case in SCRIPTS])
def test_no_script(slurm: Slurm, text: str, said: str, *, by_stdin: bool) -> None:
    (slurm.work / "script").write_bytes(text.encode())
    answer = slurm.run("sbatch", stdin=text) if by_stdin else slurm.run("sbatch", "script")
    assert answer == (1, "", said)


def test_too_large(slurm: Slurm) -> None:
    (slurm.work / "script").write_text("#!/bin/sh\n" + "#" * (4 * 1024 * 1024 + 1) + "\n")
    said = FAILED + "Pathname of a file, directory or other parameter too long\n"
    assert slurm.run("sbatch", "script") == (1, "", said)


def test_accepted(slurm: Slurm) -> None:
    slurm.script(Script(), "script")
    for answer in (
        slurm.run("sbatch", "script"),
        slurm.run("sbatch", "--wrap", "true"),
        slurm.run("sbatch", stdin="#!/bin/sh\n"),
    ):
        assert answer.code == 0
        assert answer.err == ""
        assert re.fullmatch(r"Submitted batch job [1-9][0-9]*\n", answer.out)
    assert re.fullmatch(r"[1-9][0-9]*\n", slurm.run("sbatch", "--parsable", "script").out)
    assert slurm.run("sbatch", "--quiet", "script") == (0, "", "")


def test_wait(slurm: Slurm) -> None:
    answer = slurm.run("sbatch", "--wait", slurm.script(Script(exit_code=7)))
    assert (answer.code, answer.err) == (7, "")
    assert answer.out.startswith("Submitted batch job ")


def test_a_warning_comes_with_success(slurm: Slurm) -> None:
    answer = slurm.run("sbatch", "--nodes=2", "--ntasks=1", slurm.script(Script()))
    assert answer.code == 0
    assert answer.err == "sbatch: Warning: can't run 1 processes on 2 nodes, setting nnodes to 1\n"


def test_a_refused_node_configuration_takes_an_id(slurm: Slurm) -> None:
    first = int(slurm.submit(Script()))
    slurm.run("sbatch", "-N1", "-n129", slurm.script(Script()))
    slurm.run("sbatch", "-p", "nosuch", slurm.script(Script()))
    assert int(slurm.submit(Script())) == first + 2


def test_an_unknown_account_is_accepted_without_enforcement(slurm: Slurm) -> None:
    assert slurm.run("sbatch", "-A", "nosuch", slurm.script(Script())).code == 0


@pytest.mark.profile(BOOKED)
@pytest.mark.parametrize("account", ["lcls:default", "LCLS:MFXL1033223", ""])
def test_a_known_account(slurm: Slurm, account: str) -> None:
    job = slurm.submit(Script(), *(["-A", account] if account else []))
    assert slurm.record(job)["Account"] == (account.lower() or "lcls:default")


@pytest.mark.profile(BOOKED)
def test_an_unknown_account_is_refused_with_enforcement(slurm: Slurm) -> None:
    said = FAILED + "Invalid account or account/partition combination specified\n"
    assert slurm.run("sbatch", "-A", "nosuch", slurm.script(Script())) == (1, "", said)


BEYOND: list[tuple[list[str], str, str]] = [
    (["-n513"], "PartitionConfig", "More processors requested than permitted"),
    (["-N5"], "PartitionNodeLimit", "Node count specification invalid"),
    (["--nodes=5-10"], "PartitionNodeLimit", "Node count specification invalid"),
    (["-t", "61"], "PartitionTimeLimit", "Requested time limit is invalid (missing or exceeds some limit)"),
    (
        ["-t", "1:00:01"],
        "PartitionTimeLimit",
        "Requested time limit is invalid (missing or exceeds some limit)",
    ),
    (["-t", "0"], "PartitionTimeLimit", "Requested time limit is invalid (missing or exceeds some limit)"),
    (
        ["-t", "infinite"],
        "PartitionTimeLimit",
        "Requested time limit is invalid (missing or exceeds some limit)",
    ),
]


@pytest.mark.profile(LIMITS)
@pytest.mark.parametrize(
    ("options", "reason"), [case[:2] for case in BEYOND], ids=[" ".join(c[0]) for c in BEYOND]
)
def test_beyond_a_limit_it_waits_for_ever_and_blocks_nobody(
    slurm: Slurm, options: list[str], reason: str
) -> None:
    job = slurm.submit(Script(), *options)
    slurm.wait(job, f"PENDING {reason}")
    after = slurm.submit(Script(sleep_s=600))
    slurm.wait(after, "RUNNING")
    assert slurm.state(job) == f"PENDING {reason} 0:0"


@pytest.mark.profile(STRICT)
@pytest.mark.parametrize(
    ("options", "said"), [(case[0], case[2]) for case in BEYOND], ids=[" ".join(c[0]) for c in BEYOND]
)
def test_beyond_a_limit_it_is_refused_where_limits_are_enforced(
    slurm: Slurm, options: list[str], said: str
) -> None:
    assert slurm.run("sbatch", *options, slurm.script(Script())) == (1, "", f"{FAILED}{said}\n")


def test_a_partition_that_is_down_lets_jobs_wait(slurm: Slurm) -> None:
    job = slurm.submit(Script(), "-p", "down")
    slurm.wait(job, "PENDING PartitionDown 0:0")


def test_test_only(slurm: Slurm) -> None:
    before = int(slurm.submit(Script()))
    answer = slurm.run("sbatch", "--test-only", "-n100", slurm.script(Script()))
    assert (answer.code, answer.out) == (0, "")
    assert re.fullmatch(
        rf"sbatch: Job {before + 1} to start at \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d using 100 processors"
        r" on nodes sdfmilan001 in partition milano\n",
        answer.err,
    )
    assert int(slurm.submit(Script())) == before + 2


def test_test_only_of_the_impossible(slurm: Slurm) -> None:
    answer = slurm.run("sbatch", "--test-only", "-N1", "-n129", slurm.script(Script()))
    assert answer == (1, "", "allocation failure: Requested node configuration is not available\n")
