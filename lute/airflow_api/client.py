"""The client of Airflow's REST API."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lute.airflow_api.connection import Connection
from lute.airflow_api.models import Dag, ImportErrorReport, RunState, TaskInstance
from lute.airflow_api.replies import (
    parse_dag,
    parse_import_error,
    parse_run_state,
    parse_task_instance,
    reading,
)
from lute.errors import AmbiguousError, PermanentError
from lute.seams import Runtime
from lute.settings import Settings

_LOOK_AGAIN_S = (1.0, 4.0, 10.0)
"""How long to wait between looks for a run whose start was not confirmed."""


class AirflowClient:
    """Talks to one Airflow as one user.

    Transient errors are retried for `patience_s` seconds; an expired token is renewed once per request.

    Raises (every method):
        PermanentError: Airflow refused.
        TransientError: Airflow was out of reach, failed or was not understood for too long.
        ConfigError: the site file's address or password cannot be used.
    """

    def __init__(self, settings: Settings, runtime: Runtime) -> None:
        self._connection = Connection(settings, runtime)
        self._clock = runtime.clock

    @property
    def requests(self) -> int:
        """How many requests it has sent."""
        return self._connection.requests

    def hurry(self, reply_s: float) -> None:
        """From now on, ask once, and wait for a reply for so many seconds only."""
        self._connection.patience_s, self._connection.reply_s = 0.0, reply_s

    @property
    def patience_s(self) -> float:
        """How long transient errors are retried, in seconds."""
        return self._connection.patience_s

    @patience_s.setter
    def patience_s(self, seconds: float) -> None:
        self._connection.patience_s = seconds

    def check_health(self) -> None:
        """Raise unless the scheduler and the database work."""
        self._connection.check_health()

    def dag(self, dag_id: str) -> Dag | None:
        """Return a DAG, None if Airflow has none of this name or its file is gone."""
        path = f"/dags/{quote(dag_id)}"
        found = self._connection.ask_if_there(path)
        if found is None:
            return None
        with reading(path):
            return parse_dag(found)

    def dag_ids(self) -> list[str]:
        """Return the names of all active DAGs."""
        with reading("/dags"):
            return [str(dag["dag_id"]) for dag in self._connection.pages("/dags", "dags")]

    def downstream(self, dag_id: str) -> dict[str, list[str]]:
        """Return, for each task of a DAG, the tasks right behind it."""
        path = f"/dags/{quote(dag_id)}/tasks"
        with reading(path):
            tasks = self._connection.ask("GET", path)["tasks"]
            return {task["task_id"]: list(task["downstream_task_ids"]) for task in tasks}

    def import_errors(self) -> list[ImportErrorReport]:
        """Return the DAG files that do not import."""
        with reading("/importErrors"):
            return [
                parse_import_error(report)
                for report in self._connection.pages("/importErrors", "import_errors")
            ]

    def unpause(self, dag_id: str) -> None:
        """Let a paused DAG run; runs of a paused DAG stay queued for ever."""
        self._connection.ask("PATCH", f"/dags/{quote(dag_id)}", {"is_paused": False})

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run, once: after a lost reply it looks for the run and never asks a second time.

        Its id alone would not do: once somebody has deleted the run, Airflow takes the same id again.

        Raises:
            AmbiguousError: the reply was lost and there is no such run.
        """
        body = self._connection.dialect.trigger_body(run_id, conf)
        deadline_s = self._clock.monotonic() + self.patience_s
        while True:
            try:
                self._connection.ask_once(f"/dags/{quote(dag_id)}/dagRuns", body)
            except PermanentError as error:
                if error.http_status != 409:  # 409: there is this run
                    raise
            except AmbiguousError as error:
                if self._appears(dag_id, run_id):
                    return
                answered = error.http_status is not None and error.http_status >= 500
                if answered and self._clock.monotonic() < deadline_s:
                    continue  # it failed, says Airflow itself, and there is no run
                raise AmbiguousError(
                    f"{error.what}; there is no run {run_id} now: it never was, or somebody deleted it",
                    endpoint=error.endpoint,
                    next_step="launch again",
                ) from error
            return

    def _appears(self, dag_id: str, run_id: str) -> bool:
        """Tell whether there is a run, if need be after a while: Airflow may still be at it."""
        for wait_s in _LOOK_AGAIN_S:
            if self.has_run(dag_id, run_id):
                return True
            self._clock.sleep(wait_s)
        return self.has_run(dag_id, run_id)

    def has_run(self, dag_id: str, run_id: str) -> bool:
        """Tell whether there is a run of this id."""
        return self._connection.ask_if_there(f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}") is not None

    def run_state(self, dag_id: str, run_id: str) -> RunState:
        """Return the state of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
        with reading(path):
            return parse_run_state(self._connection.ask("GET", path))

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed, which kills its running tasks."""
        self._connection.ask("PATCH", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}", {"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """Return all task instances of a run."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances"
        with reading(path):
            return [parse_task_instance(found) for found in self._connection.pages(path, "task_instances")]

    def xcom(self, dag_id: str, run_id: str, task: TaskInstance, key: str) -> str | None:
        """Return the text that a task pushed under `key`, None if it pushed none.

        v1 gives everything that is no text as Python's text of it (measured), so only text is safe to push.
        v2 of Airflow 3.3.2 gives a text that a trigger's last event pushed as JSON (measured).
        """
        path = (
            f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"
            f"/taskInstances/{quote(task.task_id)}/xcomEntries/{quote(key)}?map_index={task.map_index}"
        )
        found = self._connection.ask_if_there(path)
        with reading(path):
            value = None if found is None else found["value"]
        return _plain(value) if isinstance(value, str) else None

    def set_variable(self, key: str, value: str) -> None:
        """Store a Variable, whether it is there or not. Its value may be a secret: no message has it."""
        try:
            self._store(f"/variables/{quote(key, safe='')}", {"key": key, "value": value})
        except PermanentError as error:
            raise self._refused_variable(key, error) from None

    def variables(self, prefix: str) -> dict[str, str]:
        """Return the Variables whose name begins with `prefix`; for a secret one v2 shows only `***`."""
        with reading("/variables"):
            found = {
                str(row["key"]): str(row["value"])
                for row in self._connection.pages("/variables", "variables")
            }
        return {key: value for key, value in found.items() if key.startswith(prefix)}

    def delete_variable(self, key: str) -> None:
        """Remove a Variable; one that is not there is no error."""
        try:
            self._connection.ask("DELETE", f"/variables/{quote(key, safe='')}")
        except PermanentError as error:
            if error.http_status != 404:
                raise self._refused_variable(key, error) from None

    def parse_dag_file(self, dag_id: str) -> None:
        """Have the file of a DAG read again, soon; with one request for it waiting, do nothing."""
        path = f"/dags/{quote(dag_id)}"
        with reading(path):
            token = str(self._connection.ask("GET", path)["file_token"])
        try:
            self._connection.ask("PUT", f"/parseDagFile/{quote(token)}")
        except PermanentError as error:
            if error.http_status != 409:  # 409: an earlier request waits (measured, v2)
                raise

    def _store(self, path: str, body: Mapping[str, str]) -> None:
        try:
            self._connection.ask("PATCH", path, body)
            return
        except PermanentError as error:
            if error.http_status != 404:
                raise
        try:
            self._connection.ask("POST", "/variables", body)
        except PermanentError as error:
            if error.http_status != 409:
                raise
            # It came up meanwhile, perhaps by an attempt of this very request whose reply was lost.
            self._connection.ask("PATCH", path, body)

    def _refused_variable(self, key: str, error: PermanentError) -> PermanentError:
        """Return an error without Airflow's words: v2 quotes what it refuses (measured), here a secret."""
        next_step = ""
        if error.http_status in (401, 403):
            next_step = (
                f"ask the Airflow administrators to let the user {self._connection.user} read, create, edit"
                " and delete Variables: Airflow's role User alone may not"
            )
        return PermanentError(
            f"Airflow refused to change the Variable {key} (HTTP {error.http_status})",
            endpoint=error.endpoint,
            http_status=error.http_status,
            next_step=next_step,
        )


def _plain(text: str) -> str:
    """Return the text that a text in JSON stands for; any other as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text
