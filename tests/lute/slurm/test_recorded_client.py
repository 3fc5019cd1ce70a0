"""The options of sbatch against what the sbatch 22.05.8 client and its manual page say themselves."""

import pytest

from lute.slurm.arguments import parse_arguments
from lute.slurm.getopt import Given, OptionError, scan
from lute.slurm.options import SBATCH_OPTIONS


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# `sbatch --=x`
NAMES = words(
    """
    account acctg-freq array batch begin bb bbf cluster-constraint chdir cluster clusters comment
    container context contiguous constraint core-spec cores-per-socket cpu-freq cpus-per-gpu
    cpus-per-task deadline delay-boot dependency distribution error exclude exclusive export export-file
    extra-node-info get-user-env gid gpu-bind gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task
    gres gres-flags help hint hold ignore-pbs input job-name kill-on-invalid-dep licenses mail-type
    mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nice no-kill no-requeue
    nodefile nodelist nodes ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket
    ntasks-per-tres open-mode output overcommit oversubscribe parsable partition power prefer priority
    profile propagate qos quiet reboot requeue reservation signal sockets-per-node spread-job switches
    tasks-per-node test-only thread-spec threads-per-core time time-min tmp uid use-min-nodes verbose
    version usage wait wait-all-nodes wckey wrap
    """
)
# `sbatch --NAME=1`: "doesn't allow an argument"
REFUSE_A_VALUE = words(
    """
    contiguous help hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot requeue
    spread-job test-only use-min-nodes verbose version usage wait
    """
)
# neither that nor, from `sbatch --NAME`, "requires an argument"
MAY_HAVE_A_VALUE = words("exclusive get-user-env nice no-kill propagate")
# `sbatch --help`
LETTERS = words(
    """
    a=array A=account b=begin c=cpus-per-task d=dependency D=chdir e=error H=hold i=input J=job-name
    k=no-kill L=licenses M=clusters m=distribution n=ntasks N=nodes o=output O=overcommit p=partition
    q=qos Q=quiet s=oversubscribe S=core-spec t=time v=verbose W=wait C=constraint F=nodefile w=nodelist
    x=exclude B=extra-node-info G=gpus h=help V=version
    """
)
# `man sbatch`, INPUT ENVIRONMENT VARIABLES: those whose name is not the option's own
ODD_VARIABLES = {
    "SBATCH_ARRAY_INX": "array",
    "SBATCH_MEM_PER_NODE": "mem",
    "SBATCH_REQ_SWITCH": "switches",
    "SBATCH_TIMELIMIT": "time",
}
OWN_VARIABLES = words(
    """
    account acctg-freq batch clusters constraint container core-spec cpus-per-gpu delay-boot
    distribution error exclusive export get-user-env gpu-bind gpu-freq gpus gpus-per-node gpus-per-task
    gres gres-flags hint ignore-pbs input job-name mem-bind mem-per-cpu mem-per-gpu network no-kill
    no-requeue open-mode output overcommit partition power profile qos requeue reservation signal
    spread-job thread-spec threads-per-core use-min-nodes wait wait-all-nodes wckey
    """
)
ALIASES = {"cluster": "clusters", "tasks-per-node": "ntasks-per-node"}


def read(*tokens: str) -> list[Given]:
    given, _ = scan(tokens, SBATCH_OPTIONS, stop_at_operand=True)
    return given


def refusal(*tokens: str) -> str:
    with pytest.raises(OptionError) as caught:
        read(*tokens)
    return caught.value.text


def test_these_are_all_the_options_of_the_client_in_its_order() -> None:
    text, _, possibilities = refusal("--=x").partition(" possibilities: ")
    assert text == "option '--=x' is ambiguous;"
    assert words(possibilities) == tuple(f"'--{name}'" for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_option_takes_a_value_or_not_as_the_client_says(name: str) -> None:
    canonical = ALIASES.get(name, name)
    if name in REFUSE_A_VALUE:
        assert read(f"--{name}") == [Given(canonical, None)]
        assert refusal(f"--{name}=1") == f"option '--{name}' doesn't allow an argument"
        return
    assert read(f"--{name}=1") == [Given(canonical, "1")]
    if name in MAY_HAVE_A_VALUE:
        assert read(f"--{name}") == [Given(canonical, None)]
    else:
        assert refusal(f"--{name}") == f"option '--{name}' requires an argument"


@pytest.mark.parametrize("pair", LETTERS)
def test_each_letter_stands_for_the_option_of_the_clients_help(pair: str) -> None:
    letter, _, name = pair.partition("=")
    value = [] if name in (*REFUSE_A_VALUE, *MAY_HAVE_A_VALUE) else ["1"]
    assert read(f"-{letter}", *value) == [Given(name, value[0] if value else None)]


def test_the_variables_are_those_of_the_manual_page() -> None:
    known = {option.env: option.name for option in SBATCH_OPTIONS if option.env}
    own = {f"SBATCH_{name.upper().replace('-', '_')}": name for name in OWN_VARIABLES}
    assert {variable: known.get(variable) for variable in own | ODD_VARIABLES} == own | ODD_VARIABLES


def test_options_that_count_keep_their_repeats() -> None:
    assert parse_arguments(["-QQv", "--mail-type=END", "--mail-type=FAIL"]).render() == [
        "--quiet", "--quiet", "--verbose", "--mail-type=END", "--mail-type=FAIL",
    ]  # fmt: skip


def test_options_of_later_versions_are_taken() -> None:
    later = [
        "--consolidate-segments", "--external", "--oom-kill-step", "--segment=4", "--spread-segments",
        "--stepmgr", "--tres-per-task=gpu:1",
    ]  # fmt: skip
    assert parse_arguments(later).render() == later
    assert parse_arguments(["--oom-kill-step=1"]).render() == ["--oom-kill-step=1"]
