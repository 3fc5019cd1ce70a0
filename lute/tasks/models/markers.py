"""What a model says of a parameter besides its type: where its default comes from, how it is passed.

Markers stand in the annotation: `in_file: Annotated[str, Flag("-i"), FromTask("Indexer", "out_file")]`.
"""

from dataclasses import dataclass
from typing import TypeVar

from pydantic.fields import FieldInfo

M = TypeVar("M")


@dataclass(frozen=True)
class FromTask:
    """The default is a result or parameter of the latest successful run of another Task.

    Attributes:
        task: the other Task, run for the same experiment and run.
        name: its result or parameter.
        forms: when given, the default is a list with one text per form, `{}` being the value found.
    """

    task: str
    name: str
    forms: tuple[str, ...] = ()

    def value(self, found: object) -> object:
        """Return the default that follows from the value found."""
        return [form.format(found) for form in self.forms] if self.forms else found


@dataclass(frozen=True)
class Template:
    """The default is a text in which `{{ name }}` is substituted as in the user's own file."""

    text: str


@dataclass(frozen=True)
class Flag:
    """The option that passes the parameter to a program; unmarked it is `--name-of-the-parameter`.

    `-x` comes before its value, `--long` is joined to it by `=`. True gives the bare option. A list
    gives the option once for each element.
    """

    text: str


@dataclass(frozen=True)
class Positional:
    """The parameter is passed to a program without an option, after all options."""


@dataclass(frozen=True)
class InFile:
    """The parameter is the path of a file, or a list of such, that must be there when the Task starts."""


@dataclass(frozen=True)
class FileList:
    """The parameter is the path of a file that lists files, one a line; all must be there.

    What follows a file's name, an event such as `//3`, is no part of it.

    Attributes:
        unless: parameters of which any, once set, changes what the lines mean: then only the list itself
            must be there.
    """

    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutFile:
    """The parameter is the path of the file that the Task writes: a result."""


def marker(field: FieldInfo, kind: type[M]) -> M | None:
    """Return the field's marker of a kind, None where it has none."""
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)
