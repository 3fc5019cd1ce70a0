"""Marking and clearing task instances in v2."""

from lute.airflow_api.models import TaskState
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.clear import clear_all
from simulators.dagrunner.rest.paging import Page
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import Clear, PatchTaskInstance, refusal
from simulators.dagrunner.rest.v2.queries import integer
from simulators.dagrunner.rest.v2.runs import no_run
from simulators.dagrunner.rest.v2.tasks import index_of, instance_rows, listed
from simulators.dagrunner.state import DagEntry
from simulators.net.messages import HttpReply


class ChangesV2:
    """Answers requests to mark task instances or to let them run again."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._state = orders.state
        self.works: dict[str, Work] = {
            "patch_task_instance": self.patch_task_instance,
            "clear": self.clear,
            "clear_run": self.clear_run,
        }

    def patch_task_instance(self, call: Call) -> HttpReply:
        """PATCH .../taskInstances/{task_id}: mark it, and what goes with it, at once."""
        body: PatchTaskInstance = call.body
        dag_id, run_id, task_id = call.params[:3]
        entry = self._entry(dag_id)
        if task_id not in entry.dag.task_dict:
            raise refusal(404, f"Task '{task_id}' not found in Dag '{dag_id}'")
        run, index = self._state.run(dag_id, run_id), index_of(call)
        asked = call.route.last("map_index")
        index = integer("map_index", asked) if index is None and asked is not None else index
        with_others = selection.related(
            entry.dag, [task_id], upstream=body.include_upstream, downstream=body.include_downstream
        )
        tasks = [
            task
            for task in (run.tasks.values() if run is not None else ())
            if (task.task_id == task_id and index in (None, task.map_index))
            or (task.task_id != task_id and task.task_id in with_others)
        ]
        if run is None or not any(task.task_id == task_id for task in tasks):
            named = f"dag_id: `{dag_id}`, run_id: `{run_id}`, task_id: `{task_id}` and map_index: `{index}`"
            raise refusal(404, [f"The Task Instance with {named} was not found"])
        if body.new_state is not None:
            state = TaskState(body.new_state.value)
            tasks = [task for task in tasks if task.state is not state]
            if not tasks:
                raise refusal(409, f"Task id {task_id} is already in {state} state")
            self._orders.set_task_state(run, tasks, state)
        if "note" in body.model_fields_set:
            for task in tasks:
                task.note = body.note
        return listed(instance_rows(self._state, [(run, task) for task in tasks]), Page(None))

    def clear(self, call: Call) -> HttpReply:
        """POST /dags/{dag_id}/clearTaskInstances: what has failed, unless told otherwise; a dry run, too."""
        body: Clear = call.body
        entry = self._entry(call.params[0])
        runs = selection.runs_of(
            self._state, entry.dag_id, selection.ANY if body.dag_run_id is None else body.dag_run_id
        )
        if body.dag_run_id is not None and not runs:
            raise refusal(404, f"Dag Run id {body.dag_run_id} not found in dag {entry.dag_id}")
        found = selection.clearable(
            runs, _tasks_to_clear(entry, body), only_failed=body.only_failed, only_running=body.only_running
        )
        if not body.dry_run:
            clear_all(self._orders, found, resets_runs=body.reset_dag_runs)
        return listed(instance_rows(self._state, found), Page(None))

    def clear_run(self, call: Call) -> HttpReply:
        """POST .../dagRuns/{run_id}/clear: all its tasks, or those that failed."""
        run = self._state.run(*call.params)
        if run is None:
            raise refusal(404, no_run(*call.params))
        found = selection.clearable([run], None, only_failed=call.body.only_failed, only_running=False)
        if call.body.dry_run:
            shown = instance_rows(self._state, found)
            return rows.reply({"task_instances": shown, "total_entries": len(shown)})
        clear_all(self._orders, found, resets_runs=True)
        return rows.reply(rows.run_row(run, self._state.dags.get(run.dag_id)))

    def _entry(self, dag_id: str) -> DagEntry:
        entry = self._state.dags.get(dag_id)
        if entry is None:
            raise refusal(404, f"The Dag with ID: `{dag_id}` was not found")
        return entry


def _tasks_to_clear(entry: DagEntry, body: Clear) -> set[str] | None:
    """Return the names of the tasks; those with a map index count as all of that name (simplified)."""
    if body.task_ids is None:
        return None
    names = [task if isinstance(task, str) else task[0] for task in body.task_ids]
    return selection.related(
        entry.dag, names, upstream=body.include_upstream, downstream=body.include_downstream
    )
