"""Answers requests to v2."""

import json

from pydantic import ValidationError

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.access import TokenRefusedError, Tokens
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.health import health_row
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import (
    MODELS,
    LoginBody,
    RefusedError,
    check,
    crash,
    read_json,
    refusal,
)
from simulators.dagrunner.rest.v2.changes import ChangesV2
from simulators.dagrunner.rest.v2.dags import DagsV2
from simulators.dagrunner.rest.v2.queries import NO_CURSORS
from simulators.dagrunner.rest.v2.runs import RunsV2
from simulators.dagrunner.rest.v2.tasks import TasksV2
from simulators.dagrunner.rest.v2.variables import VariablesV2
from simulators.dagrunner.rest.v2.xcoms import XcomsV2
from simulators.net.messages import HttpReply, HttpRequest

_V1_IS_GONE = "/api/v1 has been removed in Airflow 3, please use its upgraded version /api/v2 instead."
_GIT_VERSION = ".release:aa19d2dbb9ed187ec01957a92848d9b005e9ba9d"
"""Of 3.3.2."""
_OPEN = frozenset({"version", "health", "login", "no_login", "not_found", "not_allowed", "no_api", "removed"})
"""Works that need no token."""


class RestV2:
    """The whole of v2."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._tokens = Tokens()
        dags = orders.state.dags
        end = json.dumps(NO_CURSORS, separators=(",", ":"))[1:]
        cache = RunCache(
            run_text=lambda run: rows.dump(rows.run_row(run, dags.get(run.dag_id))),
            task_text=lambda run, task: rows.dump(rows.task_row(run, task, dags.get(run.dag_id))).decode(),
            page_text=lambda texts: (
                f'{{"task_instances":[{",".join(texts)}],"total_entries":{len(texts)},{end}'.encode()
            ),
        )
        self._works: dict[str, Work] = {
            "not_found": self._not_found,
            "not_allowed": self._not_allowed,
            "no_api": self._no_api,
            "removed": self._removed,
            "login": self._login,
            "no_login": self._no_login,
            "version": self._version,
            "health": self._health,
            **DagsV2(orders).works,
            **RunsV2(orders, cache).works,
            **TasksV2(orders, cache).works,
            **ChangesV2(orders).works,
            **XcomsV2(orders).works,
            **VariablesV2(orders).works,
        }

    def answer(self, request: HttpRequest, route: Route) -> HttpReply:
        """Answer one request. Its JSON is looked at before its token, all else behind it (measured)."""
        try:
            call = Call(request, route)
            model = MODELS.get(route.work)
            found = read_json(request) if model is not None else None
            if route.work not in _OPEN:
                call.user = self._tokens.user(request.headers.get("authorization"), self._orders.now())
            if model is not None:
                call.body = check(model, found)
            return self._works[route.work](call)
        except TokenRefusedError as refused:
            return refusal(refused.status, refused.detail).reply
        except RefusedError as refused:
            return refused.reply

    def _not_found(self, call: Call) -> HttpReply:
        """Answer a path that there is not: the user interface has them all, with GET (measured)."""
        if call.request.method != "GET":
            return self._not_allowed(call)
        return rows.reply({"error": "API route not found"}, 404)

    def _not_allowed(self, call: Call) -> HttpReply:
        """Answer a method that the path does not have."""
        methods = call.route.methods or ("GET",)
        if call.request.method == "GET":
            return rows.reply({"error": "API route not found"}, 404)
        allowed = "GET" if "GET" in methods else methods[0]
        reply = rows.reply({"detail": "Method Not Allowed"}, 405)
        return HttpReply(reply.status, reply.body, headers={"allow": allowed})

    def _no_api(self, _call: Call) -> HttpReply:
        """Answer what is outside of /api/v2: with the page that is the user interface, whatever the path."""
        return HttpReply(200, b"<!doctype html>\n<title>Airflow</title>", "text/html; charset=utf-8")

    def _removed(self, _call: Call) -> HttpReply:
        """Answer what was v1."""
        return rows.reply({"error": _V1_IS_GONE}, 404)

    def _login(self, call: Call) -> HttpReply:
        """POST /auth/token."""
        try:
            body = LoginBody.model_validate(json.loads(call.request.body))
        except ValidationError as error:  # before ValueError, which it is as well
            raise refusal(422, str(error)) from error
        except (ValueError, RecursionError) as error:
            raise crash() from error
        if self._orders.state.users.get(body.username) != body.password:
            raise refusal(401, "Invalid credentials")
        is_cli = "/auth/token/cli" in call.request.url
        token = self._tokens.issue(body.username, self._orders.now(), is_cli=is_cli)
        return rows.reply({"access_token": token}, 201)

    def _no_login(self, _call: Call) -> HttpReply:
        """GET /auth/token."""
        option = "``[core] simple_auth_manager_all_admins`` is True"
        raise refusal(403, f"This method is only allowed if {option}")

    def _version(self, _call: Call) -> HttpReply:
        """GET /version."""
        return rows.reply({"version": self._orders.version, "git_version": _GIT_VERSION})

    def _health(self, _call: Call) -> HttpReply:
        """GET /monitor/health."""
        return rows.reply(health_row(self._orders))
