"""The text of a DAG file and its syntax tree, without running it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from simulators.lint.finding import Finding
from simulators.lint.names import Names

UNKNOWN = object()
"""The value of an expression that only running it would tell."""

_NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z0-9]+(?:[,\s]+[A-Z0-9]+)*))?", re.IGNORECASE)
_OWN_NAME = re.compile(
    r"(pathlib\.)?Path\(__file__\)(\.resolve\(\))?\.stem"
    r"|(os\.)?(path\.)?splitext\((os\.)?(path\.)?basename\(__file__\)\)\[0\]"
    r"|(os\.)?(path\.)?basename\(__file__\)\.(split|partition)\('\.'\)\[0\]"
)
"""How DAG files ask for their own name, as `ast.unparse` writes it."""


@dataclass
class Source:
    """One DAG file.

    Attributes:
        file: as the user gave it.
        tree: its syntax tree.
        silenced: per line the codes that a `# noqa` there silences; an empty set silences all.
    """

    file: Path
    tree: ast.Module
    silenced: dict[int, set[str]] = field(default_factory=dict)

    @cached_property
    def names(self) -> Names:
        """What the names in the file mean."""
        return Names.of(self.tree)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the tree."""
        return list(ast.walk(self.tree))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield each call with the full name of what is called; empty where that is no name."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield node, self.names.full(node.func)

    def finding(self, code: str, where: ast.AST | int, message: str, instead: str) -> Finding:
        """Return a finding at a node or a line."""
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return Finding(code, str(self.file), line, message, instead)

    def value(self, node: ast.AST | None) -> object:
        """Return the value of an expression, UNKNOWN where only running it would tell."""
        if isinstance(node, ast.Name) and node.id in self._constants:
            return self._constants[node.id]
        return self._literal(node)

    @cached_property
    def _constants(self) -> dict[str, object]:
        """Names that are bound once in the whole file, at its top level, to what can be told."""
        bound = [
            node.id for node in self.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        found: dict[str, object] = {}
        for statement in self.tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            if bound.count(name) == 1:
                found[name] = self._literal(value)
        return found

    def _literal(self, node: ast.AST | None) -> object:
        match node:
            case ast.JoinedStr(values=parts):
                texts = [
                    self.value(getattr(part, "value", None) if _is_plain(part) else part) for part in parts
                ]
                return UNKNOWN if UNKNOWN in texts else "".join(str(text) for text in texts)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                sides = self.value(left), self.value(right)
                return "".join(map(str, sides)) if all(isinstance(side, str) for side in sides) else UNKNOWN
            case ast.Constant(value=value):
                return value
            case ast.UnaryOp() | ast.List() | ast.Tuple() | ast.Dict() | ast.Set():
                try:
                    return ast.literal_eval(node)
                except (ValueError, TypeError):
                    return UNKNOWN
            case ast.Subscript() | ast.Attribute() if _OWN_NAME.fullmatch(ast.unparse(node)):
                return self.file.stem
            case _:
                return UNKNOWN


def _is_plain(part: ast.expr) -> bool:
    """True for `{name}` in an f-string: no format, no conversion."""
    return isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1


def read_source(file: Path) -> Source | Finding:
    """Read a DAG file; one that is no Python is a finding."""
    try:
        raw = file.read_bytes()
        tree = ast.parse(raw, filename=str(file))
        source = Source(file, tree, _silenced(raw))
    except OSError as error:
        return Finding("LUTE001", str(file), 1, f"cannot be read: {error.strerror}", "check the file's path")
    except SyntaxError as error:
        said = f"not valid Python: {error.msg}"
        return Finding("LUTE001", str(file), error.lineno or 1, said, "correct the line, or the one above it")
    except (ValueError, RecursionError, MemoryError) as error:
        return Finding("LUTE001", str(file), 1, f"not a Python file: {error}", "give a DAG file")
    return source


def _silenced(raw: bytes) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    try:
        for token in tokenize.tokenize(io.BytesIO(raw).readline):
            if token.type == tokenize.COMMENT and (noqa := _NOQA.search(token.string)):
                found[token.start[0]] = set(re.findall(r"\w+", (noqa["codes"] or "").upper()))
    except (tokenize.TokenError, SyntaxError):  # what `ast` takes, but the tokenizer does not
        return found
    return found
