"""Small changes to a file, each of which should make a test fail. mutmut thinks them out."""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        file: path of the changed file, from the root of the project.
        functions: qualified names of those that differ.
        code: the whole file, changed.
        diff: the lines that differ.
    """

    file: str
    functions: tuple[str, ...]
    code: str
    diff: tuple[str, ...]


class _Visitor(MutationVisitor):
    """Looks into decorated functions, too, which mutmut cannot run."""

    def _skip_node_and_children(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.FunctionDef):
            node = node.with_changes(decorators=())
        return bool(super()._skip_node_and_children(node))


def mutants(root: Path, file: str) -> Iterator[Mutant]:
    """Give the mutants of a file, in a fixed order."""
    text = (root / file).read_text(encoding="utf-8")
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = MetadataWrapper(libcst.parse_module(text)).visit(visitor)
    functions = functions_of(text)
    seen = {text}
    for mutation in visitor.mutations:
        top = mutation.contained_by_top_level_function
        if not isinstance(top, libcst.FunctionDef):
            continue
        changed_top = top.deep_replace(mutation.original_node, mutation.mutated_node)
        code = module.deep_replace(top, changed_top).code
        if code in seen:
            continue
        seen.add(code)
        changed = tuple(name for name, node in functions_of(code).items() if node != functions.get(name))
        if changed:
            yield Mutant(file, changed, code, _diff(text, code))


def functions_of(text: str) -> dict[str, str]:
    """Return what the functions and methods of a file do, by qualified name."""
    return {name: ast.dump(_bare(node)) for name, node in definitions(ast.parse(text))}


def definitions(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Give the functions of a module and the methods of its classes, by qualified name."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from definitions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node


def _bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
    """Take decorators and annotations away, which have done their work when the function is called."""
    function.decorator_list = []
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return function


def _diff(before: str, after: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return tuple(line for line in lines if not line.startswith(("---", "+++")))
