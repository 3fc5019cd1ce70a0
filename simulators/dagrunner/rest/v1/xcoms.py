"""XComs in v1."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import problem
from simulators.dagrunner.rest.v1.lists import listed
from simulators.dagrunner.rest.values import v1_text
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.net.messages import HttpReply


class XcomsV1:
    """Answers what concerns XComs."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._state = orders.state
        self.works: dict[str, Work] = {
            "list_xcoms": self.list_xcoms,
            "get_xcom": self.get_xcom,
        }

    def list_xcoms(self, call: Call) -> HttpReply:
        """GET .../xcomEntries."""
        run, task = self._xcoms_of(call)
        found = (
            []
            if run is None or task is None
            else [rows.xcom_row(run, task, key) for key in sorted(task.xcoms)]
        )
        return listed(call.route, "xcom_entries", found)

    def get_xcom(self, call: Call) -> HttpReply:
        """GET .../xcomEntries/{key}: the value as text."""
        if (call.route.last("deserialize") or "").lower() == "true":
            raise problem(400, "XCom deserialization is disabled in configuration.")
        run, task = self._xcoms_of(call)
        key = call.params[3]
        if run is None or task is None or key not in task.xcoms:
            raise problem(404, title="XCom entry not found")
        return rows.reply(rows.xcom_row(run, task, key) | {"value": v1_text(task.xcoms[key])})

    def _xcoms_of(self, call: Call) -> tuple[DagRun | None, TaskInstance | None]:
        run = self._state.run(*call.params[:2])
        index = call.route.last("map_index")
        return run, selection.task_of(run, call.params[2], -1 if index is None else int(index))
