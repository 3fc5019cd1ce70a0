"""What a file does while Airflow reads it, which is every 30 s and once in every task."""

import ast
from collections.abc import Iterator

from simulators.lint.finding import Finding
from simulators.lint.source import Source

_LATER = "do it in a Task, or in an operator's execute"
_FROM_RUN = "give it to the launcher: steps get it from the run's conf, or from the Tasks' YAML file"
_STOP = "raise an exception that says why, or leave it out"

_CALLS: dict[str, tuple[str, str]] = {
    "requests.": ("LUTE501", _LATER),
    "httpx.": ("LUTE501", _LATER),
    "urllib.request.": ("LUTE501", _LATER),
    "urllib3.": ("LUTE501", _LATER),
    "http.client.": ("LUTE501", _LATER),
    "time.sleep": ("LUTE504", _LATER),
    "subprocess.": ("LUTE504", _LATER),
    "os.system": ("LUTE504", _LATER),
    "os.popen": ("LUTE504", _LATER),
    "sys.exit": ("LUTE503", _STOP),
    "exit": ("LUTE503", _STOP),
    "quit": ("LUTE503", _STOP),
    "SystemExit": ("LUTE503", _STOP),
    "os._exit": ("LUTE503", _STOP),
    "os.abort": ("LUTE503", _STOP),
}
"""What is called -> code and what to do instead; a dot at the end stands for all that lies in it."""

_IN_DATABASE = (".Variable.get", ".Variable.set", ".get_connection", ".Connection.get")


def check_import_time(source: Source) -> Iterator[Finding]:
    """Find what is slow, or ends the reader, while the file is read."""
    for node in _executed(source):
        match node:
            case ast.Call(func=func):
                name = source.names.full(func)
            case ast.Raise(exc=ast.Name(id="SystemExit")):
                name = "SystemExit"
            case _:
                continue
        if name.startswith("airflow.") and name.endswith(_IN_DATABASE):
            said = f"{name}: called while Airflow reads the file"
            yield source.finding("LUTE502", node, said, _FROM_RUN)
        for called, (code, instead) in _CALLS.items():
            if name == called or (called.endswith(".") and name.startswith(called)):
                yield source.finding(code, node, f"{name}: called while Airflow reads the file", instead)


def _executed(source: Source) -> Iterator[ast.AST]:
    """Yield the nodes that run when the file is imported, as far as calls of its own functions tell."""
    functions = {
        node.name: node
        for node in source.nodes
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    }
    entered: set[str] = set()
    waiting: list[ast.AST] = list(source.tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += [*node.decorator_list, *node.args.defaults]
                waiting += [default for default in node.args.kw_defaults if default is not None]
                if any(_makes_dag(source, decorator) for decorator in node.decorator_list):
                    waiting += node.body
            case ast.Lambda():
                pass
            case ast.If(test=test) if "__name__" in ast.unparse(test):
                waiting += node.orelse
            case _:
                waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in entered:
            entered.add(node.func.id)
            waiting += functions[node.func.id].body if node.func.id in functions else []


def _makes_dag(source: Source, decorator: ast.expr) -> bool:
    name = source.names.full(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return name.startswith("airflow.") and name.endswith((".dag", ".task_group"))
