"""The command line of a stand-in: options as the program it stands in for takes them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lute.errors import LuteError, did_you_mean
from lute.slurm.getopt import Given, Option, OptionError, Takes, scan

N = TypeVar("N", int, float)

EVERYWHERE = (Option("help", "h"), Option("version"))
"""Options of every stand-in."""


@dataclass(frozen=True)
class Program:
    """A stand-in.

    Attributes:
        name: its command.
        options: with an effect.
        without_effect: options that it takes and does nothing for.
        operands: what its usage line shows behind the options.
    """

    name: str
    options: Sequence[Option]
    without_effect: Sequence[Option]
    operands: str = ""

    @property
    def signature(self) -> str:
        """How its files name it."""
        return f"{self.name} (not CrystFEL), LUTE simulators"

    def run(self, work: Callable[["Arguments"], None], argv: Sequence[str]) -> int:
        """Read the command line, do the work and return the exit code.

        Args:
            work: what the program does; a LuteError or OSError of it is shown, and the exit code is 1.
            argv: the program and its arguments.
        """
        try:
            arguments = self._parse(argv)
            if arguments.has("help"):
                sys.stdout.write(self._usage())
            elif arguments.has("version"):
                sys.stdout.write(f"{self.signature}\n")
            else:
                work(arguments)
        except LuteError as error:
            say(f"{self.name}: {error}")
            return 1
        except OSError as error:
            say(f"{self.name}: Failed to open '{error.filename}': {error.strerror}")
            return 1
        return 0

    def _parse(self, argv: Sequence[str]) -> "Arguments":
        table = (*EVERYWHERE, *self.options, *self.without_effect)
        try:
            given, operands = scan(argv[1:], table, stop_at_operand=False)
        except OptionError as error:
            hint = "" if error.known else did_you_mean(error.token, [option.name for option in table])
            raise LuteError(error.text, next_step=hint) from error
        names = {one.name for one in given}
        unused = [_dashed(option.name) for option in self.without_effect if option.name in names]
        if unused:
            say(f"{self.name}: ignored by the stand-in: {' '.join(unused)}")
        return Arguments(self, tuple(argv), tuple(given), tuple(operands))

    def _usage(self) -> str:
        lines = [f"{self.signature}", f"Usage: {self.name} [options] {self.operands}".rstrip()]
        for title, options in (("Options", self.options), ("Ignored", self.without_effect)):
            lines += [f"{title}:", *(f"  {_shown(option)}" for option in options)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Arguments:
    """What was given on a command line.

    Attributes:
        argv: all of it.
        given: the options, in order.
        operands: what is no option.
    """

    program: Program
    argv: tuple[str, ...]
    given: tuple[Given, ...]
    operands: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether an option was given."""
        return any(one.name == name for one in self.given)

    def all(self, name: str) -> list[str]:
        """Return the values of an option that may be given several times."""
        return [one.value or "" for one in self.given if one.name == name]

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value of an option: the last one given.

        Raises:
            LuteError: it was not given and has no default.
        """
        values = self.all(name)
        if not values and default is None:
            raise LuteError(f"the option {_dashed(name)} is missing")
        return values[-1] if values else default or ""

    def number(self, name: str, kind: type[N], default: N) -> N:
        """Return the value of an option as a number.

        Raises:
            LuteError: it is none.
        """
        text = self.text(name, str(default))
        try:
            return kind(text)
        except ValueError as error:
            raise LuteError(f"Invalid value for {_dashed(name)}: {text!r}") from error

    def numbers(self, name: str, counts: Iterable[int], default: str) -> list[float]:
        """Return the value of an option as numbers parted by commas.

        Args:
            counts: how many there may be.

        Raises:
            LuteError: they are not.
        """
        text = self.text(name, default)
        try:
            values = [float(part) for part in text.split(",")]
        except ValueError:
            values = []
        if len(values) not in counts:
            raise LuteError(f"Invalid value for {_dashed(name)}: {text!r}")
        return values

    def file(self, name: str) -> Path:
        """Return the value of an option as the path of a file that is there.

        Raises:
            LuteError: it was not given, or there is no such file.
        """
        return existing(Path(self.text(name)))


def existing(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises:
        LuteError: it is not.
    """
    if not path.is_file():
        raise LuteError(f"Failed to open '{path}': no such file")
    return path


def options(takes: Takes, names: str) -> list[Option]:
    """Return options from their names, parted by blanks; `letter/name` has a short form too."""
    found = []
    for text in names.split():
        letter, _, name = text.rpartition("/")
        found.append(Option(name, letter, takes))
    return found


def say(line: str) -> None:
    """Write a line where CrystFEL's programs write theirs."""
    sys.stderr.write(f"{line}\n")


def _shown(option: Option) -> str:
    value = "VALUE" if option.takes is Takes.VALUE else ""
    if len(option.name) == 1:
        return f"-{option.name} {value}".rstrip()
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.name}{value and '='}{value}"


def _dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"
