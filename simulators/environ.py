"""Changing this process's environment: for what reads it in the virtual world."""

import contextlib
import os
from collections.abc import Iterator, Mapping


def set_defaults(values: Mapping[str, str]) -> None:
    """Set the variables that are not set."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def changed(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and put them back at the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Unset variables, and put them back at the end."""
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(before)
