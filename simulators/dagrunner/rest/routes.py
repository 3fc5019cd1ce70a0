"""Which call of the REST API a URL is. The paths below /api/v1 and /api/v2 are the same but for a few."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

NOT_FOUND = "not_found"
NOT_ALLOWED = "not_allowed"
REMOVED = "removed"
"""A path of v1 on Airflow 3, which answers it in its own words."""

_RUN = ("dags", "dagRuns")
_TASK = (*_RUN, "taskInstances")
_WORKS: dict[tuple[int | str, ...], dict[str, tuple[str, str]]] = {
    (1, "version"): {"GET": ("version", "version")},
    (1, "dags"): {"GET": ("list_dags", "list_dags")},
    (2, "dags"): {"GET": ("get_dag", "get_dag"), "PATCH": ("patch_dag", "patch_dag")},
    (3, "dags", "tasks"): {"GET": ("list_tasks", "list_tasks")},
    (3, "dags", "clearTaskInstances"): {"POST": ("clear", "clear")},
    (3, *_RUN): {"GET": ("list_runs", "list_runs"), "POST": ("trigger", "trigger")},
    (4, *_RUN): {
        "GET": ("get_run", "get_run"),
        "PATCH": ("patch_run", "patch_run"),
        "DELETE": ("delete_run", "delete_run"),
    },
    (5, *_RUN, "clear"): {"POST": ("clear", "clear_run")},
    (5, *_TASK): {"GET": ("list_task_instances", "list_task_instances")},
    (6, *_TASK): {
        "GET": ("get_task_instance", "get_task_instance"),
        "PATCH": ("patch_task_instance", "patch_task_instance"),
    },
    (7, *_TASK, "xcomEntries"): {"GET": ("xcom", "list_xcoms")},
    (8, *_TASK, "xcomEntries"): {"GET": ("xcom", "get_xcom")},
    (8, *_TASK, "logs"): {"GET": ("task_log", "task_log")},
    (1, "importErrors"): {"GET": ("import_errors", "import_errors")},
    (1, "variables"): {"GET": ("variables", "list_variables"), "POST": ("variables", "post_variable")},
    (2, "variables"): {
        "GET": ("variables", "get_variable"),
        "PATCH": ("variables", "patch_variable"),
        "DELETE": ("variables", "delete_variable"),
    },
    (2, "parseDagFile"): {"PUT": ("parse", "parse")},
}
"""(number of the path's parts, every other part) -> method -> (endpoint, work)."""

ENDPOINTS = frozenset(
    ["airflow.login", "airflow.health", "airflow.other"]
    + [f"airflow.{endpoint}" for works in _WORKS.values() for endpoint, _ in works.values()]
)
"""The names by which faults and traces call what is asked."""


@dataclass(slots=True)
class Route:
    """What one method and URL ask for.

    Attributes:
        endpoint: its name for faults and traces, `airflow.get_run`.
        work: name of what answers it.
        params: the parts of the path that name something, in their order.
        query: the names and values behind the question mark.
        methods: of a path that is known, but not with this method.
        memo: where a work keeps what it has read in `query`.
    """

    endpoint: str
    work: str
    params: tuple[str, ...] = ()
    query: list[tuple[str, str]] = field(default_factory=list)
    methods: tuple[str, ...] = ()
    memo: Any = None

    def last(self, name: str) -> str | None:
        """Return the last value of a name in the query: the one that counts in both versions (measured)."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return all values of a name in the query."""
        return [value for key, value in self.query if key == name]


def route_of(major: int, method: str, url: str) -> Route:
    """Return the route of a request to Airflow `major`."""
    path, _, query = url.partition("://")[2].partition("#")[0].partition("?")
    path = unquote("/" + path.partition("/")[2])  # before the split, as both servers do: %2F separates
    found = _route(major, method, path)
    found.query = parse_qsl(query, keep_blank_values=True)
    return found


def _route(major: int, method: str, path: str) -> Route:
    if major >= 3 and path in ("/auth/token", "/auth/token/cli"):
        return Route("airflow.login", "login" if method == "POST" else "no_login")
    if major >= 3 and path.startswith("/api/v1/"):
        return Route("airflow.other", REMOVED)
    base = "/api/v1/" if major < 3 else "/api/v2/"
    if not path.startswith(base):
        return Route("airflow.other", "no_api")
    parts = path.removeprefix(base).split("/")
    if parts == (["health"] if major < 3 else ["monitor", "health"]):
        return _chosen({"GET": ("health", "health")}, method, ())
    if parts[0] == "variables" and len(parts) > 2:
        parts[1:] = ["/".join(parts[1:])]  # keys may have slashes, both versions
    if len(parts) > 8 and parts[6] == "xcomEntries":
        parts[7:] = ["/".join(parts[7:])]
    if "" in parts:
        return Route("airflow.other", NOT_FOUND)
    if parts[:6] == ["dags", "~", "dagRuns", "~", "taskInstances", "list"] and method == "POST":
        return Route("airflow.list_task_instances", "list_batch") if len(parts) == 6 else _not_found()
    params = tuple(parts[1::2])
    works = _WORKS.get((len(parts), *parts[::2]))
    if works is None and len(parts) == 7 and parts[4] == "taskInstances" and _is_index(parts[6], major):
        works, params = _WORKS[6, *_TASK], (*params, parts[6])
    if works is None or (major < 3 and parts[6:7] == ["logs"] and not parts[7].isdecimal()):
        return _not_found()
    return _chosen(works, method, params)


def _chosen(works: dict[str, tuple[str, str]], method: str, params: tuple[str, ...]) -> Route:
    if method not in works:
        return Route("airflow.other", NOT_ALLOWED, params, methods=tuple(works))
    endpoint, work = works[method]
    return Route(f"airflow.{endpoint}", work, params)


def _not_found() -> Route:
    return Route("airflow.other", NOT_FOUND)


def _is_index(text: str, major: int) -> bool:
    """Return whether a part of a path is taken for a map index; v2 takes all for one, and may refuse it."""
    return major >= 3 or text.isdecimal()
