"""An Airflow of either version, as far as the launcher asks it, answering as measured."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import requests
import responses

from tests.fakes import FakeClock

URL = "http://airflow.test"
Answer = tuple[int, dict[str, str], str]


class FakeAirflow:
    """Answers on `responses`. `runs` maps a run id to the states that successive polls see."""

    def __init__(self, mock: responses.RequestsMock, version: int) -> None:
        self.version = version
        self.base = f"{URL}/api/v{1 if version == 2 else 2}"
        self.dags = {"lute_test": {"is_paused": False}}
        self.import_errors: list[dict[str, str]] = []
        self.states: list[str] = ["success"]
        self.tasks: list[list[dict[str, Any]]] = [[]]
        self.xcoms: dict[tuple[str, str], Any] = {}
        self.triggered: list[dict[str, Any]] = []
        self.patched: list[dict[str, Any]] = []
        self.logins = 0
        self.token_uses_left = 1_000_000
        self.xcoms_refused = False
        self.dag_tasks: list[str] = []
        self.gone: set[str] = set()
        self.runs_asked_for = 0
        self.requests: list[str] = []
        self.clock: FakeClock | None = None
        self.down_from_s = self.down_until_s = 0.0
        for method in ("GET", "POST", "PATCH"):
            mock.add_callback(method, re.compile(f"{URL}/.*"), callback=self._answer)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        if self.clock is not None and self.down_from_s <= self.clock.elapsed_s < self.down_until_s:
            return 503, {}, "<html>down</html>"
        path = str(request.url).removeprefix(URL).partition("?")[0]
        self.requests.append(f"{request.method} {path}")
        status, body = self._route(str(request.method), path, request)
        return status, {}, json.dumps(body)

    def _route(self, method: str, path: str, request: requests.PreparedRequest) -> tuple[int, Any]:
        if path == "/api/v2/version":
            return (404, {"error": "gone"}) if self.version == 2 else (200, {"version": "3.3.2"})
        if path == "/auth/token" and self.version == 3:
            self.logins += 1
            self.token_uses_left = 1_000_000
            good = json.loads(request.body or "{}") == {"username": "admin", "password": "pass word"}
            return (
                (201, {"access_token": f"jwt{self.logins}"})
                if good
                else (401, {"detail": "Invalid credentials"})
            )
        if path.endswith("/health"):
            return 200, {"metadatabase": {"status": "healthy"}, "scheduler": {"status": "healthy"}}
        if refused := self._refused(request):
            return refused
        handler: Callable[..., tuple[int, Any]] | None = None
        for pattern, name in _ROUTES:
            if found := re.fullmatch(
                pattern, f"{method} {path.removeprefix('/api/v1').removeprefix('/api/v2')}"
            ):
                handler = getattr(self, name)
                return handler(request, *found.groups())
        return 404, {"detail": "Not Found"}

    def _refused(self, request: requests.PreparedRequest) -> tuple[int, Any] | None:
        given = request.headers.get("Authorization", "")
        if self.version == 2:
            return None if given == "Basic YWRtaW46cGFzcyB3b3Jk" else (403, {"detail": None})
        self.token_uses_left -= 1
        if given != f"Bearer jwt{self.logins}" or self.token_uses_left < 0:
            return 403, {"detail": "Invalid JWT token"}
        return None

    def get_dag(self, _request: object, dag_id: str) -> tuple[int, Any]:
        if dag_id not in self.dags:
            return 404, {"detail": "not found"}
        return 200, {"dag_id": dag_id, **self.dags[dag_id]}

    def get_dags(self, _request: object) -> tuple[int, Any]:
        return 200, {"dags": [{"dag_id": name} for name in self.dags], "total_entries": len(self.dags)}

    def get_import_errors(self, _request: object) -> tuple[int, Any]:
        return 200, {"import_errors": self.import_errors, "total_entries": len(self.import_errors)}

    def patch_dag(self, request: requests.PreparedRequest, dag_id: str) -> tuple[int, Any]:
        self.dags[dag_id] |= json.loads(request.body or "")
        return 200, {}

    def post_run(self, request: requests.PreparedRequest, dag_id: str) -> tuple[int, Any]:
        body = json.loads(request.body or "")
        if self.version == 3 and "logical_date" not in body:
            return 422, {"detail": [{"type": "missing", "loc": ["body", "logical_date"]}]}
        if self.version == 2 and "logical_date" in body:
            return 400, {"detail": "'None' is not an instance of 'str'"}
        if any(run["dag_run_id"] == body["dag_run_id"] for run in self.triggered):
            return 409, {"detail": {"reason": "Unique constraint violation"}}
        self.triggered.append(body)
        return 200, body

    def get_dag_tasks(self, _request: object, _dag: str) -> tuple[int, Any]:
        rows = [{"task_id": name, "downstream_task_ids": []} for name in self.dag_tasks]
        return 200, {"tasks": rows, "total_entries": len(rows)}

    def get_run(self, _request: object, _dag: str, run: str) -> tuple[int, Any]:
        self.runs_asked_for += 1
        if unquote(run) in self.gone:
            return 404, {"detail": "not found"}
        return 200, {"state": self.states.pop(0) if len(self.states) > 1 else self.states[0]}

    def patch_run(self, request: requests.PreparedRequest, _dag: str, _run: str) -> tuple[int, Any]:
        self.patched.append(json.loads(request.body or ""))
        return 200, {}

    def get_tasks(self, request: requests.PreparedRequest, _dag: str, _run: str) -> tuple[int, Any]:
        query = request.params  # type: ignore[attr-defined]
        offset, limit = int(query["offset"]), min(int(query["limit"]), 100)
        if offset == 0 and len(self.tasks) > 1:
            self._shown = self.tasks.pop(0)
        elif offset == 0:
            self._shown = self.tasks[0]
        return 200, {
            "task_instances": self._shown[offset : offset + limit],
            "total_entries": len(self._shown),
        }

    def get_xcom(self, _request: object, _dag: str, _run: str, task: str, key: str) -> tuple[int, Any]:
        if self.xcoms_refused:
            return 403, {"detail": "Forbidden"}
        if (task, key) not in self.xcoms:
            return 404, {"detail": "XCom entry not found"}
        value = self.xcoms[task, key]
        if self.version == 2 and not isinstance(value, str):
            value = repr(value)
        return 200, {"key": key, "value": value}


_ROUTES = (
    (r"GET /dags", "get_dags"),
    (r"GET /dags/([^/]+)", "get_dag"),
    (r"PATCH /dags/([^/]+)", "patch_dag"),
    (r"GET /dags/([^/]+)/tasks", "get_dag_tasks"),
    (r"GET /importErrors", "get_import_errors"),
    (r"POST /dags/([^/]+)/dagRuns", "post_run"),
    (r"GET /dags/([^/]+)/dagRuns/([^/]+)", "get_run"),
    (r"PATCH /dags/([^/]+)/dagRuns/([^/]+)", "patch_run"),
    (r"GET /dags/([^/]+)/dagRuns/([^/]+)/taskInstances", "get_tasks"),
    (r"GET /dags/([^/]+)/dagRuns/([^/]+)/taskInstances/([^/]+)/xcomEntries/([^/]+)", "get_xcom"),
)


def task(name: str, state: str | None, *, tries: int = 1, map_index: int = -1) -> dict[str, Any]:
    return {"task_id": name, "state": state, "try_number": tries, "map_index": map_index}
