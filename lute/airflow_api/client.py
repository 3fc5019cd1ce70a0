"""The client of Airflow's REST API."""

import ast
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from lute.airflow_api.dialects import Dialect, DialectV1, DialectV2
from lute.airflow_api.models import Dag, ImportErrorReport, RunState, TaskInstance, TaskState
from lute.errors import ConfigError, PermanentError, RemoteError, TransientError
from lute.redact import redact
from lute.retry import retrying
from lute.seams import Runtime
from lute.settings import Settings

_PAGE_SIZE = 100
"""Both versions answer at most so many by default or cap (measured: v2 caps silently at 100)."""


class AirflowClient:
    """Talks to one Airflow as one user.

    Transient errors are retried until `timeouts.retry_s`; an expired token is renewed once per request.

    Raises (every method):
        PermanentError: Airflow refused.
        TransientError: Airflow was out of reach for too long.
    """

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._url = settings.airflow.url.rstrip("/")
        self._session = runtime.new_session()
        self._dialect: Dialect | None = None

    def check_health(self) -> None:
        """Raise unless the scheduler and the database work."""
        health = self._ask("GET", self._connected().health_path, below_base=False)
        for component in ("metadatabase", "scheduler"):
            status = (health.get(component) or {}).get("status")
            if status != "healthy":
                raise TransientError(
                    f"Airflow's {component} is {status or 'not there'}",
                    endpoint=self._url,
                    next_step="ask the Airflow administrators, then launch again",
                )

    def dag(self, dag_id: str) -> Dag | None:
        """Return a DAG, None if Airflow has none of this name or its file is gone."""
        try:
            found = self._ask("GET", f"/dags/{quote(dag_id)}")
        except PermanentError as error:
            if error.http_status == 404:
                return None
            raise
        gone = found.get("is_stale", not found.get("is_active", True))
        return None if gone else Dag(found["dag_id"], bool(found["is_paused"]))

    def dag_ids(self) -> list[str]:
        """Return the names of all active DAGs."""
        return [dag["dag_id"] for dag in self._pages("/dags", "dags")]

    def downstream(self, dag_id: str) -> dict[str, list[str]]:
        """Return, for each task of a DAG, the tasks right behind it."""
        tasks = self._ask("GET", f"/dags/{quote(dag_id)}/tasks")["tasks"]
        return {task["task_id"]: list(task["downstream_task_ids"]) for task in tasks}

    def import_errors(self) -> list[ImportErrorReport]:
        """Return the DAG files that do not import."""
        return [
            ImportErrorReport(
                report.get("filename") or "?", (report.get("stack_trace") or "?").strip().splitlines()[-1]
            )
            for report in self._pages("/importErrors", "import_errors")
        ]

    def unpause(self, dag_id: str) -> None:
        """Let a paused DAG run; runs of a paused DAG stay queued for ever."""
        self._ask("PATCH", f"/dags/{quote(dag_id)}", {"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run. A lost reply is settled by looking for the run: its id is unique."""
        body = self._connected().trigger_body(run_id, conf)
        try:
            self._ask("POST", f"/dags/{quote(dag_id)}/dagRuns", body)
        except PermanentError as error:
            if error.http_status != 409:  # 409: an earlier attempt of this very request had its effect
                raise

    def run_state(self, dag_id: str, run_id: str) -> RunState:
        """Return the state of a run."""
        found = self._ask("GET", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}")
        return RunState(found["state"])

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed, which kills its running tasks."""
        self._ask("PATCH", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}", {"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Return all task instances of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
        return [
            TaskInstance(
                task_id=found["task_id"],
                map_index=found.get("map_index", -1),
                state=TaskState(found["state"] or "none"),
                try_number=found.get("try_number") or 0,
            )
            for found in self._pages(path, "task_instances")
        ]

    def xcom(self, dag_id: str, run_id: str, task: TaskInstance, key: str) -> Any:
        """Return an XCom value, None if the task pushed none."""
        path = (
            f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
            f"/taskInstances/{quote(task.task_id)}/xcomEntries/{quote(key)}"
        )
        try:
            found = self._ask("GET", f"{path}?map_index={task.map_index}")
        except PermanentError as error:
            if error.http_status == 404:
                return None
            raise
        value = found.get("value")
        if isinstance(self._connected(), DialectV1) and isinstance(value, str) and value.startswith("{"):
            try:  # v1 gives a mapping as Python's text of it (measured)
                return ast.literal_eval(value)
            except (ValueError, SyntaxError):
                return value
        return value

    def _pages(self, path: str, key: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._ask("GET", f"{path}?limit={_PAGE_SIZE}&offset={len(rows)}")
            rows += page[key]
            if not page[key] or len(rows) >= page["total_entries"]:
                return rows

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, below_base: bool = True
    ) -> Any:
        dialect = self._connected()
        endpoint = self._url + (dialect.base_path if below_base else "") + path

        def attempt() -> Any:
            if self._session.auth is None:
                self._login(dialect)
            try:
                return self._send(method, endpoint, body)
            except PermanentError as error:
                if error.http_status not in (401, 403):
                    raise
                self._login(dialect)  # the token may have expired: v2 tells that by 401 or 403
                return self._send(method, endpoint, body)

        return retrying(self._runtime, self._settings.timeouts.retry_s)(attempt)

    def _connected(self) -> Dialect:
        """Return the dialect of this Airflow, found out at the first call."""
        if self._dialect is None:
            known: dict[str, Dialect] = {"v1": DialectV1(), "v2": DialectV2()}
            api = self._settings.airflow.api
            self._dialect = known.get(api) or retrying(self._runtime, self._settings.timeouts.retry_s)(
                self._probe
            )
        return self._dialect

    def _probe(self) -> Dialect:
        try:  # without a login, on both versions (measured)
            self._send("GET", f"{self._url}/api/v2/version", None)
        except PermanentError as error:
            if error.http_status == 404:
                return DialectV1()
            raise
        return DialectV2()

    def _login(self, dialect: Dialect) -> None:
        airflow = self._settings.airflow
        try:
            password = airflow.password_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"Airflow's password cannot be read: {error}",
                file=airflow.password_file,
                next_step="check password_file in the site file, and that you may read it",
            ) from error
        timeouts = self._settings.timeouts
        try:
            self._session.auth = dialect.login(
                self._session, self._url, airflow.user, password, timeouts.read_s
            )
        except requests.RequestException as error:
            raise self._out_of_reach(self._url, error) from error

    def _send(self, method: str, endpoint: str, body: Mapping[str, Any] | None) -> Any:
        timeouts = self._settings.timeouts
        try:
            reply = self._session.request(
                method, endpoint, json=body, timeout=(timeouts.connect_s, timeouts.read_s)
            )
        except requests.RequestException as error:
            # Repeating is safe: a run id is unique, so that a second POST of it answers 409.
            raise self._out_of_reach(endpoint, error) from error
        if reply.status_code >= 500 or reply.status_code in (408, 429):
            raise TransientError(
                f"Airflow failed (HTTP {reply.status_code})",
                endpoint=endpoint,
                http_status=reply.status_code,
                next_step="ask the Airflow administrators if it stays so",
            )
        if reply.status_code >= 400:
            raise PermanentError(
                f"Airflow refused (HTTP {reply.status_code}): {_detail(reply)}",
                endpoint=endpoint,
                http_status=reply.status_code,
                next_step="check user and rights in the site file" if reply.status_code in (401, 403) else "",
            )
        if not reply.content:
            return None
        try:
            return reply.json()
        except ValueError as error:
            raise TransientError(
                "Airflow's reply is not JSON", endpoint=endpoint, http_status=reply.status_code
            ) from error

    @staticmethod
    def _out_of_reach(endpoint: str, error: requests.RequestException) -> RemoteError:
        return TransientError(
            f"Airflow cannot be reached: {type(error).__name__}",
            endpoint=endpoint,
            next_step="is Airflow up, and is [airflow] url in the site file right?",
        )


def _detail(reply: requests.Response) -> str:
    try:
        detail = reply.json().get("detail")
    except (ValueError, AttributeError):
        detail = reply.text[:200]
    return redact(detail if isinstance(detail, str) else json.dumps(detail))[:300]
