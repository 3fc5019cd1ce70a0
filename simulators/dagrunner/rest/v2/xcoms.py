"""XComs in v2."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import refusal
from simulators.dagrunner.rest.v2.queries import flag, integer, page_of
from simulators.dagrunner.rest.values import v2_value
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.net.messages import HttpReply


class XcomsV2:
    """Answers what concerns XComs."""

    def __init__(self, orders: Orders) -> None:
        self._state = orders.state
        self.works: dict[str, Work] = {"list_xcoms": self.list_xcoms, "get_xcom": self.get_xcom}

    def list_xcoms(self, call: Call) -> HttpReply:
        """GET .../xcomEntries."""
        run, task = self._xcoms_of(call)
        keys = sorted(task.xcoms) if task is not None else []
        found = [rows.xcom_row(run, task, key) for key in keys if run is not None and task is not None]
        return rows.reply({"xcom_entries": page_of(call.route).cut(found), "total_entries": len(found)})

    def get_xcom(self, call: Call) -> HttpReply:
        """GET .../xcomEntries/{key}: the value as JSON, or with ?stringify=true as Python's text of it."""
        as_text = flag(call.route, "stringify")
        run, task = self._xcoms_of(call)
        key = call.params[3]
        if run is None or task is None or key not in task.xcoms:
            raise refusal(404, f"XCom entry with key: `{key}` not found")
        value = v2_value(task.xcoms[key])
        if as_text and value is not None:
            value = str(value)
        return rows.reply(rows.xcom_row(run, task, key) | {"value": value})

    def _xcoms_of(self, call: Call) -> tuple[DagRun | None, TaskInstance | None]:
        index = call.route.last("map_index")
        run = self._state.run(*call.params[:2])
        return run, selection.task_of(
            run, call.params[2], -1 if index is None else integer("map_index", index)
        )
