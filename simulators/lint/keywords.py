"""The arguments that the installed Airflow and LUTE's operator take, read from their signatures."""

import functools
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any


def operator_module() -> ModuleType:
    """Return the module of LUTE's operators; Airflow is given a home of its own before it is imported."""
    import simulators.dagrunner.installed  # noqa: F401
    from lute.operators import jidoperators

    return jidoperators


@functools.cache
def dag_keywords() -> frozenset[str]:
    """Return the keywords that DAG takes."""
    from simulators.dagrunner.installed import DAG

    return frozenset(_parameters(DAG.__init__))


@functools.cache
def own_step_keywords() -> frozenset[str]:
    """Return the keywords of JIDSlurmOperator that no other operator has."""
    return frozenset(_parameters(operator_module().JIDSlurmOperator.__init__))


@functools.cache
def step_keywords() -> frozenset[str]:
    """Return all keywords that JIDSlurmOperator takes, those of every operator among them."""
    from simulators.dagrunner.installed import BaseOperator

    return own_step_keywords() | frozenset(_parameters(BaseOperator.__init__))


def _parameters(function: Callable[..., Any]) -> set[str]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.items()
    return {name for name, parameter in parameters if parameter.kind in named} - {"self"}
