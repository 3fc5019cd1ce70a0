"""Airflow's web or API server: requests in, replies out. No HTTP server in here."""

from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest.routes import Route, route_of
from simulators.dagrunner.rest.v1.api import RestV1
from simulators.dagrunner.rest.v2.api import RestV2
from simulators.net.messages import HttpReply, HttpRequest

_MOST_ROUTES = 4096


class AirflowServer:
    """Answers as the Airflow of `orders.version` does: v1 of the REST API on Airflow 2, v2 on Airflow 3.

    Args:
        orders: what it serves.
    """

    def __init__(self, orders: Orders) -> None:
        self._major = int(orders.version.partition(".")[0])
        self._api: RestV1 | RestV2 = RestV1(orders) if self._major < 3 else RestV2(orders)
        self._routes: dict[tuple[str, str], Route] = {}

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name by which faults and traces call what is asked: `airflow.get_run`."""
        return self._route(request).endpoint

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer."""
        return self._api.answer(request, self._route(request))

    def _route(self, request: HttpRequest) -> Route:
        """Return what is asked for; a launcher asks for the same again and again."""
        key = request.method, request.url
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[key] = route_of(self._major, *key)
        return route
