"""Priority weights: of tasks that wait for a slot, the weightiest goes first."""

from typing import Any


def total_weight(dag: Any, task: Any) -> int:
    """Return a task's weight as its `weight_rule` has it (Airflow's `priority_weight_total`).

    By default it is its own and that of all tasks behind it; `upstream` counts those before it.
    """
    rule = type(task.weight_rule).__name__.lower() + str(task.weight_rule).lower()
    own = int(task.priority_weight)
    if "absolute" in rule:
        return own
    relatives = _all(dag, task, "upstream_task_ids" if "upstream" in rule else "downstream_task_ids")
    return own + sum(int(dag.get_task(task_id).priority_weight) for task_id in relatives)


def _all(dag: Any, task: Any, direction: str) -> set[str]:
    found: set[str] = set()
    todo = list(getattr(task, direction))
    while todo:
        task_id = todo.pop()
        if task_id not in found:
            found.add(task_id)
            todo.extend(getattr(dag.get_task(task_id), direction))
    return found
