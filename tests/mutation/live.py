"""The functions of this process as they are, and as a mutant would have them."""

import ast
import gc
import importlib
import os
from pathlib import Path
from types import CodeType, FunctionType

from tests.mutation.mutants import Mutant, definitions

_OPTIMISED = 0x2  # CO_OPTIMIZED of `inspect`: code of a function, not of a class or module


class LiveFunctions:
    """All functions that a file has brought into this process.

    Args:
        root: of the project.
        file: path from there.
    """

    def __init__(self, root: Path, file: str) -> None:
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        importlib.import_module(f"lute.{module}" if module.startswith("operators") else module)
        self.path = os.path.realpath(root / file)
        self._by_name: dict[str, list[FunctionType]] = {}
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and os.path.realpath(thing.__code__.co_filename) == self.path:
                self._by_name.setdefault(thing.__qualname__, []).append(thing)

    def become(self, mutant: Mutant) -> bool:
        """Make all of them do as the mutant's, for the rest of this process's life; tell whether all can.

        One that uses `super()` where it did not, or the other way round, cannot: its closure is another.
        """
        code = _codes(compile(mutant.code, self.path, "exec", dont_inherit=True))
        nodes = dict(definitions(ast.parse(mutant.code)))
        functions = [
            (name, function) for name in mutant.functions for function in self._by_name.get(name, [])
        ]
        if any(function.__code__.co_freevars != code[name].co_freevars for name, function in functions):
            return False
        for name, function in functions:
            function.__code__ = code[name]
            _take_defaults(function, nodes[name].args)
        return bool(functions)


def _codes(module: CodeType) -> dict[str, CodeType]:
    found = {}
    todo = [module]
    while todo:
        code = todo.pop(0)
        todo += [const for const in code.co_consts if isinstance(const, CodeType)]
        if code.co_flags & _OPTIMISED and "<locals>" not in code.co_qualname:
            found[code.co_qualname] = code
    return found


def _take_defaults(function: FunctionType, arguments: ast.arguments) -> None:
    """Take over the defaults that are literals; others cannot have been changed."""
    if function.__defaults__ and len(function.__defaults__) == len(arguments.defaults):
        pairs = zip(arguments.defaults, function.__defaults__, strict=True)
        function.__defaults__ = tuple(_literal(node, old) for node, old in pairs)
    known = function.__kwdefaults__ or {}
    for argument, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if node is not None and argument.arg in known:
            known[argument.arg] = _literal(node, known[argument.arg])


def _literal(node: ast.expr, otherwise: object) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return otherwise
