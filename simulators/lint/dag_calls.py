"""The arguments that a file gives to DAG, as far as they can be told without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from lute.errors import did_you_mean
from simulators.lint.airflow_names import DAG_KEYWORDS_2, DAG_KEYWORDS_3
from simulators.lint.finding import Finding
from simulators.lint.keywords import dag_keywords
from simulators.lint.source import UNKNOWN, Source

_MOVING = ("now", "utcnow", "today", "days_ago", "yesterday")


@dataclass(frozen=True)
class DagCall:
    """One place that makes a DAG: `DAG(...)` or `@dag`.

    Attributes:
        node: the call or the decorator.
        dag_id: its id; UNKNOWN where only running the file would tell.
        arguments: what it is given by keyword.
        has_more: True where `**` gives it what nobody can tell.
    """

    node: ast.expr
    dag_id: object
    arguments: dict[str, ast.expr] = field(default_factory=dict)
    has_more: bool = False

    def start_date(self, source: Source) -> datetime | None:
        """Return its start date, if that is written as a date."""
        return _date(source, _start_date(source, self))


def dag_calls(source: Source) -> list[DagCall]:
    """Return where the file makes DAGs, from its top to its end."""
    decorated = {
        id(decorator): node.name
        for node in source.nodes
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    }
    found: list[DagCall] = []
    for node in source.nodes:
        name = source.names.full(node.func if isinstance(node, ast.Call) else node)
        is_decorator = id(node) in decorated
        if not name.startswith("airflow") or not name.endswith((".dag",) if is_decorator else (".DAG",)):
            continue
        if isinstance(node, ast.Call):
            arguments = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            first = node.args[0] if node.args else arguments.get("dag_id")
            own = source.value(first) if first is not None else decorated.get(id(node), UNKNOWN)
            has_more = len(arguments) < len(node.keywords)
            found.append(DagCall(node, own, arguments, has_more))
        elif is_decorator and isinstance(node, ast.expr):
            found.append(DagCall(node, decorated[id(node)]))
    return sorted(found, key=lambda call: call.node.lineno)


def dag_line(source: Source, dag_id: str) -> int:
    """Return where a DAG is made, as far as the text tells."""
    calls = dag_calls(source)
    of_that_id = [call.node.lineno for call in calls if call.dag_id == dag_id]
    dynamic = [call.node.lineno for call in calls if call.dag_id is UNKNOWN]
    return next(iter(of_that_id or dynamic), 1)


def check_dag_calls(source: Source) -> Iterator[Finding]:
    """Find wrong keywords of DAGs, schedules, and dates that move."""
    for call in dag_calls(source):
        yield from _keywords(source, call)
        yield from _schedule(source, call)
        yield from _moving_date(source, call)


def _keywords(source: Source, call: DagCall) -> Iterator[Finding]:
    known = dag_keywords()
    for name, value in call.arguments.items():
        if name == "schedule_interval":
            yield source.finding("LUTE101", value, "schedule_interval= is Airflow 2's keyword", "schedule=")
        elif name in DAG_KEYWORDS_2:
            yield source.finding("LUTE105", value, f"Airflow 3 has no DAG({name}=)", DAG_KEYWORDS_2[name])
        elif name in DAG_KEYWORDS_3:
            yield source.finding("LUTE105", value, f"Airflow 2.11 has no DAG({name}=)", DAG_KEYWORDS_3[name])
        elif name not in known:
            yield source.finding("LUTE203", value, f"DAG has no argument {name}=", did_you_mean(name, known))


def _schedule(source: Source, call: DagCall) -> Iterator[Finding]:
    given = [
        call.arguments[name]
        for name in ("schedule", "schedule_interval", "timetable")
        if name in call.arguments
    ]
    if not given and not call.has_more:
        yield source.finding("LUTE204", call.node, "the DAG says nothing of its schedule", "schedule=None")
    if given and (isinstance(given[0], ast.Call) or source.value(given[0]) not in (None, UNKNOWN)):
        said = f"the DAG has a schedule, {ast.unparse(given[0])}"
        yield source.finding("LUTE205", given[0], said, "schedule=None: the launcher starts the runs")
    catchup = call.arguments.get("catchup")
    if catchup is not None and source.value(catchup) is True:
        yield source.finding(
            "LUTE208", catchup, "the DAG has catchup=True", "nothing: leave it out, or catchup=False"
        )


def _start_date(source: Source, call: DagCall) -> ast.expr | None:
    if "start_date" in call.arguments:
        return call.arguments["start_date"]
    match call.arguments.get("default_args"):
        case ast.Dict(keys=keys, values=values):
            named = [(source.value(key), value) for key, value in zip(keys, values, strict=True) if key]
            return next((value for name, value in named if name == "start_date"), None)
    return None


def _moving_date(source: Source, call: DagCall) -> Iterator[Finding]:
    written = _start_date(source, call)
    for node in ast.walk(written) if written is not None else ():
        if isinstance(node, ast.Call) and source.names.full(node.func).rpartition(".")[2] in _MOVING:
            said = f"start_date is another one each time the file is read: {ast.unparse(node)}"
            yield source.finding("LUTE207", node, said, "start_date=datetime(2024, 1, 1), a fixed date")
            return


def _date(source: Source, node: ast.expr | None) -> datetime | None:
    if not isinstance(node, ast.Call) or not source.names.full(node.func).endswith("datetime"):
        return None
    numbers = [source.value(argument) for argument in node.args]
    numbers += [
        source.value(keyword.value) for keyword in node.keywords if keyword.arg in ("year", "month", "day")
    ]
    try:
        year, month, day = (int(number) for number in numbers[:3] if isinstance(number, int))
        return datetime(year, month, day)  # noqa: DTZ001 - Airflow takes a start date without a zone as UTC
    except (ValueError, OverflowError):
        return None
