"""Passwords and tokens that stand in a file in clear."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from lute.redact import redact
from simulators.lint.finding import Finding
from simulators.lint.source import Source


class _Text(ast.Constant):
    """A constant that is a text."""

    value: str


_INSTEAD = "an Airflow Connection, or the token that the launcher passes; and have this one revoked"
_HARMLESS = ("***", "{{", "$", "<", "/")


def check_credentials(source: Source) -> Iterator[Finding]:
    """Find texts that are credentials by the name they are given, or by their form."""
    told: set[int] = set()
    # What `redact` would take out of `password = "..."`. The value itself is never told.
    named = [
        (node, f"a credential in clear: '{name}'")
        for name, node in _named(source)
        if redact(f"{name}=x") != f"{name}=x"
    ]
    prose = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    formed = [
        (node, "a text with a credential in clear")
        for node in source.nodes
        if _is_text(node) and id(node) not in prose and redact(node.value) != node.value
    ]
    for node, said in named + formed:
        if _is_text(node) and node.lineno not in told:
            told.add(node.lineno)
            yield source.finding("LUTE505", node, said, _INSTEAD)


def _named(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Yield what is given a name: by assignment, as an argument, in a dict."""
    for node in source.nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
                yield from ((target.attr, value) for target in targets if isinstance(target, ast.Attribute))
                for target in targets:
                    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                        yield str(target.slice.value), value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.keyword(arg=str(name), value=value):
                yield name, value
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant):
                        yield str(key.value), value


def _is_text(node: ast.AST) -> TypeGuard["_Text"]:
    """True for a text that may be a secret: not empty, no template, variable or path."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    return bool(node.value.strip()) and not node.value.startswith(_HARMLESS)
