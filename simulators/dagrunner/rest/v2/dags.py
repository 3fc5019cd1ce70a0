"""DAGs and their files in v2."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import refusal
from simulators.dagrunner.rest.v2.queries import flag, ordered, page_of
from simulators.dagrunner.state import DagEntry
from simulators.net.messages import HttpReply

_ORDERS = ("dag_id", "dag_display_name", "is_paused")


def conflict() -> HttpReply:
    """Return the answer to what the database has already: it does not say what that is."""
    message = (
        "Serious error when handling your request. Check logs for more details"
        " - you will find it in api server when you look for ID simulate"
    )
    reason = {"reason": "Unique constraint violation", "statement": "hidden", "orig_error": "hidden"}
    return rows.reply({"detail": reason | {"message": message}}, 409)


class DagsV2:
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
        found = selection.dags_of(
            self._state,
            with_gone=flag(call.route, "exclude_stale") is False,
            is_paused=flag(call.route, "paused"),
            tags=call.route.all("tags"),
            pattern=call.route.last("dag_id_pattern"),
        )
        shown = ordered(call.route, [rows.dag_row(self._state, entry) for entry in found], _ORDERS)
        return rows.reply({"dags": page_of(call.route).cut(shown), "total_entries": len(shown)})

    def get_dag(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}."""
        return rows.reply(rows.dag_row(self._state, self._entry(call)))

    def patch_dag(self, call: Call) -> HttpReply:
        """PATCH /dags/{dag_id}: pause or unpause."""
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise refusal(404, f"Dag with id: {call.params[0]} was not found")
        if call.route.last("update_mask") not in (None, "is_paused"):
            raise refusal(400, "Only `is_paused` field can be updated through the REST API")
        self._orders.set_paused(entry.dag_id, call.body.is_paused)
        return rows.reply(rows.dag_row(self._state, entry))

    def list_tasks(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/tasks."""
        definitions = sorted(self._entry(call).dag.task_dict.items())
        tasks = [rows.task_definition_row(task) for _, task in definitions]
        return rows.reply({"tasks": tasks, "total_entries": len(tasks)})

    def import_errors(self, call: Call) -> HttpReply:
        """GET /importErrors."""
        found = [
            rows.import_error_row(self._state, number, failure)
            for number, failure in enumerate(self._state.import_errors, start=1)
        ]
        return rows.reply({"import_errors": page_of(call.route).cut(found), "total_entries": len(found)})

    def parse(self, call: Call) -> HttpReply:
        """PUT /parseDagFile/{token}; HTTP 409 while an earlier request waits."""
        file = selection.file_of(self._state, call.params[0])
        if file is None:
            raise refusal(404, "File not found")
        if file in self._state.parse_requests:
            return conflict()
        self._orders.reparse(file)
        return rows.reply(None, 201)

    def _entry(self, call: Call) -> DagEntry:
        entry = self._state.dags.get(call.params[0])
        if entry is None:
            raise refusal(404, f"The Dag with ID: `{call.params[0]}` was not found")
        return entry
