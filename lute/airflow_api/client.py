"""The client of Airflow's REST API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from lute.airflow_api.dialects import Dialect, DialectV1, DialectV2
from lute.airflow_api.models import Dag, ImportErrorReport, RunState, TaskInstance
from lute.airflow_api.replies import (
    parse_body,
    parse_dag,
    parse_import_error,
    parse_run_state,
    parse_task_instance,
    reading,
)
from lute.errors import ConfigError, PermanentError, RemoteError, TransientError
from lute.retry import retrying
from lute.seams import Runtime
from lute.settings import Settings

_PAGE_SIZE = 100
"""Both versions answer at most so many by default or cap (measured: v2 caps silently at 100)."""


class AirflowClient:
    """Talks to one Airflow as one user.

    Transient errors are retried for `patience_s` seconds; an expired token is renewed once per request.

    Raises (every method):
        PermanentError: Airflow refused.
        TransientError: Airflow was out of reach, failed or was not understood for too long.
        ConfigError: the site file's address or password cannot be used.
    """

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self.patience_s = settings.timeouts.retry_s
        self._settings = settings
        self._runtime = runtime
        self._url = settings.airflow.url.rstrip("/")
        self._session = runtime.new_session()
        self._dialect: Dialect | None = None

    def check_health(self) -> None:
        """Raise unless the scheduler and the database work."""
        endpoint = self._url + self._connected().health_path
        retrying(self._runtime, self.patience_s, self._check_health_once, endpoint)

    def dag(self, dag_id: str) -> Dag | None:
        """Return a DAG, None if Airflow has none of this name or its file is gone."""
        path = f"/dags/{quote(dag_id)}"
        found = self._ask_if_there(path)
        if found is None:
            return None
        with reading(path):
            return parse_dag(found)

    def dag_ids(self) -> list[str]:
        """Return the names of all active DAGs."""
        with reading("/dags"):
            return [str(dag["dag_id"]) for dag in self._pages("/dags", "dags")]

    def downstream(self, dag_id: str) -> dict[str, list[str]]:
        """Return, for each task of a DAG, the tasks right behind it."""
        path = f"/dags/{quote(dag_id)}/tasks"
        with reading(path):
            tasks = self._ask("GET", path)["tasks"]
            return {task["task_id"]: list(task["downstream_task_ids"]) for task in tasks}

    def import_errors(self) -> list[ImportErrorReport]:
        """Return the DAG files that do not import."""
        with reading("/importErrors"):
            return [parse_import_error(report) for report in self._pages("/importErrors", "import_errors")]

    def unpause(self, dag_id: str) -> None:
        """Let a paused DAG run; runs of a paused DAG stay queued for ever."""
        self._ask("PATCH", f"/dags/{quote(dag_id)}", {"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run. Asking again after a lost reply starts no second one: its id is unique."""
        body = self._connected().trigger_body(run_id, conf)
        try:
            self._ask("POST", f"/dags/{quote(dag_id)}/dagRuns", body)
        except PermanentError as error:
            if error.http_status != 409:  # 409: an earlier attempt of this very request had its effect
                raise

    def run_state(self, dag_id: str, run_id: str) -> RunState:
        """Return the state of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        with reading(path):
            return parse_run_state(self._ask("GET", path))

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed, which kills its running tasks."""
        self._ask("PATCH", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}", {"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Return all task instances of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
        with reading(path):
            return [parse_task_instance(found) for found in self._pages(path, "task_instances")]

    def xcom(self, dag_id: str, run_id: str, task: TaskInstance, key: str) -> str | None:
        """Return the text that a task pushed under `key`, None if it pushed none.

        v1 gives everything that is no text as Python's text of it (measured), so only text is safe to push.
        """
        path = (
            f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
            f"/taskInstances/{quote(task.task_id)}/xcomEntries/{quote(key)}?map_index={task.map_index}"
        )
        found = self._ask_if_there(path)
        with reading(path):
            value = None if found is None else found["value"]
        return value if isinstance(value, str) else None

    def _ask_if_there(self, path: str) -> dict[str, Any] | None:
        """Return the object that GET answers, None for HTTP 404."""
        try:
            with reading(path):
                return dict(self._ask("GET", path))
        except PermanentError as error:
            if error.http_status == 404:
                return None
            raise

    def _check_health_once(self, endpoint: str) -> None:
        health = self._send("GET", endpoint, None)
        for component in ("metadatabase", "scheduler"):
            with reading(endpoint):
                status = (health.get(component) or {}).get("status")
            if status != "healthy":
                raise TransientError(
                    f"Airflow's {component} is {status or 'not there'}",
                    endpoint=endpoint,
                    next_step="ask the Airflow administrators, then launch again",
                )

    def _pages(self, path: str, key: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._ask("GET", f"{path}?limit={_PAGE_SIZE}&offset={len(rows)}")
            rows += page[key]
            if not page[key] or len(rows) >= page["total_entries"]:
                return rows

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        dialect = self._connected()
        endpoint = self._url + dialect.base_path + path

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

        return retrying(self._runtime, self.patience_s, attempt)

    def _connected(self) -> Dialect:
        """Return the dialect of this Airflow, found out at the first call."""
        if self._dialect is None:
            known: dict[str, Dialect] = {"v1": DialectV1(), "v2": DialectV2()}
            chosen = known.get(self._settings.airflow.api)
            self._dialect = chosen or retrying(self._runtime, self.patience_s, self._probe)
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
        request = dialect.login_request(airflow.user, password)
        if request is None:
            self._session.auth = dialect.credential(airflow.user, password, None)
            return
        path, body = request
        self._session.auth = None
        reply = self._send("POST", self._url + path, body)
        with reading(self._url + path):
            self._session.auth = dialect.credential(airflow.user, password, reply)

    def _send(self, method: str, endpoint: str, body: Mapping[str, Any] | None) -> Any:
        timeouts = self._settings.timeouts
        try:
            reply = self._session.request(
                method,
                endpoint,
                json=body,
                timeout=(timeouts.connect_s, timeouts.read_s),
                allow_redirects=False,  # a redirect would turn POST into GET and look like success
            )
        except (InvalidURL, MissingSchema, InvalidSchema, UnicodeError) as error:
            raise ConfigError(
                f"'{endpoint}' is not an address: {type(error).__name__}",
                next_step="correct [airflow] url in the site file",
            ) from error
        except requests.RequestException as error:
            # Repeating is safe: a run id is unique, so that a second POST of it answers 409.
            raise self._out_of_reach(endpoint, error) from error
        return parse_body(endpoint, reply)

    @staticmethod
    def _out_of_reach(endpoint: str, error: requests.RequestException) -> RemoteError:
        return TransientError(
            f"Airflow cannot be reached: {type(error).__name__}",
            endpoint=endpoint,
            next_step="is Airflow up, and is [airflow] url in the site file right?",
        )
