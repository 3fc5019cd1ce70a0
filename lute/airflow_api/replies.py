"""Reading Airflow's replies: JSON objects in, models out. A reply of another shape is a transient error."""

import contextlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import requests

from lute.airflow_api.models import Dag, ImportErrorReport, RunState, TaskInstance, TaskState
from lute.errors import PermanentError, TransientError
from lute.redact import redact

_RUN_STATES = {str(state): state for state in RunState}
_TASK_STATES = {str(state): state for state in TaskState}


@contextlib.contextmanager
def reading(endpoint: str) -> Iterator[None]:
    """Turn whatever goes wrong in reading a reply into a `TransientError`."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise TransientError(
            f"Airflow's reply is not understood: {type(error).__name__}",
            endpoint=endpoint,
            next_step="ask the Airflow administrators if it stays so",
        ) from error


def parse_body(endpoint: str, reply: requests.Response, *, is_json: bool = True) -> Any:
    """Return what a reply holds.

    Raises:
        PermanentError: Airflow refused, or sends elsewhere.
        TransientError: it failed, or the reply is not JSON.
    """
    status = reply.status_code
    if status >= 500 or status in (408, 425, 429):
        raise TransientError(
            f"Airflow failed (HTTP {status})",
            endpoint=endpoint,
            http_status=status,
            next_step="ask the Airflow administrators if it stays so",
        )
    if status >= 400:
        raise PermanentError(
            f"Airflow refused (HTTP {status}): {_detail(reply)}",
            endpoint=endpoint,
            http_status=status,
            next_step="check user and rights in the site file" if status in (401, 403) else "",
        )
    if status >= 300:
        raise PermanentError(
            f"Airflow is elsewhere (HTTP {status}): {redact(reply.headers.get('Location', '(nowhere)'))}",
            endpoint=endpoint,
            http_status=status,
            next_step="correct [airflow] url in the site file",
        )
    if not reply.content or not is_json:
        return None
    with reading(endpoint):
        return _read(reply.content)


@lru_cache(maxsize=8)
def _read(content: bytes) -> Any:
    """Read JSON, whose owner must not change it: a polled Airflow gives the same bytes again and again."""
    return json.loads(content)


def parse_dag(found: dict[str, Any]) -> Dag | None:
    """Read a DAG; None if its file is gone."""
    gone = found.get("is_stale", not found.get("is_active", True))
    return None if gone else Dag(str(found["dag_id"]), bool(found["is_paused"]))


def parse_import_error(found: dict[str, Any]) -> ImportErrorReport:
    """Read the report of a DAG file that does not import."""
    lines = str(found.get("stack_trace") or "").strip().splitlines() or ["(no reason)"]
    # The message of an exception may have several lines; the one with its name tells most.
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return ImportErrorReport(str(found.get("filename") or "(unknown)"), (named or lines)[-1])


def parse_run_state(found: dict[str, Any]) -> RunState:
    """Read a DAG run's state; a word that is none counts as running."""
    word = found["state"]
    return _RUN_STATES.get(word, RunState.RUNNING)


def parse_task_instance(found: dict[str, Any]) -> TaskInstance:
    """Read a task instance; a state that is none counts as not final."""
    word = found["state"]
    return TaskInstance(
        task_id=str(found["task_id"]),
        map_index=int(found.get("map_index", -1)),
        state=_TASK_STATES.get(word, TaskState.NONE),
        try_number=int(found.get("try_number") or 0),
        started=_time(found.get("start_date")),
        ended=_time(found.get("end_date")),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _detail(reply: requests.Response) -> str:
    try:
        detail = reply.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = reply.text[:300]
    return redact(detail if isinstance(detail, str) else json.dumps(detail))[:300]
