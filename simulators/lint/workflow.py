"""What is known of the workflows of a file: from its text, or from having imported it."""

import ast
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.lint.dag_calls import dag_calls, dag_line
from simulators.lint.keywords import own_step_keywords
from simulators.lint.source import UNKNOWN, Source

OPERATOR = "JIDSlurmOperator"


@dataclass(frozen=True)
class StepCall:
    """One place that makes steps: `JIDSlurmOperator(...)`, or its `partial` and `expand`.

    Attributes:
        node: the call.
        arguments: what it is given by keyword.
        has_more: True where `**` gives it what nobody can tell.
        is_whole: True for `JIDSlurmOperator(...)` and `partial(...)`, which need a task_id.
    """

    node: ast.Call
    arguments: dict[str, ast.expr]
    has_more: bool
    is_whole: bool


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        task_id: with the groups it lies in.
        line: where it is made.
        lines: where each of its arguments is written.
        arguments: those whose value is known.
        upstream: task_ids of the steps it waits for.
    """

    task_id: str
    line: int
    lines: dict[str, int]
    arguments: dict[str, object]
    upstream: frozenset[str] = frozenset()

    @property
    def managed_task(self) -> str:
        """The managed Task's name."""
        return self.task_id.rpartition(".")[2]

    def line_of(self, argument: str) -> int:
        """Return where an argument is written, or the step where it is not."""
        return self.lines.get(argument, self.line)


@dataclass(frozen=True)
class Workflow:
    """One DAG.

    Attributes:
        dag_id: its id; None where it cannot be told.
        line: where it is made.
        start_date: in UTC; None where there is none or it cannot be told.
        steps: those of JIDSlurmOperator.
        links: task_id -> what runs after it, for tasks of all kinds; None where it cannot be told.
    """

    dag_id: str | None
    line: int
    start_date: datetime | None
    steps: list[Step]
    links: dict[str, set[str]] | None = field(default=None)


def step_calls(source: Source) -> list[StepCall]:
    """Return where the file makes steps."""
    found: list[StepCall] = []
    for node, name in source.calls():
        is_partial = name.endswith(f"jidoperators.{OPERATOR}.partial")
        is_expand = (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "expand"
            and (
                isinstance(node.func.value, ast.Call)
                and source.names.full(node.func.value.func).endswith(f"jidoperators.{OPERATOR}.partial")
            )
        )
        if is_partial or is_expand or name.endswith(f"jidoperators.{OPERATOR}"):
            arguments = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            found.append(StepCall(node, arguments, len(arguments) < len(node.keywords), not is_expand))
    return sorted(found, key=lambda call: call.node.lineno)


def workflows_by_text(source: Source) -> list[Workflow]:
    """Return what the text tells; which step belongs to which DAG or group it does not."""
    steps: list[Step] = []
    for call in step_calls(source):
        values = {name: source.value(node) for name, node in call.arguments.items()}
        known = {name: value for name, value in values.items() if value is not UNKNOWN}
        if call.is_whole and isinstance(known.get("task_id"), str):
            steps.append(Step(str(known["task_id"]), call.node.lineno, _lines(call), known))
    found: list[Workflow] = []
    for dag in dag_calls(source):
        dag_id = dag.dag_id if isinstance(dag.dag_id, str) else None
        found.append(Workflow(dag_id, dag.node.lineno, dag.start_date(source), []))
    grouped = any(name.endswith(("TaskGroup", "task_group")) for name in source.names.bound.values())
    if len(found) == 1 and not grouped:
        found[0].steps.extend(steps)
    else:
        found += [Workflow(None, step.line, None, [step]) for step in steps]
    return found


def workflows_by_import(source: Source, dags: dict[str, Any]) -> list[Workflow]:
    """Return what the imported DAGs are; the lines come from the text."""
    found: list[Workflow] = []
    for dag_id, dag in dags.items():
        line = dag_line(source, dag_id)
        steps = [_imported_step(source, task, line) for task in dag.tasks if _is_step(task)]
        links = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
        start = dag.start_date
        found.append(Workflow(dag_id, line, start and start.replace(tzinfo=None), steps, links))
    return found


def _is_step(task: Any) -> bool:
    kind = getattr(task, "operator_class", type(task))
    return any(ancestor.__name__ == OPERATOR for ancestor in kind.__mro__)


def _imported_step(source: Source, task: Any, dag_line: int) -> Step:
    given = getattr(task, "partial_kwargs", None)
    values = vars(task) if given is None else given
    arguments = {name: values[name] for name in own_step_keywords() if name in values}
    own = str(task.task_id).rpartition(".")[2]
    calls = [call for call in step_calls(source) if call.is_whole]
    by_name = [call for call in calls if source.value(call.arguments.get("task_id")) == own]
    dynamic = [call for call in calls if source.value(call.arguments.get("task_id")) is UNKNOWN]
    made = next(iter(by_name or dynamic), None)
    line = made.node.lineno if made else dag_line
    lines = _lines(made) if made else {}
    return Step(str(task.task_id), line, lines, arguments, frozenset(task.upstream_task_ids))


def _lines(call: StepCall) -> dict[str, int]:
    return {name: node.lineno for name, node in call.arguments.items()}
