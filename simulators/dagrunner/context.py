"""What a running operator gets to see of Airflow: its context, its task instance, its log."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from simulators.dagrunner.installed import MappedOperator, read_xcom, write_xcom
from simulators.dagrunner.state import DagRun, TaskInstance

RETURN_VALUE = "return_value"


_NOT_GIVEN = object()


class XComRefused(Exception):
    """Airflow's database does not take the value."""


class XComNotFoundError(LookupError):
    """An argument of an operator is the XCom of a task that pushed nothing under that key."""


class RunningTask:
    """The `ti` of a context.

    Args:
        put: stores an XCom under a key.
        get: returns the XComs of a task under a key, with the map index of each.
        skips_missing: see `AirflowConf.pull_skips_missing`.
    """

    def __init__(
        self,
        record: TaskInstance,
        task: Any,
        put: Callable[[str, Any], None],
        get: Callable[[str, str], list[tuple[int, Any]]],
        *,
        skips_missing: bool,
    ) -> None:
        self._record = record
        self._put = put
        self._get = get
        self._skips_missing = skips_missing
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
        self,
        task_ids: str | Iterable[str] | None = None,
        key: str = RETURN_VALUE,
        *,
        map_indexes: Any = _NOT_GIVEN,
        default: Any = None,
        **_ignored: Any,
    ) -> Any:
        """Return what tasks pushed: a list for several tasks or map indexes, and for a mapped task."""
        is_one_task = task_ids is None or isinstance(task_ids, str)
        names = [task_ids or self.task_id] if is_one_task else list(task_ids or ())
        found = [self._get(str(name), key) for name in names]
        if map_indexes is _NOT_GIVEN or (map_indexes is None and self._skips_missing):
            return self._all(found, default, is_one_task=is_one_task)
        is_one_index = map_indexes is None or isinstance(map_indexes, int)
        wanted = [-1 if map_indexes is None else map_indexes] if is_one_index else list(map_indexes)
        known = [dict(values) for values in found]
        if is_one_task and is_one_index:
            return known[0].get(wanted[0], default)
        if self._skips_missing:
            return [values[index] for values in known for index in wanted if index in values]
        return [values.get(index, default) for values in known for index in wanted]

    def resolve_xcom_arg(self, reference: Any) -> Any:
        """Return what a reference to an XCom stands for in the arguments of an operator."""
        operator, key = reference.operator, reference.key
        values = self._get(operator.task_id, key)
        if isinstance(operator, MappedOperator):
            return [value for _, value in values]
        if not values and key != RETURN_VALUE and not getattr(operator, "multiple_outputs", False):
            raise XComNotFoundError(f"{operator.task_id} has no XCom {key}")
        return values[0][1] if values else None

    def _all(self, found: list[list[tuple[int, Any]]], default: Any, *, is_one_task: bool) -> Any:
        if self._skips_missing:
            values = [value for of_task in found for _, value in of_task]
            if not is_one_task or any(index >= 0 for of_task in found for index, _ in of_task):
                return values
            return values[0] if values else default
        filled = [value for of_task in found for _, value in of_task or [(-1, None)]]
        return filled[0] if is_one_task and len(filled) == 1 else filled


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


def context_of(
    run: DagRun, record: TaskInstance, dag: Any, task: Any, ti: RunningTask, logical_date: datetime | None
) -> dict[str, Any]:
    """Return the context that `execute` gets: the keys that both Airflow versions have.

    Args:
        logical_date: of the run; without one, `ds` and its like are not there (3.3).
    """
    dag_run = SimpleNamespace(
        conf=run.conf,
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_type="manual",
        logical_date=logical_date,
        execution_date=logical_date,
        start_date=run.start,
        queued_at=run.queued,
        external_trigger=True,
    )
    dated = {}
    if logical_date is not None:
        dated = {
            "ds": logical_date.strftime("%Y-%m-%d"),
            "ds_nodash": logical_date.strftime("%Y%m%d"),
            "logical_date": logical_date,
            "ts": logical_date.isoformat(),
        }
    return dated | {
        "conf": {},
        "dag": dag,
        "dag_run": dag_run,
        "map_index_template": getattr(task, "map_index_template", None),
        "params": dict(getattr(dag, "params", {})),
        "run_id": run.run_id,
        "task": task,
        "task_instance": ti,
        "task_instance_key_str": f"{run.dag_id}__{record.task_id}__{run.queued:%Y%m%d}",
        "ti": ti,
        "try_number": record.try_number,
    }


def checked_xcom(value: Any, *, strict: bool) -> Any:
    """Return an XCom as it comes out of the database again.

    Measured: 2.11 takes NUL, lone surrogates and NaN; 3.3 takes none of them on PostgreSQL.

    Raises:
        TypeError, ValueError, XComRefused: the value cannot be stored.
    """
    if isinstance(value, str):
        if strict:
            _check_text(value)
        return value
    if value is None or isinstance(value, bool | int):
        return value
    stored = write_xcom(value)
    text = json.dumps(stored, allow_nan=not strict, ensure_ascii=False)
    if strict:
        _check_text(text)
    return read_xcom(json.loads(text))


def _check_text(text: str) -> None:
    if "\x00" in text or "\\u0000" in text:
        raise XComRefused("422: Value rejected by database")
    text.encode()
