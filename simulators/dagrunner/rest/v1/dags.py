"""DAGs and their files in v1."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, crash, load, problem
from simulators.dagrunner.rest.v1.lists import listed
from simulators.net.messages import HttpReply


class DagsV1:
    """Answers what concerns DAGs and their files."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._state = orders.state
        self.works: dict[str, Work] = {
            "list_dags": self.list_dags,
            "get_dag": self.get_dag,
            "patch_dag": self.patch_dag,
            "list_tasks": self.list_tasks,
            "import_errors": self.import_errors,
            "parse": self.parse,
        }

    def list_dags(self, call: Call) -> HttpReply:
        """GET /dags."""
        paused = call.route.last("paused")
        found = selection.dags_of(
            self._state,
            with_gone=(call.route.last("only_active") or "true").lower() == "false",
            is_paused=None if paused is None else paused.lower() == "true",
            tags=[tag for text in call.route.all("tags") for tag in text.split(",")],
            pattern=call.route.last("dag_id_pattern"),
        )
        return listed(call.route, "dags", [rows.dag_row(self._state, entry) for entry in found])

    def get_dag(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}."""
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise problem(404, f"The DAG with dag_id: {call.params[0]} was not found", title="DAG not found")
        return rows.reply(rows.dag_row(self._state, entry))

    def patch_dag(self, call: Call) -> HttpReply:
        """PATCH /dags/{dag_id}: pause or unpause."""
        load(call.body, SCHEMAS["patch_dag"])
        mask = call.route.last("update_mask")
        if mask not in (None, "is_paused"):
            raise problem(400, "Only `is_paused` field can be updated through the REST API")
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise problem(404, title=f"Dag with id: '{call.params[0]}' not found")
        if "is_paused" not in call.body:
            raise crash()
        self._orders.set_paused(entry.dag_id, bool(call.body["is_paused"]))
        return rows.reply(rows.dag_row(self._state, entry))

    def list_tasks(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/tasks."""
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise problem(404, title="DAG not found")
        tasks = [rows.task_definition_row(task) for _, task in sorted(entry.dag.task_dict.items())]
        return rows.reply({"tasks": tasks, "total_entries": len(tasks)})

    def import_errors(self, call: Call) -> HttpReply:
        """GET /importErrors."""
        found = [
            rows.import_error_row(number, failure)
            for number, failure in enumerate(self._state.import_errors, start=1)
        ]
        return listed(call.route, "import_errors", found)

    def parse(self, call: Call) -> HttpReply:
        """PUT /parseDagFile/{token}."""
        file = selection.file_of(self._state, call.params[0])
        if file is None:
            raise problem(404, title="File not found")
        if file in self._state.parse_requests:
            return HttpReply(201, b"Duplicate request", "text/html; charset=utf-8")
        self._orders.reparse(file)
        return HttpReply(201, content_type="text/html; charset=utf-8")
