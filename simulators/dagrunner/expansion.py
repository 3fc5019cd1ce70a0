"""Mapped tasks: how many elements there are, and the arguments of each."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from simulators.dagrunner.installed import PlainXComArg
from simulators.dagrunner.load import NotSimulatedError


class NotYet(Exception):
    """The values to map over are not known yet."""


def elements(task: Any, xcom: Callable[[str, str], Any]) -> list[dict[str, Any]]:
    """Return the arguments of each element of a mapped task, in the order of their map indexes.

    Args:
        xcom: returns what a task pushed under a key, None if nothing.

    Raises:
        NotYet: an upstream task has not pushed its values.
        NotSimulatedError: it maps over something else than values and plain XComs.
    """
    given = task._get_specified_expand_input()
    value = given.value
    if isinstance(value, dict):
        names = list(value)
        lists = [_values(task, value[name], xcom) for name in names]
        # As Airflow: the last argument varies fastest.
        return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*lists)]
    rows = _values(task, value, xcom)
    return [
        {name: _value(item, xcom) for name, item in row.items()} if isinstance(row, dict) else row
        for row in rows
    ]


def _values(task: Any, given: Any, xcom: Callable[[str, str], Any]) -> list[Any]:
    value = _value(given, xcom)
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    raise NotSimulatedError(f"{task.task_id}: mapping over {type(given).__name__} is not simulated")


def _value(given: Any, xcom: Callable[[str, str], Any]) -> Any:
    if not isinstance(given, PlainXComArg):
        return given
    found = xcom(given.operator.task_id, given.key)
    if found is None:
        raise NotYet
    return found
