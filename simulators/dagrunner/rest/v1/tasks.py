"""Task instances in v1."""

from lute.airflow_api.models import TaskState
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.paging import MOST_INTEGER, Page
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, RefusedError, crash, load, problem
from simulators.dagrunner.rest.v1.lists import MOST_ROWS
from simulators.dagrunner.state import TaskInstance
from simulators.net.messages import HttpReply

_TASK_STATES = frozenset(TaskState) - {TaskState.AWAITING_INPUT}


class TasksV1:
    """Answers what concerns task instances."""

    def __init__(self, orders: Orders, cache: RunCache) -> None:
        self._orders = orders
        self._state = orders.state
        self._cache = cache
        self.works: dict[str, Work] = {
            "list_task_instances": self.list_task_instances,
            "list_batch": self.list_batch,
            "get_task_instance": self.get_task_instance,
            "patch_task_instance": self.patch_task_instance,
            "task_log": self.task_log,
        }

    def list_task_instances(self, call: Call) -> HttpReply:
        """GET .../taskInstances; of a run that there is not, an empty list."""
        route = call.route
        if route.memo is None:
            route.memo = _InstanceFilter(route)
        wanted: _InstanceFilter = route.memo
        if wanted.takes_all:
            run = self._state.run(*route.params)
            if run is not None and wanted.page.holds(len(run.tasks)):
                return HttpReply(200, self._cache.page(run))
        runs = selection.runs_of(self._state, *route.params)
        return self._instances(
            [pair for pair in selection.instances_of(runs) if wanted.takes(pair[1])], wanted.page
        )

    def list_batch(self, call: Call) -> HttpReply:
        """POST /dags/~/dagRuns/~/taskInstances/list."""
        load(call.body, SCHEMAS["list_batch"])
        body = call.body
        states = {state or "none" for state in body.get("state") or ()}
        found = [
            (run, task)
            for run, task in selection.instances_of(self._state.runs.values())
            if task.dag_id in (body.get("dag_ids") or [task.dag_id])
            and task.run_id in (body.get("dag_run_ids") or [task.run_id])
            and task.task_id in (body.get("task_ids") or [task.task_id])
            and task.pool in (body.get("pool") or [task.pool])
            and "default" in (body.get("queue") or ["default"])
            and (not states or task.state in states)
        ]
        return self._instances(
            found, Page(call.body.get("page_limit", MOST_ROWS), call.body.get("page_offset", 0))
        )

    def get_task_instance(self, call: Call) -> HttpReply:
        """GET .../taskInstances/{task_id}, of a mapped task with /{map_index} behind."""
        run = self._state.run(*call.params[:2])
        task_id, index = call.params[2], call.map_index
        task = selection.task_of(run, task_id, int(index or -1))
        if run is None or task is None:
            mapped = index is None and run is not None and any(task_id == known for known, _ in run.tasks)
            detail = "Task instance is mapped, add the map_index value to the URL" if mapped else None
            raise problem(404, detail, title="Task instance not found")
        return rows.reply(rows.task_row(run, task))

    def patch_task_instance(self, call: Call) -> HttpReply:
        """PATCH .../taskInstances/{task_id}: mark it, unless `dry_run`, which is the default."""
        dag_id, run_id, task_id = call.params[:3]
        load(call.body, SCHEMAS["patch_task_instance"])
        entry = self._state.dags.get(dag_id)
        if entry is None:
            raise problem(404, f"DAG {dag_id!r} not found", title="DAG not found")
        if task_id not in entry.dag.task_dict:
            raise problem(404, f"Task {task_id!r} not found in DAG {dag_id!r}", title="Task not found")
        run = self._state.run(dag_id, run_id)
        task = selection.task_of(run, task_id, int(call.map_index or -1))
        if run is None or task is None:
            raise problem(404, f"Task instance not found for task {task_id!r} on DAG run with ID {run_id!r}")
        if call.body.get("dry_run", True):
            return rows.reply(rows.reference_row(run, task))
        self._orders.set_task_state(run, [task], TaskState(call.body["new_state"]))
        return rows.reply({})

    def task_log(self, call: Call) -> HttpReply:
        """GET .../logs/{try_number}: text, or text in JSON. Airflow's own lines in it are not simulated."""
        run = self._state.run(*call.params[:2])
        index = call.route.last("map_index")
        task = selection.task_of(run, call.params[2], -1 if index is None else int(index))
        if task is None:
            raise problem(404, title="TaskInstance not found")
        text = task.logs.get(int(call.params[3]), "")
        accepted = call.request.headers.get("accept", "*/*")
        if "json" in accepted:
            return rows.reply({"content": repr([(task.hostname, text)]), "continuation_token": None})
        return HttpReply(200, f"{task.hostname}\n{text}\n".encode(errors="replace"), "text/plain")

    def _instances(self, found: list[selection.Instance], page: Page) -> HttpReply:
        shown = [rows.task_row(run, task) for run, task in page.cut(found)]
        return rows.reply({"task_instances": shown, "total_entries": len(found)})


class _InstanceFilter:
    """Which task instances a query means."""

    def __init__(self, route: Route) -> None:
        limit = int(route.last("limit") or MOST_ROWS)
        if limit > MOST_INTEGER:
            raise crash()
        # Neither capped nor checked, unlike in all other lists (measured): -1 is no limit in SQL.
        self.page = Page(None if limit < 0 else limit, int(route.last("offset") or 0))
        self._states = frozenset(state for text in route.all("state") for state in text.split(","))
        if self._states - _TASK_STATES:
            raise RefusedError(HttpReply(500, b"<html><h1>Internal Server Error</h1></html>", "text/html"))
        self._pools, self._queues = route.all("pool"), route.all("queue")
        self.takes_all = not self._states and not self._pools and not self._queues

    def takes(self, task: TaskInstance) -> bool:
        """Return whether a task instance is meant."""
        return (
            (not self._states or task.state in self._states)
            and (not self._pools or task.pool in self._pools)
            and (not self._queues or "default" in self._queues)
        )
