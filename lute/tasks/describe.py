"""Parameters in words, for `lute.help` and for the reference."""

import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lute.tasks.models.base import ParameterGroup
from lute.tasks.models.markers import FromTask, OutFile, Template, marker
from lute.tasks.registry import RegisteredTask, registered_task

_UNIT = re.compile(
    r"\b(?:in|so many) (Å²|Å|eV|1/Å|1/nm|1/m|mm|m|\(ADU per pixel\)²|ADU|pixels|percent|rad|degrees"
    r"|seconds)(?!\w)"
)
_HERE = f"{Path(__file__).parents[2]}/"


@dataclass(frozen=True)
class Described:
    """One parameter in words.

    Attributes:
        name: as it is written; `group.name` within a group.
        type: of its value.
        unit: empty where it has none.
        default: its value, or where it is found.
        is_value: whether `default` is the value itself.
        meaning: its description.
    """

    name: str
    type: str
    unit: str
    default: str
    is_value: bool
    meaning: str


def summary(task: RegisteredTask) -> str:
    """Return what a Task does, in a few words."""
    return (task.parameters_class().__doc__ or "").partition("\n")[0].partition(": ")[2]


def describe(model: type[BaseModel]) -> Iterator[Described]:
    """Give each parameter of a model, in its order; those of a group behind it."""
    for name, field in model.model_fields.items():
        default, is_value = describe_default(field)
        meaning = " ".join((field.description or "").split())
        yield Described(name, describe_type(field.annotation), _unit(meaning), default, is_value, meaning)
        if group := _group(field.annotation):
            for inner in describe(group):
                yield Described(
                    f"{name}.{inner.name}",
                    inner.type,
                    inner.unit,
                    inner.default,
                    inner.is_value,
                    inner.meaning,
                )


def describe_type(annotation: object) -> str:
    """Return a type in words; that None is possible, the default tells."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return describe_type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe_type(part) for part in arguments if part is not type(None))
    if origin is typing.Literal:
        return " or ".join(map(str, arguments))
    if isinstance(annotation, type) and not arguments:
        return "group" if issubclass(annotation, ParameterGroup) else annotation.__name__
    return str(annotation).replace("typing.", "")


def describe_default(field: FieldInfo) -> tuple[str, bool]:
    """Return a default in words, and whether these are the value itself."""
    if source := marker(field, FromTask):
        return _found_elsewhere(source), False
    if template := marker(field, Template):
        return template.text, True
    if factory := field.default_factory:
        return (factory.__doc__ or "").removeprefix("Return ").rstrip("."), False
    if field.is_required():
        return "required", False
    default = field.default
    if default is None or default == "":
        return ("none" if default is None else "empty"), False
    if isinstance(default, BaseModel):
        return "as follows", False
    # Without the folder in which this copy of LUTE happens to lie.
    return str(default).replace(_HERE, ""), True


def _found_elsewhere(source: FromTask) -> str:
    field = registered_task(source.task).parameters_class().model_fields.get(source.name)
    kind = "result" if field is None or marker(field, OutFile) is not None else "parameter"
    forms = f" as {' and '.join(source.forms)}" if source.forms else ""
    return f"{kind} {source.name} of {source.task}{forms}"


def _group(annotation: object) -> type[ParameterGroup] | None:
    for part in (annotation, *typing.get_args(annotation)):
        if isinstance(part, type) and issubclass(part, ParameterGroup):
            return part
    return None


def _unit(meaning: str) -> str:
    """Return the unit that a description names, as in `Smallest d, in Å.`"""
    found = _UNIT.search(meaning)
    return found[1] if found else ""
