"""Answers requests to v1."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.access import basic_user
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.health import health_row
from simulators.dagrunner.rest.routes import Route
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, RefusedError, check_query, problem, read_body
from simulators.dagrunner.rest.v1.clearing import ClearingV1
from simulators.dagrunner.rest.v1.dags import DagsV1
from simulators.dagrunner.rest.v1.runs import RunsV1
from simulators.dagrunner.rest.v1.tasks import TasksV1
from simulators.dagrunner.rest.v1.variables import VariablesV1
from simulators.dagrunner.rest.v1.xcoms import XcomsV1
from simulators.net.messages import HttpReply, HttpRequest

_OPEN = frozenset({"version", "health", "not_found", "not_allowed", "no_api"})
"""Works that need no login."""
_PAGE_NOT_FOUND = (
    "The requested URL was not found on the server."
    " If you entered the URL manually please check your spelling and try again."
)


class RestV1:
    """The whole of v1."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        cache = RunCache(
            run_text=lambda run: rows.dump(rows.run_row(run)),
            task_text=lambda run, task: rows.dump(rows.task_row(run, task)).decode(),
            page_text=lambda texts: (
                f'{{"task_instances":[{",".join(texts)}],"total_entries":{len(texts)}}}'.encode()
            ),
        )
        self._works: dict[str, Work] = {
            "not_found": self._not_found,
            "not_allowed": self._not_allowed,
            "no_api": self._no_api,
            "version": self._version,
            "health": self._health,
            **DagsV1(orders).works,
            **RunsV1(orders, cache).works,
            **TasksV1(orders, cache).works,
            **ClearingV1(orders).works,
            **XcomsV1(orders).works,
            **VariablesV1(orders).works,
        }

    def answer(self, request: HttpRequest, route: Route) -> HttpReply:
        """Answer one request. Its query and body are looked at before its login (measured)."""
        try:
            if route.query and route.memo is None:
                check_query(route)
            schema = SCHEMAS.get(route.work)
            call = Call(request, route)
            if schema is not None:
                call.body = read_body(request, schema)
            if route.work not in _OPEN:
                user = basic_user(request.headers.get("authorization"), self._orders.state.users)
                if user is None:
                    raise problem(403)
                call.user = user
            return self._works[route.work](call)
        except RefusedError as refused:
            return refused.reply

    def _not_found(self, _call: Call) -> HttpReply:
        """Answer a path that there is not."""
        raise problem(404, _PAGE_NOT_FOUND, has_link=False)

    def _not_allowed(self, _call: Call) -> HttpReply:
        """Answer a method that the path does not have."""
        raise problem(405, "The method is not allowed for the requested URL.", title="Method Not Allowed")

    def _no_api(self, _call: Call) -> HttpReply:
        """Answer what is outside of /api/v1: with a page for people."""
        return HttpReply(
            404, b"<!DOCTYPE html>\n<html><h1>Airflow 404</h1></html>", "text/html; charset=utf-8"
        )

    def _version(self, _call: Call) -> HttpReply:
        """GET /version."""
        return rows.reply({"git_version": "", "version": self._orders.version})

    def _health(self, _call: Call) -> HttpReply:
        """GET /health."""
        return rows.reply(health_row(self._orders))
