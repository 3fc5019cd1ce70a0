"""Task instances in v2."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.paging import Page
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import TASK_STATES, ListBatch, refusal
from simulators.dagrunner.rest.v2.queries import NO_CURSORS, integer, ordered, page_of, states_of
from simulators.dagrunner.state import AirflowState, TaskInstance
from simulators.net.messages import HttpReply

_ORDERS = (
    "id", "state", "duration", "start_date", "end_date", "map_index", "try_number", "logical_date",
    "run_after", "rendered_map_index", "operator",
)  # fmt: skip


class TasksV2:
    """Answers what concerns task instances."""

    def __init__(self, orders: Orders, cache: RunCache) -> None:
        self._state = orders.state
        self._cache = cache
        self.works: dict[str, Work] = {
            "list_task_instances": self.list_task_instances,
            "list_batch": self.list_batch,
            "get_task_instance": self.get_task_instance,
            "task_log": self.task_log,
        }

    def list_task_instances(self, call: Call) -> HttpReply:
        """GET .../taskInstances."""
        route = call.route
        if route.memo is None:
            route.memo = _InstanceFilter(route)
        wanted: _InstanceFilter = route.memo
        if wanted.takes_all:
            run = self._state.run(*route.params)
            if run is not None and wanted.page.holds(len(run.tasks)):
                return HttpReply(200, self._cache.page(run))
        dag_id, run_id = route.params
        runs = selection.runs_of(self._state, dag_id, run_id)
        if run_id != selection.ANY:
            if dag_id == selection.ANY:
                raise refusal(400, "dag_id is required when dag_run_id is specified")
            if not runs:
                raise refusal(404, f"DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found")
        elif dag_id != selection.ANY and dag_id not in self._state.dags:
            raise refusal(404, f"The Dag with ID: `{dag_id}` was not found")
        found = [pair for pair in selection.instances_of(runs) if wanted.takes(pair[1])]
        shown = ordered(route, instance_rows(self._state, found), _ORDERS)
        return listed(shown, wanted.page)

    def list_batch(self, call: Call) -> HttpReply:
        """POST /dags/~/dagRuns/~/taskInstances/list; page_limit is not capped (measured)."""
        body: ListBatch = call.body
        states = {state.value if state else "none" for state in body.state or ()}
        found = [
            (run, task)
            for run, task in selection.instances_of(self._state.runs.values())
            if (not body.dag_ids or task.dag_id in body.dag_ids)
            and (not body.dag_run_ids or task.run_id in body.dag_run_ids)
            and (not body.task_ids or task.task_id in body.task_ids)
            and (not body.pool or task.pool in body.pool)
            and (not body.queue or "default" in body.queue)
            and (not states or task.state in states)
        ]
        return listed(instance_rows(self._state, found), Page(body.page_limit, body.page_offset))

    def get_task_instance(self, call: Call) -> HttpReply:
        """GET .../taskInstances/{task_id}, of a mapped task with /{map_index} behind."""
        dag_id, run_id, task_id = call.params[:3]
        run, index = self._state.run(dag_id, run_id), index_of(call)
        task = selection.task_of(run, task_id, -1 if index is None else index)
        if run is not None and task is not None:
            return rows.reply(rows.task_row(run, task, self._state.dags.get(dag_id)))
        named = f"dag_id: `{dag_id}`, run_id: `{run_id}`"
        if index is not None:
            detail = f"The Mapped Task Instance with {named}, task_id: `{task_id}`, and map_index: `{index}`"
            raise refusal(404, f"{detail} was not found")
        if run is not None and any(task_id == known for known, _ in run.tasks):
            raise refusal(404, "Task instance is mapped, add the map_index value to the URL")
        raise refusal(404, f"The Task Instance with {named} and task_id: `{task_id}` was not found")

    def task_log(self, call: Call) -> HttpReply:
        """GET .../logs/{try_number}: a list of events. Airflow's own lines in it are not simulated."""
        number = integer("try_number", call.params[3], "path")
        accepted = call.request.headers.get("accept", "*/*")
        if not any(kind in accepted for kind in ("json", "*/*")):
            raise refusal(406, "Only application/json or application/x-ndjson is supported")
        run = self._state.run(*call.params[:2])
        index = call.route.last("map_index")
        task = selection.task_of(run, call.params[2], -1 if index is None else integer("map_index", index))
        if task is None or number > max(task.try_number, 0):
            raise refusal(404, "TaskInstance not found")
        events = [{"event": line} for line in task.logs.get(number, "").splitlines()]
        if "ndjson" in accepted:
            lines = [rows.dump({"timestamp": None} | event) + b"\n" for event in events]
            return HttpReply(200, b"".join(lines), "application/x-ndjson")
        return rows.reply({"content": events, "continuation_token": None})


def index_of(call: Call) -> int | None:
    """Return the map index in the path of a task instance, None if there is none."""
    return None if call.map_index is None else integer("map_index", call.map_index, "path")


def instance_rows(state: AirflowState, found: list[selection.Instance]) -> list[dict[str, object]]:
    """Return the rows of task instances."""
    return [rows.task_row(run, task, state.dags.get(run.dag_id)) for run, task in found]


def listed(shown: list[dict[str, object]], page: Page) -> HttpReply:
    """Return a page of task instances."""
    return rows.reply({"task_instances": page.cut(shown), "total_entries": len(shown)} | NO_CURSORS)


class _InstanceFilter:
    """Which task instances a query means."""

    def __init__(self, route: Route) -> None:
        self.page = page_of(route)
        self._states = states_of(route, TASK_STATES, none=True)
        self._pools, self._queues = route.all("pool"), route.all("queue")
        self._task_id = route.last("task_id")
        narrows = self._states or self._pools or self._queues or self._task_id or route.last("order_by")
        self.takes_all = not narrows

    def takes(self, task: TaskInstance) -> bool:
        """Return whether a task instance is meant."""
        return (
            (not self._states or task.state in self._states)
            and (not self._pools or task.pool in self._pools)
            and (not self._queues or "default" in self._queues)
            and self._task_id in (None, task.task_id)
        )
