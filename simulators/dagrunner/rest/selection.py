"""Which runs, tasks and DAGs a request means; the same in both versions of the API."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

from lute.airflow_api.models import TaskState
from simulators.dagrunner.state import AirflowState, DagEntry, DagRun, TaskInstance

ANY = "~"
"""In the place of a DAG's or run's name: all of them."""

_FAILED = (TaskState.FAILED, TaskState.UPSTREAM_FAILED)

Instance = tuple[DagRun, TaskInstance]


def runs_of(state: AirflowState, dag_id: str, run_id: str = ANY) -> list[DagRun]:
    """Return runs, oldest first."""
    if ANY not in (dag_id, run_id):
        run = state.run(dag_id, run_id)
        return [] if run is None else [run]
    return [run for run in state.runs.values() if dag_id in (ANY, run.dag_id) and run_id in (ANY, run.run_id)]


def instances_of(runs: Iterable[DagRun]) -> list[Instance]:
    """Return the task instances of runs, each with its run."""
    return [(run, task) for run in runs for task in run.tasks.values()]


def task_of(run: DagRun | None, task_id: str, map_index: int | None) -> TaskInstance | None:
    """Return one task instance.

    Args:
        map_index: None for any, where there is just one.
    """
    if run is None:
        return None
    if map_index is not None:
        return run.tasks.get((task_id, map_index))
    found = [task for task in run.tasks.values() if task.task_id == task_id]
    return found[0] if len(found) == 1 else None


def related(dag: Any, task_ids: Collection[str], *, upstream: bool, downstream: bool) -> set[str]:
    """Return tasks with those before or behind them; names that the DAG does not have are left out."""
    found = {task_id for task_id in task_ids if task_id in dag.task_dict}
    for task_id in tuple(found):
        if upstream:
            found |= dag.task_dict[task_id].get_flat_relative_ids(upstream=True)
        if downstream:
            found |= dag.task_dict[task_id].get_flat_relative_ids(upstream=False)
    return found


def clearable(
    runs: Iterable[DagRun], task_ids: Collection[str] | None, *, only_failed: bool, only_running: bool
) -> list[Instance]:
    """Return the task instances that a request to clear means."""
    return [
        (run, task)
        for run, task in instances_of(runs)
        if (task_ids is None or task.task_id in task_ids)
        and (not only_failed or task.state in _FAILED)
        and (not only_running or task.state is TaskState.RUNNING)
    ]


def file_token(entry: DagEntry) -> str:
    """Return the name under which parseDagFile knows a DAG's file."""
    name = base64.urlsafe_b64encode(entry.file.encode()).decode().rstrip("=")
    return f"{name}.{hashlib.sha256(entry.file.encode()).hexdigest()[:27]}"


def file_of(state: AirflowState, token: str) -> str | None:
    """Return the file that a token stands for, None if it stands for none."""
    return next((entry.file for entry in state.dags.values() if file_token(entry) == token), None)


def has_import_errors(state: AirflowState, entry: DagEntry) -> bool:
    """Return whether the DAG's file does not import any more."""
    return any(failure.file == entry.file for failure in state.import_errors)


def sorted_rows(rows: Sequence[dict[str, Any]], order_by: str) -> list[dict[str, Any]]:
    """Sort rows by one of their values, backwards after a minus; nulls are the smallest (SQLite)."""
    key = itemgetter(order_by.removeprefix("-"))
    return sorted(rows, key=lambda row: (key(row) is not None, key(row)), reverse=order_by[:1] == "-")


def dags_of(
    state: AirflowState,
    *,
    with_gone: bool,
    is_paused: bool | None,
    tags: Collection[str],
    pattern: str | None,
) -> list[DagEntry]:
    """Return DAGs by name.

    Args:
        is_paused: None for both kinds.
        tags: of which a DAG must have one, if there are any.
        pattern: that its name must contain, whatever the case; `%` stands for anything, as in SQL.
    """
    pieces = [piece for piece in (pattern or "").lower().split("%") if piece]
    return [
        entry
        for _, entry in sorted(state.dags.items())
        if (with_gone or not entry.is_gone)
        and (is_paused is None or entry.is_paused is is_paused)
        and (not tags or set(tags) & set(entry.dag.tags))
        and _contains(entry.dag_id.lower(), pieces)
    ]


def _contains(text: str, pieces: Sequence[str]) -> bool:
    """Return whether `text` has the pieces one behind the other."""
    for piece in pieces:
        _, found, text = text.partition(piece)
        if not found:
            return False
    return True
