"""Clearing of task instances in v1."""

from collections.abc import Mapping
from typing import Any

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.clear import clear_all
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, load, problem
from simulators.dagrunner.state import DagEntry
from simulators.net.messages import HttpReply


class ClearingV1:
    """Answers requests to let tasks run again."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._state = orders.state
        self.works: dict[str, Work] = {
            "clear": self.clear,
            "clear_run": self.clear_run,
        }

    def clear(self, call: Call) -> HttpReply:
        """POST /dags/{dag_id}/clearTaskInstances: what has failed, unless told otherwise; a dry run, too."""
        body = call.body
        load(body, SCHEMAS["clear"])
        if body.get("only_failed", True) and body.get("only_running", False):
            message = "only_failed and only_running both are set to True"
            raise problem(400, str({"_schema": [message]}))
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise problem(404, title=f"Dag id {call.params[0]} not found")
        run_id = body.get("dag_run_id")
        runs = selection.runs_of(self._state, entry.dag_id, selection.ANY if run_id is None else run_id)
        if run_id is not None and not runs:
            raise problem(404, title=f"Dag Run id {run_id} not found in dag {entry.dag_id}")
        found = selection.clearable(
            runs,
            _tasks_to_clear(entry, body),
            only_failed=body.get("only_failed", True),
            only_running=body.get("only_running", False),
        )
        if not body.get("dry_run", True):
            clear_all(self._orders, found, resets_runs=body.get("reset_dag_runs", False))
        return rows.reply({"task_instances": [rows.reference_row(run, task) for run, task in found]})

    def clear_run(self, call: Call) -> HttpReply:
        """POST .../dagRuns/{run_id}/clear: all its tasks."""
        run = self._state.run(*call.params)
        if run is None:
            raise problem(404, title=f"Dag Run id {call.params[1]} not found in dag   {call.params[0]}")
        load(call.body, SCHEMAS["clear_run"])
        found = selection.instances_of([run])
        if call.body.get("dry_run", True):
            return rows.reply({"task_instances": [rows.reference_row(run, task) for run, task in found]})
        clear_all(self._orders, found, resets_runs=True)
        return rows.reply(rows.run_row(run))


def _tasks_to_clear(entry: DagEntry, body: Mapping[str, Any]) -> set[str] | None:
    if body.get("task_ids") is None:
        return None
    return selection.related(
        entry.dag,
        body["task_ids"],
        upstream=body.get("include_upstream", False),
        downstream=body.get("include_downstream", False),
    )
