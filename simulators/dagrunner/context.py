"""What a running operator gets to see of Airflow: its context, its task instance, its log."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from simulators.dagrunner.state import DagRun, TaskInstance

RETURN_VALUE = "return_value"


class XComRefused(Exception):
    """Airflow's database does not take the value."""


class RunningTask:
    """The `ti` of a context.

    Args:
        put: stores an XCom under a key.
        get: returns the XCom of a task under a key, a list for a mapped task, None if there is none.
    """

    def __init__(
        self,
        record: TaskInstance,
        task: Any,
        put: Callable[[str, Any], None],
        get: Callable[[str, str], Any],
    ) -> None:
        self._record = record
        self._put = put
        self._get = get
        self.task = task
        self.dag_id, self.run_id = record.dag_id, record.run_id
        self.task_id, self.map_index = record.task_id, record.map_index
        self.try_number, self.max_tries = record.try_number, record.max_tries
        self.start_date = record.start
        self.hostname = record.hostname

    @property
    def state(self) -> str:
        """Its state in Airflow's database."""
        return str(self._record.state)

    def xcom_push(self, key: str, value: Any, **_ignored: Any) -> None:
        """Store a value for other tasks and for the REST API."""
        self._put(key, value)

    def xcom_pull(
        self, task_ids: str | list[str] | None = None, key: str = RETURN_VALUE, **_ignored: Any
    ) -> Any:
        """Return what another task pushed; a list if `task_ids` is one."""
        if isinstance(task_ids, list):
            return [self._get(task_id, key) for task_id in task_ids]
        return self._get(task_ids or self.task_id, key)


class TaskLog:
    """The `log` of an operator: each line goes to `note`, as logging or structlog would write it."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note

    def debug(self, _message: object, *_args: object, **_fields: object) -> None:
        """Drop it: Airflow's default level is INFO."""

    def info(self, message: object, *args: object, **fields: object) -> None:
        """Log a line."""
        self.log("INFO", message, *args, **fields)

    def warning(self, message: object, *args: object, **fields: object) -> None:
        """Log a line."""
        self.log("WARNING", message, *args, **fields)

    def error(self, message: object, *args: object, **fields: object) -> None:
        """Log a line."""
        self.log("ERROR", message, *args, **fields)

    def exception(self, message: object, *args: object, **fields: object) -> None:
        """Log a line; the exception's own text is what Airflow shows below it."""
        self.log("ERROR", message, *args, **fields)

    critical = error
    warn = warning

    def log(self, level: object, message: object, *args: object, **fields: object) -> None:
        """Log a line at a level."""
        text = str(message) % args if args else str(message)
        shown = {name: value for name, value in fields.items() if name not in ("exc_info", "stack_info")}
        self._note(str(level), " ".join([text, *(f"{name}={value!r}" for name, value in shown.items())]))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's own name
        """Say whether a level is logged."""
        return level >= 20

    def bind(self, **_fields: object) -> "TaskLog":
        """Return a logger with more context (structlog's way): the same."""
        return self


def context_of(run: DagRun, record: TaskInstance, dag: Any, task: Any, ti: RunningTask) -> dict[str, Any]:
    """Return the context that `execute` gets: the keys that both Airflow versions have."""
    logical: datetime | None = run.queued
    dag_run = SimpleNamespace(
        conf=run.conf,
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_type="manual",
        logical_date=logical,
        execution_date=logical,
        start_date=run.start,
        queued_at=run.queued,
        external_trigger=True,
    )
    return {
        "conf": {},
        "dag": dag,
        "dag_run": dag_run,
        "ds": run.queued.strftime("%Y-%m-%d"),
        "logical_date": logical,
        "map_index_template": getattr(task, "map_index_template", None),
        "params": dict(getattr(dag, "params", {})),
        "run_id": run.run_id,
        "task": task,
        "task_instance": ti,
        "task_instance_key_str": f"{run.dag_id}__{record.task_id}__{run.queued:%Y%m%d}",
        "ti": ti,
        "try_number": record.try_number,
        "ts": run.queued.isoformat(),
    }


def checked_xcom(value: Any, *, strict: bool) -> Any:
    """Return an XCom as it comes out of the database again.

    Measured: bytes are refused by both versions; NUL, lone surrogates and NaN by 3.3 on PostgreSQL.

    Raises:
        TypeError, XComRefused, ValueError: the value cannot be stored.
    """
    if isinstance(value, str):
        if strict:
            if "\x00" in value:
                raise XComRefused("422: Value rejected by database")
            value.encode()
        return value
    if value is None or isinstance(value, bool | int | datetime | date | timedelta):
        return value
    if isinstance(value, float):
        if strict and not math.isfinite(value):
            raise ValueError(f"Out of range float values are not JSON compliant: {value}")
        return value
    if isinstance(value, Mapping):
        return {
            checked_xcom(key, strict=strict): checked_xcom(item, strict=strict) for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(checked_xcom(item, strict=strict) for item in value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
