"""The words of getopt_long, as the real sbatch 22.05.8 client prints them."""

import pytest

from lute.slurm.getopt import Given, OptionError, scan
from lute.slurm.options import SBATCH_OPTIONS


def read(*tokens: str) -> list[Given]:
    given, _ = scan(tokens, SBATCH_OPTIONS, stop_at_operand=True)
    return given


@pytest.mark.parametrize(
    "tokens", [("-n", "12"), ("-n12",), ("--ntasks", "12"), ("--ntasks=12",), ("--ntasks", "12", "--")]
)
def test_spellings(tokens: tuple[str, ...]) -> None:
    assert read(*tokens) == [Given("ntasks", "12")]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("--part=milano",), [Given("partition", "milano")]),
        (("--tasks-per-node=3",), [Given("ntasks-per-node", "3")]),
        (("--cluster=x",), [Given("clusters", "x")]),
        (("-Hn4",), [Given("hold", None), Given("ntasks", "4")]),
        (("--nice", "5"), [Given("nice", None)]),
        (("--nice=5",), [Given("nice", "5")]),
        (("-koff",), [Given("no-kill", "off")]),
        (("-k",), [Given("no-kill", None)]),
        (("-Hk",), [Given("hold", None), Given("no-kill", None)]),
        (("--comment=a=b c",), [Given("comment", "a=b c")]),
        (("--partition=",), [Given("partition", "")]),
        (("--job-name", "--x"), [Given("job-name", "--x")]),
    ],
)
def test_values(tokens: tuple[str, ...], expected: list[Given]) -> None:
    assert read(*tokens) == expected


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("--bogus", "unrecognized option '--bogus'"),
        ("--bogus=3", "unrecognized option '--bogus=3'"),
        ("--exp", "option '--exp' is ambiguous; possibilities: '--export' '--export-file'"),
        (
            "--ntask=4",
            "option '--ntask=4' is ambiguous; possibilities: '--ntasks' '--ntasks-per-core' "
            "'--ntasks-per-gpu' '--ntasks-per-node' '--ntasks-per-socket' '--ntasks-per-tres'",
        ),
        ("-z", "invalid option -- 'z'"),
        ("-n", "option requires an argument -- 'n'"),
        ("--hold=3", "option '--hold' doesn't allow an argument"),
        ("--ntasks", "option '--ntasks' requires an argument"),
        ("--tas", "option '--tasks-per-node' requires an argument"),
    ],
)
def test_errors_are_worded_as_the_real_client_does(token: str, text: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(token)
    assert caught.value.text == text


def test_operands_end_the_options_or_not() -> None:
    tokens = ["-n", "1", "a.sh", "-n", "2"]
    assert scan(tokens, SBATCH_OPTIONS, stop_at_operand=True)[1] == ["a.sh", "-n", "2"]
    assert scan(tokens, SBATCH_OPTIONS, stop_at_operand=False)[1] == ["a.sh"]


@pytest.mark.parametrize(
    ("token", "concerned", "known"),
    [
        ("--bogus=3", "bogus", False),
        ("--ntask=4", "ntask", True),
        ("-z", "z", False),
        ("-n", "n", True),
        ("--hold=3", "hold", True),
        ("--ntasks", "ntasks", True),
    ],
)
def test_errors_name_the_option_and_say_whether_there_is_one(token: str, concerned: str, known: bool) -> None:
    with pytest.raises(OptionError) as caught:
        read(token)
    assert (caught.value.token, caught.value.known) == (concerned, known)
    assert str(caught.value) == caught.value.text


def test_a_single_dash_is_an_operand() -> None:
    assert scan(["-", "-n", "1"], SBATCH_OPTIONS, stop_at_operand=False) == ([Given("ntasks", "1")], ["-"])
