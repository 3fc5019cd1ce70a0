"""Clearing task instances."""

from lute.airflow_api.models import RunState
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.selection import Instance
from simulators.dagrunner.state import DagRun, TaskInstance


def clear_all(orders: Orders, found: list[Instance], *, resets_runs: bool) -> None:
    """Clear task instances of one or more runs.

    Args:
        resets_runs: whether runs that have ended are to go on.
    """
    by_run: dict[tuple[str, str], tuple[DagRun, list[TaskInstance]]] = {}
    for run, task in found:
        by_run.setdefault((run.dag_id, run.run_id), (run, []))[1].append(task)
    for run, tasks in by_run.values():
        was_final = run.state.is_final
        orders.clear(run, tasks)
        if resets_runs and was_final:
            orders.set_run_state(run, RunState.QUEUED)
