"""Variables in v1."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, load, problem
from simulators.dagrunner.rest.v1.lists import listed
from simulators.net.messages import HttpReply


class VariablesV1:
    """Answers what concerns variables."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._state = orders.state
        self.works: dict[str, Work] = {
            "list_variables": self.list_variables,
            "get_variable": self.get_variable,
            "post_variable": self.post_variable,
            "patch_variable": self.patch_variable,
            "delete_variable": self.delete_variable,
        }

    def list_variables(self, call: Call) -> HttpReply:
        """GET /variables."""
        found = [rows.variable_row(self._state, key) for key in self._state.variables]
        return listed(call.route, "variables", found)

    def get_variable(self, call: Call) -> HttpReply:
        """GET /variables/{key}."""
        return rows.reply(rows.variable_row(self._state, self._variable(call)))

    def post_variable(self, call: Call) -> HttpReply:
        """POST /variables; one that is there is written over."""
        load(call.body, SCHEMAS["post_variable"])
        self._state.variables[call.body["key"]] = call.body["value"]
        self._state.variable_descriptions.pop(call.body["key"], None)
        if call.body.get("description") is not None:
            self._state.variable_descriptions[call.body["key"]] = call.body["description"]
        return rows.reply(dict(sorted(call.body.items())))

    def patch_variable(self, call: Call) -> HttpReply:
        """PATCH /variables/{key}: all of it, or with ?update_mask=description just that."""
        load(call.body, SCHEMAS["patch_variable"])
        key = self._variable(call)
        if call.body["key"] != key:
            raise problem(400, "key from request body doesn't match uri parameter", title="Invalid post body")
        mask = call.route.all("update_mask")
        masked = [name for text in mask for name in text.split(",")]
        for name in masked:
            if name not in ("key", "description"):
                raise problem(400, f"'{name}' is unknown or cannot be updated.")
        if not masked:
            self._state.variables[key] = call.body["value"]
        if call.body.get("description") is not None and (not masked or "description" in masked):
            self._state.variable_descriptions[key] = call.body["description"]
        return rows.reply(rows.variable_row(self._state, key))

    def delete_variable(self, call: Call) -> HttpReply:
        """DELETE /variables/{key}."""
        if call.params[0] not in self._state.variables:
            raise problem(404, title="Variable not found")
        self._state.variable_descriptions.pop(call.params[0], None)
        del self._state.variables[call.params[0]]
        return HttpReply(204, content_type="text/html; charset=utf-8")

    def _variable(self, call: Call) -> str:
        if call.params[0] not in self._state.variables:
            raise problem(404, "Variable does not exist", title="Variable not found")
        return call.params[0]
