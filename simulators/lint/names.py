"""What the names in a file mean, as far as its imports tell."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Imported:
    """One name that a file imports.

    Attributes:
        full: the name with its module: `airflow.models.DAG`.
        node: the statement.
        guarded: True where it stands in a `try` that catches ImportError, or is for type checkers only.
    """

    full: str
    node: ast.Import | ast.ImportFrom
    guarded: bool


@dataclass(frozen=True)
class Names:
    """What a file imports.

    Attributes:
        imports: every imported name, in the order of the tree.
        bound: local name -> full name.
    """

    imports: list[Imported]
    bound: dict[str, str]

    @classmethod
    def of(cls, tree: ast.Module) -> "Names":
        """Collect the imports of a whole file, those within functions too."""
        guarded = {id(node) for guard in ast.walk(tree) if _is_guard(guard) for node in ast.walk(guard)}
        imports: list[Imported] = []
        bound: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    imports.append(Imported(alias.name, node, id(node) in guarded))
                    name = alias.asname or alias.name.partition(".")[0]
                    bound[name] = alias.name if alias.asname else name
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    imports.append(Imported(f"{module}.{alias.name}", node, id(node) in guarded))
                    bound[alias.asname or alias.name] = f"{module}.{alias.name}"
        return cls(imports, bound)

    def full(self, node: ast.AST) -> str:
        """Return the full name that an expression stands for: `airflow.DAG`; empty if it is no name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.bound.get(node.id, node.id), *reversed(parts)])


def _is_guard(node: ast.AST) -> bool:
    match node:
        case ast.Try(handlers=handlers):
            caught = " ".join(ast.unparse(handler.type) for handler in handlers if handler.type)
            return any(name in caught for name in ("ImportError", "ModuleNotFoundError"))
        case ast.If(test=test):
            return "TYPE_CHECKING" in ast.unparse(test)
        case _:
            return False
