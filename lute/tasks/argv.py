"""The command line of a third-party program, from its parameters."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from lute.tasks.models.base import ThirdPartyParameters
from lute.tasks.models.markers import Flag, Positional, marker


def render_argv(parameters: ThirdPartyParameters) -> list[str]:
    """Return the program and its arguments.

    Options come in the order of the model's fields, then the positional arguments. A parameter that
    is None or False gives no argument.
    """
    options: list[str] = []
    positional: list[str] = []
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        if name == "executable" or value is None:
            continue
        values = value if isinstance(value, list | tuple) else [value]
        if marker(field, Positional):
            positional += map(str, values)
        else:
            flag = _flag(name, field)
            options += [argument for one in values for argument in _option(flag, one)]
    return [parameters.executable, *options, *positional]


def _flag(name: str, field: FieldInfo) -> str:
    mark = marker(field, Flag)
    return mark.text if mark else f"--{name.replace('_', '-')}"


def _option(flag: str, value: object) -> Iterator[str]:
    if isinstance(value, bool):
        if value:
            yield flag
    elif flag.startswith("--"):
        yield f"{flag}={value}"
    else:
        yield flag
        yield str(value)
