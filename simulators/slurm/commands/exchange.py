"""What goes into a command and what comes out."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from lute.slurm.getopt import Given, Option, OptionError, scan
from simulators.slurm.accounting import AccountingDatabase
from simulators.slurm.controller import Controller
from simulators.slurm.hostlist import expand
from simulators.slurm.request import DEFAULT_UMASK, Person

VERSION = "slurm-wlm 22.05.8"


@dataclass(frozen=True)
class Request:
    """One call of a command.

    Attributes:
        argv: the program's name (without folder) and its arguments.
        env: the caller's environment.
        cwd: the caller's working directory, absolute.
        umask: the caller's.
        has_input: True if the caller already read what an earlier reply asked for.
        input: what it read, broken UTF-8 as surrogate escapes; None if it could not.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    umask: int = DEFAULT_UMASK
    has_input: bool = False
    input: str | None = None


@dataclass(frozen=True)
class Reply:
    """What the caller shall do.

    Attributes:
        read: if given, read this file (`-` for standard input) and ask again; nothing else counts then.
        wait_for: if given, print and then wait for the end of this job, whose exit code counts.
    """

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""
    read: str | None = None
    wait_for: int | None = None


@dataclass(frozen=True)
class Context:
    """What the commands work with.

    Attributes:
        host: short name of this computer.
        person: who calls; everybody on this cluster is the same person.
        accounting: the database behind sacct, None for a cluster without.
        is_down: True while the controller does not answer.
    """

    controller: Controller
    host: str
    person: Person
    accounting: AccountingDatabase | None = None
    is_down: bool = False


class RefusalError(Exception):
    """The command ends here, with this reply."""

    def __init__(self, exit_code: int, stderr: str, *, stdout: str = "") -> None:
        super().__init__(stderr)
        self.reply = Reply(exit_code, stdout, stderr)


def options_of(
    program: str, tokens: Sequence[str], table: Sequence[Option], *, usage_code: int = 1
) -> tuple[list[Given], list[str]]:
    """Return options and operands of a command whose options may stand anywhere.

    Raises:
        RefusalError: with getopt's words, and `usage_code`.
    """
    try:
        return scan(tokens, table, stop_at_operand=False)
    except OptionError as error:
        raise RefusalError(usage_code, usage_error(program, error)) from None


def accepted_options(
    request: Request, tokens: Sequence[str], table: Sequence[Option], accepted: Container[str], usage: str
) -> tuple[dict[str, str], list[str]]:
    """Return the options' values by name, and the operands, of a command that takes `accepted` only.

    Options that are not given count if the caller's environment has their variable.

    Raises:
        RefusalError: for an option that is wrong or not simulated; also with the answer to
            `--version`, `--help` and `--usage`.
    """
    program = request.argv[0]
    given, operands = options_of(program, tokens, table)
    options = {
        option.canonical: request.env[option.env]
        for option in table
        if option.env and option.env in request.env
    }
    options |= {option.name: option.value or "" for option in given}
    if "version" in options:
        raise RefusalError(0, "", stdout=f"{VERSION}\n")
    if options.keys() & {"help", "usage"}:
        raise RefusalError(0, "", stdout=f"Usage: {program} {usage}\n")
    for name in options:
        if name not in accepted:
            raise not_simulated(program, f"--{name}")
    return options, operands


def usage_error(program: str, error: OptionError) -> str:
    """Return what a client prints for an option it does not accept (measured)."""
    return f'{program}: {error.text}\nTry "{program} --help" for more information\n'


def not_simulated(program: str, what: str) -> RefusalError:
    """Return the refusal of something that this fake does not do; never ignore it silently."""
    return RefusalError(1, f"{program}: error: not simulated: {what}\n")


def node_names(text: str, program: str) -> list[str]:
    """Return the nodes that a list names.

    Raises:
        RefusalError: it is no list; the words are assumed.
    """
    try:
        return expand(text)
    except ValueError:
        raise RefusalError(1, f"{program}: error: Invalid node name specified: {text}\n") from None
