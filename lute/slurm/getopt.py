"""Reading a command line the way the C library's getopt_long does, and in its words.

Known from the Slurm 22.05.8 clients: prefixes, the order of the possibilities and every message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Takes(Enum):
    """Whether an option has a value."""

    NOTHING = "none"
    VALUE = "required"
    MAYBE = "optional"
    """Only attached: `--nice=5`, never `--nice 5`."""


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes:
        name: its long name without dashes; empty if it has only a letter.
        short: its letter; empty if it has none.
        takes: whether it has a value.
        alias_of: the name under which this one is known, if it is a second spelling.
        env: the environment variable that stands for it.
        accumulates: True if a repeat adds to the earlier ones instead of replacing them.
    """

    name: str
    short: str = ""
    takes: Takes = Takes.NOTHING
    alias_of: str = ""
    env: str = ""
    accumulates: bool = False

    @property
    def canonical(self) -> str:
        """The one name of this option and its aliases."""
        return self.alias_of or self.name


@dataclass(frozen=True)
class Given:
    """An option as somebody gave it: its canonical name, and its value if it has one."""

    name: str
    value: str | None


class OptionError(Exception):
    """The tokens are not a valid command line.

    Args:
        text: what getopt_long prints after `PROGRAM: `.
        token: the long option concerned without its dashes, or the letter.
        known: False if there is no such option.
    """

    def __init__(self, text: str, token: str, *, known: bool = True) -> None:
        super().__init__(text)
        self.text = text
        self.token = token
        self.known = known


def scan(
    tokens: Sequence[str], table: Sequence[Option], *, stop_at_operand: bool
) -> tuple[list[Given], list[str]]:
    """Return the options in `tokens`, in order, and what is left: the operands.

    Args:
        tokens: the arguments, without the program's name.
        table: the options there are, in the order in which messages list them.
        stop_at_operand: True if everything from the first operand on is operands (sbatch);
            False if options may follow operands (squeue).

    Raises:
        OptionError: an option is unknown, ambiguous, or lacks or refuses a value.
    """
    given: list[Given] = []
    operands: list[str] = []
    rest = list(tokens)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return given, operands + rest
        if word.startswith("--"):
            given.append(_long(word, rest, table))
        elif word.startswith("-") and word != "-":
            given.extend(_letters(word[1:], rest, table))
        elif stop_at_operand:
            return given, [word, *rest]
        else:
            operands.append(word)
    return given, operands


def _long(token: str, rest: list[str], table: Sequence[Option]) -> Given:
    name, equals, value = token[2:].partition("=")
    option = _find(token, name, table)
    if not equals:
        if option.takes is not Takes.VALUE:
            return Given(option.canonical, None)
        if not rest:
            raise OptionError(f"option '--{option.name}' requires an argument", option.name)
        return Given(option.canonical, rest.pop(0))
    if option.takes is Takes.NOTHING:
        raise OptionError(f"option '--{option.name}' doesn't allow an argument", option.name)
    return Given(option.canonical, value)


def _find(token: str, name: str, table: Sequence[Option]) -> Option:
    for option in table:
        if option.name == name:
            return option
    candidates = [option for option in table if option.name and option.name.startswith(name)]
    if not candidates:
        raise OptionError(f"unrecognized option '{token}'", name, known=False)
    if len({(option.canonical, option.takes) for option in candidates}) > 1:
        listed = " ".join(f"'--{option.name}'" for option in candidates)
        raise OptionError(f"option '{token}' is ambiguous; possibilities: {listed}", name)
    return candidates[0]


def _letters(letters: str, rest: list[str], table: Sequence[Option]) -> list[Given]:
    given: list[Given] = []
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((option for option in table if option.short == letter), None)
        if option is None:
            raise OptionError(f"invalid option -- '{letter}'", letter, known=False)
        if option.takes is Takes.NOTHING:
            given.append(Given(option.canonical, None))
            continue
        if letters:
            given.append(Given(option.canonical, letters))
        elif option.takes is Takes.MAYBE:
            given.append(Given(option.canonical, None))
        elif rest:
            given.append(Given(option.canonical, rest.pop(0)))
        else:
            raise OptionError(f"option requires an argument -- '{letter}'", letter)
        break
    return given
