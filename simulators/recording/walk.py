"""Going through JSON values."""

from collections.abc import Callable
from typing import Any


def map_strings(
    value: Any,
    change: Callable[[str], str],
    by_name: Callable[[str, Any], str | None] = lambda _name, _value: None,
) -> Any:
    """Return a copy of a JSON value with every text in it changed, names too.

    Args:
        by_name: given the name and the value of an object's member, returns what stands for the value; None
            for one that is to be changed as all others.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_strings(item, change, by_name) for item in value]
    if isinstance(value, dict):
        made = {}
        for name, item in value.items():
            instead = by_name(name, item)
            made[change(name)] = map_strings(item, change, by_name) if instead is None else instead
        return made
    return value
