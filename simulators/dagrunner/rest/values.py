"""XCom values as the two versions show those that JSON has no words for (measured)."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any


def v2_value(value: Any) -> Any:
    """Return a value as Airflow 3 stores it: tuples, sets and times with the name of their class."""
    match value:
        case tuple():
            return _classed("builtins.tuple", 1, _v2_items(value))
        case set() | frozenset():
            return _classed(f"builtins.{type(value).__name__}", 1, _v2_items(value))
        case datetime():
            return _classed("datetime.datetime", 2, {"timestamp": value.timestamp(), "tz": v2_value(_ZONE)})
        case dict():
            return {str(key): v2_value(held) for key, held in value.items()}
        case list():
            return _v2_items(value)
    return value


def v1_text(value: Any) -> str | None:
    """Return a value as Airflow 2's REST API shows it: text as it is, Python's text of everything else."""
    match value:
        case None | str():
            return value
        case dict() | list():
            return str(_lists(value))
    return _v1_words(value)


_ZONE = ("UTC", "pendulum.tz.timezone.FixedTimezone", 1, True)
"""How both versions write UTC, the only zone that is written right here."""


def _classed(name: str, version: int, data: Any) -> Mapping[str, Any]:
    return {"__classname__": name, "__version__": version, "__data__": data}


def _v2_items(values: Iterable[Any]) -> list[Any]:
    return [v2_value(value) for value in values]


def _lists(value: Any) -> Any:
    """Return a value with its tuples and sets as lists, which is what is left of them inside of another."""
    match value:
        case dict():
            return {key: _lists(held) for key, held in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_lists(held) for held in value]
    return value


def _v1_words(value: Any) -> str:
    match value:
        case tuple() | set() | frozenset():
            return f"({','.join(map(_v1_words, value))})"
        case datetime():
            return f"datetime.datetime@version=2(timestamp={value.timestamp()},tz={_v1_words(_ZONE)})"
    return str(value)


def without_nan(value: Any) -> Any:
    """Return a JSON value with null for what JSON has no number for, as v2 answers (measured)."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: without_nan(held) for key, held in value.items()}
        case list():
            return [without_nan(held) for held in value]
    return value
