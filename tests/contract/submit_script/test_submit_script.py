"""The stand-in for submit_slurm.sh does what the script does."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.submit_script.legs import Legs, Outcome

GOOD = ("-c", "config.yaml", "-t", "Tester")
ODD = [
    "--comment=a  b 'c' \"d\" $HOME * `x`",
    "--mem",
    "4G",
    "--constraint=ü;x",
    "--export=A=1,B=\n2",
    "",
    " ",
]

CASES: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "plain": (GOOD, {}),
    "odd arguments": ([*ODD[:3], *GOOD, *ODD[3:], "--debug"], {}),
    "long options": (["--config", "config.yaml", "--task", "Tester", "-p", "milano", "-A", "lcls:x"], {}),
    "long options with =": (["--config=config.yaml", "--task=Tester", "-pmilano", "-Alcls:x"], {}),
    "the old name": (["--config=config.yaml", "--taskname=Tester", "--part=milano", "--acc=x"], {}),
    "the old name, apart": (["--config=config.yaml", "--taskname", "T_1", "--partition", "m"], {}),
    "the last of each counts": ([*GOOD, "-t", "Other", "--config=/no/such", "--config=./config.yaml"], {}),
    "debug twice": (["--debug", *GOOD, "--debug"], {}),
    "= in values": (["--config=a=b.yaml", "-t", "Tester"], {}),
    "an option for a value": (["-t", "-c", "-c", "config.yaml"], {}),
    "help": (["--help"], {}),
    "help before a fault": (["-x", "-h", "-c"], {}),
    "help after a fault": (["-t", "a b", "--help"], {}),
    "help as a value": (["-c", "--help"], {}),
    "nothing": ([], {}),
    "no config": (["-t", "Tester"], {}),
    "no task": (["-c", "config.yaml"], {}),
    "config without a value": (["-t", "Tester", "-c"], {}),
    "task without a value": (["-c", "config.yaml", "--taskname"], {}),
    "an empty config": (["--config=", "-t", "Tester"], {}),
    "an empty task": (["-c", "config.yaml", "--task="], {}),
    "a task with a blank": (["-c", "config.yaml", "-t", "a b"], {}),
    "a task with a quote": (["-c", "config.yaml", "-t", "a'b"], {}),
    "a task with a line end": (["-c", "config.yaml", "-t", "Tester\n"], {}),
    "a task with a letter of its own": (["-c", "config.yaml", "-t", "Täster"], {}),
    "a config that is not there": (["-c", "/no/such.yaml", "-t", "Tester"], {}),
    "a config that is a folder": (["-c", ".", "-t", "Tester"], {}),
    "a config with dots": (["-c", "./x/..//config.yaml", "-t", "Tester"], {}),
    "a config that looks like an option": (["-c", "-x.yaml", "-t", "Tester"], {}),
    "a config with odd letters": (["-c", "odd $x 'ü\n*.yaml", "-t", "Tester"], {}),
    "a config that ends in a line end": (["-c", "config.yaml\n", "-t", "Tester"], {}),
    "a partition of the environment": (GOOD, {"SBATCH_PARTITION": "milano", "SBATCH_ACCOUNT": "lcls:x"}),
    "an empty partition of the environment": (GOOD, {"SBATCH_PARTITION": "", "SBATCH_ACCOUNT": ""}),
    "options that only look like a partition": (
        [*GOOD, "--p=x", "-xp", "--a=x", "--no-p", "--ac", "--par"],
        {},
    ),
    "a partition in a value": ([*GOOD, "--comment", "-please"], {}),
    "run and time": (GOOD, {"RUN_NUM": "0012_2026-11-22T12:00:00.000", "EXPERIMENT": "mfxl1000126"}),
    "a plain run": (GOOD, {"RUN_NUM": "12"}),
    "a long run": (GOOD, {"RUN_NUM": "123456"}),
    "a run with a leading zero": (GOOD, {"RUN_NUM": "089"}),
    "a run that is none": (GOOD, {"RUN_NUM": "x12"}),
    "a run with a sign": (GOOD, {"RUN_NUM": "-12"}),
    "a run with a line end": (GOOD, {"RUN_NUM": "12\n"}),
    "a run in other digits": (GOOD, {"RUN_NUM": "١٢"}),
    "a run that is only a time": (GOOD, {"RUN_NUM": "_2026"}),
    "a run of several parts": (GOOD, {"RUN_NUM": "12_13_14"}),
    "RUN": (GOOD, {"RUN": "9_x"}),
    "RUN and an empty RUN_NUM": (GOOD, {"RUN": "9", "RUN_NUM": ""}),
    "RUN_NUM before RUN": (GOOD, {"RUN": "9", "RUN_NUM": "12"}),
    "empty runs": (GOOD, {"RUN": "", "RUN_NUM": ""}),
    "an experiment of odd letters": (GOOD, {"EXPERIMENT": "a b/%s\\n$x"}),
    "an empty experiment": (GOOD, {"EXPERIMENT": ""}),
    "an enclosing job": (
        GOOD,
        {
            "SLURM_NTASKS": "3",
            "SLURM_JOB_ID": "5",
            "SLURM_CONF": "/etc/slurm.conf",
            "SLURM_": "x",
            "SLURMD": "y",
        },
    ),
    "a PYTHONPATH": (GOOD, {"PYTHONPATH": "/a:/b"}),
    "an empty PYTHONPATH": (GOOD, {"PYTHONPATH": ""}),
    "a token": (GOOD, {"Authorization": "Bearer x.y.z", "ARP_JOB_ID": "1"}),
}


@pytest.fixture(params=["plain", "we ird 'dir' \"ü\"\n$HOME;x"], ids=["plain", "weird"])
def legs(request: pytest.FixtureRequest, tmp_path: Path) -> Legs:
    folder, notes = tmp_path / request.param, tmp_path / "notes"
    for path in (folder, folder / "x", notes):
        path.mkdir()
    for name in ("config.yaml", "a=b.yaml", "-x.yaml", "odd $x 'ü\n*.yaml", "-c", "--help"):
        (folder / name).write_text("title: t\n")
    return Legs(folder, notes)


@pytest.mark.parametrize("case", CASES)
def test_the_stand_in_does_what_the_script_does(legs: Legs, case: str) -> None:
    words, env = CASES[case]
    assert legs.stand_in(words, env) == legs.script(words, env)


def test_the_cases_reach_every_kind_of_end(legs: Legs) -> None:
    ends = [legs.stand_in(words, env) for words, env in CASES.values()]
    assert {(end.exit_code, end.argv is None, bool(end.stdout), bool(end.stderr)) for end in ends} == {
        (0, False, False, False),
        (0, False, False, True),
        (0, True, True, False),
        (2, True, False, True),
    }
    said = {end.stderr.partition("\n")[0] for end in ends if end.exit_code}
    assert len(said) >= 6, "every message of the script"


_WORDS = st.sampled_from([
    "-c", "--config", "-t", "--task", "--taskname", "--debug", "-h", "--help", "config.yaml", "Tester",
    "--config=config.yaml", "--task=Tester", "--taskname=Tester", "-p", "--partition=milano", "-A", "-n",
    "12", "",
])  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(words=["--config=config.yaml", "--task=Tester", "-n", "12"])
@given(words=st.lists(_WORDS | st.text("-a=% '\"\n$*\\ü", max_size=4), max_size=7))
def test_whatever_the_words_both_do_the_same(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("words")
    (folder / "config.yaml").write_text("title: t\n")
    (folder / "notes").mkdir()
    legs = Legs(folder, folder / "notes")
    assert legs.stand_in(words, {}) == legs.script(words, {})


def test_the_time_in_the_logs_name_looks_like_one(legs: Legs) -> None:
    outcomes: list[Outcome] = [legs.stand_in(GOOD, {}), legs.script(GOOD, {})]
    for outcome in outcomes:
        assert outcome.argv is not None
        assert outcome.argv[1] == "--output=Tester_none_r0000_NOW_%J.out"
