"""The command line of a stand-in: that which the Task gives to the program it stands in for."""

import argparse
import sys
from collections.abc import Collection, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from lute.tasks.models.base import ThirdPartyParameters
from lute.tasks.models.markers import Flag, OutFile, Positional, marker

P = TypeVar("P", bound=ThirdPartyParameters)

_HIDDEN = "executable"


class ToolError(Exception):
    """The program ends with exit code 1 and this message."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ToolError(message)


def version_text(program: str) -> str:
    """Return what the program calls itself in all that it writes."""
    return f"{program} (a stand-in of LUTE's simulators, not CrystFEL)"


def parse_arguments(program: str, model: type[P], used: Collection[str], argv: Sequence[str]) -> P:
    """Return the parameters on a command line; say on standard error which of them have no effect.

    Args:
        program: its own name.
        model: the parameters of the Task that runs it: each gives an option.
        used: names of the parameters that have an effect.
        argv: the arguments.

    Raises:
        ToolError: an option is not known, is missing, or has a wrong value.
    """
    parser = _Parser(prog=program, description=f"{version_text(program)}.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=version_text(program))
    for name, field in model.model_fields.items():
        if name != _HIDDEN:
            _add(parser, name, field)
    given = vars(parser.parse_args(argv))
    ignored = [name for name in given if name not in used]
    if ignored:
        say(f"{version_text(program)} ignores {', '.join(ignored)}")
    try:
        return model.model_validate({_HIDDEN: program} | _unset(model) | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ToolError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def say(text: str) -> None:
    """Print a line on standard error, as CrystFEL does with all that it tells."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _unset(model: type[P]) -> dict[str, str]:
    """Return a value for each file to write, whose names LUTE, not the program, would make up."""
    return {name: "" for name, field in model.model_fields.items() if marker(field, OutFile)}


def _add(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    options: dict[str, Any] = {"default": argparse.SUPPRESS}
    if marker(field, Positional):
        parser.add_argument(name, nargs="*", **options)
        return
    flag = marker(field, Flag)
    text = flag.text if flag else f"--{name.replace('_', '-')}"
    if field.annotation is bool:
        options["action"] = "store_true"
    elif field.annotation == list[str]:
        options["action"] = "append"
    parser.add_argument(text, dest=name, **options)
