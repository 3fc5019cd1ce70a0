"""Parsing, capping and rendering of sbatch arguments."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lute.errors import ConfigError
from lute.slurm.arguments import SlurmArguments, parse_arguments, parse_step_arguments
from lute.slurm.getopt import Takes
from lute.slurm.options import SBATCH_OPTIONS

ROOT = Path(__file__).parents[3]


def capped(tokens: str, **limits: int) -> list[str]:
    return parse_arguments(tokens.split()).capped(**limits).render()


def test_the_last_repeat_wins_and_order_is_kept() -> None:
    arguments = parse_arguments(["-n", "3", "-p", "milano", "--hold", "--ntasks=5"])
    assert arguments.get("ntasks") == "5"
    assert arguments.render() == ["--partition=milano", "--hold", "--ntasks=5"]


def test_options_that_add_up_keep_their_repeats() -> None:
    tokens = ["--mail-type=END", "--mail-type=FAIL", "-vv"]
    assert parse_arguments(tokens).render() == [
        "--mail-type=END",
        "--mail-type=FAIL",
        "--verbose",
        "--verbose",
    ]


def test_set_remove_and_choose() -> None:
    arguments = parse_arguments(["-p", "milano", "-A", "lcls:default", "--exclusive"])
    assert arguments.get("exclusive") == ""
    assert arguments.get("qos") is None
    assert arguments.with_option("partition", "ampere").render() == [
        "--partition=ampere",
        "--account=lcls:default",
        "--exclusive",
    ]
    assert arguments.with_option("qos", "x").render()[-1] == "--qos=x"
    assert arguments.without("exclusive").only(["account", "qos"]).render() == ["--account=lcls:default"]
    assert arguments.with_option("tasks-per-node", "3").get("ntasks-per-node") == "3"


@pytest.mark.parametrize(
    ("tokens", "message", "hint"),
    [
        (["--partitoin=milano"], "partitoin", "did you mean partition"),
        (["--ntask=4"], "ambiguous", ""),
        (["--ntasks"], "requires an argument", ""),
        (["--partition=milano", "ampere"], "'ampere' is not an option", ""),
        (["-Z"], "invalid option", ""),
    ],
)
def test_wrong_tokens_are_refused_with_a_hint(tokens: list[str], message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_arguments(tokens)
    assert hint in caught.value.next_step


@pytest.mark.parametrize(
    ("tokens", "what", "next_step"),
    [
        (
            ["--ntasks"],
            "wrong Slurm arguments: option '--ntasks' requires an argument",
            "see `sbatch --help`",
        ),
        (["-Z"], "wrong Slurm arguments: invalid option -- 'Z'", "see `sbatch --help`"),
        (["--zzzz"], "wrong Slurm arguments: unrecognized option '--zzzz'", "see `sbatch --help`"),
        (
            ["--hold", "two words", "--bogus"],
            "wrong Slurm arguments: 'two words' is not an option, sbatch would take it for its script",
            "give only options, such as --partition=milano; put a value with blanks in quotes",
        ),
    ],
)
def test_what_is_said_of_wrong_tokens(tokens: list[str], what: str, next_step: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_arguments(tokens)
    assert caught.value.what == what
    assert caught.value.next_step == next_step


@pytest.mark.parametrize(("name", "hint"), [("partitions", "did you mean partition"), ("", "valid: ")])
def test_unknown_names_are_refused(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SlurmArguments().get(name)
    assert caught.value.what == f"sbatch has no option --{name}"
    assert caught.value.next_step.startswith(hint)


def test_a_value_is_given_where_one_is_taken_and_nowhere_else() -> None:
    assert SlurmArguments().with_option("hold").render() == ["--hold"]
    with pytest.raises(ConfigError, match=r"^sbatch option --partition needs a value$"):
        SlurmArguments().with_option("partition")
    with pytest.raises(ConfigError, match=r"^sbatch option --hold takes no value$"):
        SlurmArguments().with_option("hold", "x")


@pytest.mark.parametrize(
    ("tokens", "cores", "expected"),
    [
        ("--ntasks=200", 100, ["--ntasks=100"]),
        ("--ntasks=50", 100, ["--ntasks=50"]),
        ("-n 12 -c 4", 20, ["--ntasks=5", "--cpus-per-task=4"]),
        ("-n 12 -c 64", 32, ["--ntasks=1", "--cpus-per-task=32"]),
        ("-p milano", 1, ["--partition=milano"]),
        ("--ntasks-per-node=64 -N 2", 100, ["--nodes=2", "--ntasks=100"]),
        ("--ntasks-per-node=50 -N 2", 100, ["--ntasks-per-node=50", "--nodes=2"]),
        ("-N 4 -c 64", 128, ["--nodes=4", "--cpus-per-task=64", "--ntasks=2"]),
        ("-n 10 --ntasks-per-node=3", 10, ["--ntasks=10"]),
        ("-n 10 --ntasks-per-node=3", 12, ["--ntasks=10", "--ntasks-per-node=3"]),
        ("-n 100 --ntasks-per-node=5", 50, ["--ntasks=50", "--ntasks-per-node=5"]),
        ("-n 9 --ntasks-per-node=4", 10, ["--ntasks=9"]),
    ],
)
def test_max_cores(tokens: str, cores: int, expected: list[str]) -> None:
    assert capped(tokens, max_cores=cores) == expected


@pytest.mark.parametrize(
    ("tokens", "nodes", "expected"),
    [
        ("-n 100", 4, ["--ntasks=100", "--nodes=1-4"]),
        ("--ntasks-per-node=2", 4, ["--ntasks-per-node=2", "--nodes=1-4"]),
        ("-c 4", 4, ["--cpus-per-task=4"]),
        ("-N 8", 4, ["--nodes=4"]),
        ("-N 2", 4, ["--nodes=2"]),
        ("-N 2-8", 4, ["--nodes=2-4"]),
        ("-N 6-8", 4, ["--nodes=4-4"]),
        ("-N 0-8", 4, ["--nodes=1-4"]),
        ("-N 0-2", 4, ["--nodes=1-2"]),
    ],
)
def test_max_nodes(tokens: str, nodes: int, expected: list[str]) -> None:
    assert capped(tokens, max_nodes=nodes) == expected


@pytest.mark.parametrize(
    "tokens", ["-n abc", "-n 0", "-n -3", "-n 1.5", "-c x", "--nodes=a", "--nodes=4-1", "-N 0"]
)
def test_counts_that_are_none_are_refused_when_they_are_needed(tokens: str) -> None:
    with pytest.raises(ConfigError):
        capped(tokens, max_cores=10, max_nodes=2)


@pytest.mark.parametrize(
    ("tokens", "what"),
    [
        ("-n abc", "--ntasks=abc: not a positive whole number"),
        ("--nodes=4-1", "--nodes=4-1: not a number of nodes, such as 2 or 1-4"),
    ],
)
def test_a_count_that_is_none_is_quoted(tokens: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        capped(tokens, max_cores=10, max_nodes=2)
    assert caught.value.what == what


@pytest.mark.parametrize("name", ["max_cores", "max_nodes"])
def test_limits_must_be_positive(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must be at least 1, not 0$"):
        capped("-n 1", **{name: 0})


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--array=1-4", "a step is one job with one verdict"),
        ("--wait", "the JID gives sbatch 30 s"),
        ("--wrap=ls", "the step has a script of its own"),
        ("--parsable", "the JID reads the job's id from 'Submitted batch job N'"),
        ("-Q", "the JID reads the job's id from 'Submitted batch job N'"),
        ("--test-only", "no job would be submitted"),
    ],
)
def test_options_that_would_lose_the_job_are_refused_for_steps(option: str, why: str) -> None:
    name = parse_arguments([option]).given[0].name
    with pytest.raises(ConfigError) as caught:
        parse_step_arguments(["--ntasks=2", option])
    assert caught.value.what == f"--{name} does not go with a workflow: {why}"
    assert caught.value.next_step == "leave it out"


def test_other_arguments_of_steps_are_read_as_usual() -> None:
    tokens = ["-n", "4", "-p", "milano"]
    assert parse_step_arguments(tokens) == parse_arguments(tokens)


def test_partition_is_replaced() -> None:
    assert parse_arguments(["-pmilano"]).capped(partition="ampere").render() == ["--partition=ampere"]


@st.composite
def token_lists(draw: st.DrawFn) -> list[str]:
    tokens: list[str] = []
    for option in draw(st.lists(st.sampled_from(SBATCH_OPTIONS), max_size=8)):
        value = draw(st.text(max_size=12))
        if option.takes is Takes.NOTHING or (option.takes is Takes.MAYBE and draw(st.booleans())):
            tokens.append(f"--{option.name}")
        elif option.takes is Takes.VALUE and draw(st.booleans()):
            tokens += [f"-{option.short}", value] if option.short else [f"--{option.name}", value]
        else:
            tokens.append(f"--{option.name}={value}")
    return tokens


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(token_lists())
def test_rendering_is_stable_and_keeps_every_option(tokens: list[str]) -> None:
    arguments = parse_arguments(tokens)
    assert parse_arguments(arguments.render()) == arguments
    for option in SBATCH_OPTIONS:
        assert parse_arguments(arguments.render()).get(option.name) == arguments.get(option.name)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "ntasks": st.integers(1, 600).map(str),
            "cpus-per-task": st.integers(1, 300).map(str),
            "ntasks-per-node": st.integers(1, 200).map(str),
            "nodes": st.one_of(
                st.integers(1, 9).map(str),
                st.tuples(st.integers(0, 4), st.integers(4, 9)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
            ),
        },
    ),
    st.integers(1, 300),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_caps_hold(options: dict[str, str], max_cores: int, max_nodes: int | None) -> None:
    before = parse_arguments([f"--{name}={value}" for name, value in options.items()])
    after = before.capped(max_cores=max_cores, max_nodes=max_nodes)
    assert most_cores(after) <= max_cores
    if max_nodes is not None and set(options) & {"nodes", "ntasks", "ntasks-per-node"}:
        low, _, high = (after.get("nodes") or "").partition("-")
        assert 1 <= int(low) <= int(high or low) <= max_nodes
    elif most_cores(before) <= max_cores:
        assert after == before
    assert after.capped(max_cores=max_cores, max_nodes=max_nodes) == after


def most_cores(arguments: SlurmArguments) -> int:
    """Cores that Slurm reports for these arguments, at most (measured rules, written independently)."""
    cpus = int(arguments.get("cpus-per-task") or 1)
    per_node = arguments.get("ntasks-per-node")
    ntasks = arguments.get("ntasks")
    nodes = int((arguments.get("nodes") or "1").rpartition("-")[2])
    if ntasks is None:
        return cpus * nodes * int(per_node or 1)
    if per_node is None:
        return cpus * int(ntasks)
    return cpus * math.ceil(int(ntasks) / int(per_node)) * int(per_node)
