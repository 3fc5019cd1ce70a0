"""Saying in one sentence what is wrong in a scenario file, and where."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from lute.errors import ConfigError, did_you_mean
from lute.io.yaml_lines import Key, Place, YamlDocument
from simulators.faults.kinds import KINDS
from simulators.scenario.schema import ClusterModel, Expected, Scenario, TaskModel

_WANTED = {
    "dict_type": "should be a mapping",
    "model_type": "should be a mapping",
    "tuple_type": "should be a list",
    "string_type": "should be text",
}


@dataclass(frozen=True, eq=False)
class _Problem:
    """One problem of pydantic's report, those of a fault's own fields included.

    Attributes:
        keys: the keys and positions that lead to it, as pydantic counts them.
    """

    keys: tuple[Key, ...]
    kind: str
    message: str
    given: object


def first_problem(error: ValidationError, document: YamlDocument) -> ConfigError:
    """Return the problem to be told: a misspelt name before all others, then by line."""
    problems = list(_problems(error))
    places = {problem: _place(document, problem.keys) for problem in problems}

    def rank(problem: _Problem) -> tuple[bool, int]:
        return problem.kind != "extra_forbidden", document.lines.get(places[problem], 0)

    problem = min(problems, key=rank)
    return document.error(_sentence(problem, places[problem], document.value), places[problem])


def _problems(error: ValidationError, before: tuple[Key, ...] = ()) -> Iterator[_Problem]:
    for found in error.errors(include_url=False):
        keys = (*before, *found["loc"])
        cause = found.get("ctx", {}).get("error")
        given = found.get("input")
        if isinstance(cause, ValidationError):
            yield from _problems(cause, keys)
            continue
        if not before and keys[:1] == ("faults",) and isinstance(given, dict) and "what" in given:
            keys = (*keys, "what")  # an unknown kind: known ones report about themselves
        yield _Problem(keys, found["type"], found["msg"], given)


def _place(document: YamlDocument, keys: tuple[Key, ...]) -> Place:
    """Return where in the file a problem is: pydantic counts a task's only model as the first of a list."""
    value: Any = document.value
    place: Place = ()
    for key in keys:
        is_there = (isinstance(value, dict) and key in value) or (
            isinstance(value, list) and isinstance(key, int) and key < len(value)
        )
        if is_there:
            value = value[key]
            place = (*place, key)
    return place


def _sentence(problem: _Problem, place: Place, document: object) -> str:
    name = str(problem.keys[-1]) if problem.keys else ""
    shown = ".".join(str(key) for key in place)
    if problem.kind == "extra_forbidden":
        model, owner = _model_at(problem.keys[:-1], cast(Mapping[str, Any], document))
        return f"{owner} has no field '{name}': {did_you_mean(name, model.model_fields)}"
    if problem.kind == "missing":
        return f"'{shown}' lacks '{name}'" if shown else f"'{name}' is missing"
    if problem.kind == "value_error" and not problem.message.startswith("Value error, should"):
        return problem.message.removeprefix("Value error, ")
    if problem.kind == "invalid_key" or name == "[key]":
        return f"the name {place[-1]!r} is not text: put it in quotes"
    wanted = _WANTED.get(problem.kind) or re.sub("^(Input|Value error,) ", "", problem.message)
    return f"'{shown}' {wanted}, not {_short(problem.given)}"


def _model_at(keys: tuple[Key, ...], document: Mapping[str, Any]) -> tuple[type[BaseModel], str]:
    """Return which model has a field at these keys, and what to call it."""
    match keys:
        case ("faults", int(index), *_):
            kind = document["faults"][index]["what"]
            return KINDS[kind], f"the fault {kind}"
        case ("tasks", name, *_):
            return TaskModel, f"the model of task {name}"
        case ("cluster", *_):
            return ClusterModel, "cluster"
        case ("expect", *_):
            return Expected, "expect"
    return Scenario, "a scenario"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
