"""Variables in v2."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import Variable, refusal
from simulators.dagrunner.rest.v2.queries import page_of
from simulators.net.messages import HttpReply


class VariablesV2:
    """Answers what concerns variables."""

    def __init__(self, orders: Orders) -> None:
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
        return rows.reply({"variables": page_of(call.route).cut(found), "total_entries": len(found)})

    def get_variable(self, call: Call) -> HttpReply:
        """GET /variables/{key}."""
        return rows.reply(rows.variable_row(self._state, self._key(call)))

    def post_variable(self, call: Call) -> HttpReply:
        """POST /variables; one that is there is left alone."""
        body: Variable = call.body
        if body.key in self._state.variables:
            raise refusal(409, f"The Variable with key: `{body.key}` already exists")
        self._state.variables[body.key] = body.text
        if body.description is not None:
            self._state.variable_descriptions[body.key] = body.description
        return rows.reply(rows.variable_row(self._state, body.key), 201)

    def patch_variable(self, call: Call) -> HttpReply:
        """PATCH /variables/{key}: what the body names, or of that only what ?update_mask= names."""
        body: Variable = call.body
        key = call.params[0]
        if body.key != key:
            raise refusal(400, "Invalid body, key from request body doesn't match uri parameter")
        self._key(call)
        changed = body.model_fields_set & (set(call.route.all("update_mask")) or body.model_fields_set)
        if "value" in changed:
            self._state.variables[key] = body.text
        if "description" in changed:
            self._state.variable_descriptions[key] = body.description or ""
        return rows.reply(rows.variable_row(self._state, key))

    def delete_variable(self, call: Call) -> HttpReply:
        """DELETE /variables/{key}."""
        del self._state.variables[self._key(call)]
        self._state.variable_descriptions.pop(call.params[0], None)
        return HttpReply(204)

    def _key(self, call: Call) -> str:
        if call.params[0] not in self._state.variables:
            raise refusal(404, f"The Variable with key: `{call.params[0]}` was not found")
        return call.params[0]
