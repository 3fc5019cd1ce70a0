"""Rows of Airflow 3.3's REST API, with the fields that it has (measured).

Not shown, though Airflow would: the trigger of a deferred task, rendered template fields, a DAG's later
versions, how long its file took to parse, and the new id of a task instance after a clear or a retry.
"""

import json
import uuid
from datetime import datetime
from pathlib import PurePath
from typing import Any

from simulators.dagrunner.rest.selection import file_token, has_import_errors
from simulators.dagrunner.rest.v1.rows import USER_NAME, duration_s, interval
from simulators.dagrunner.rest.values import without_nan
from simulators.dagrunner.state import AirflowState, DagEntry, DagRun, ImportFailure, TaskInstance
from simulators.net.messages import HttpReply

BUNDLE = "dags-folder"

_SENSITIVE = (
    "access_key", "access_token", "api_key", "apikey", "auth_header", "authorization", "bearer",
    "connection_string", "dsn", "keyfile_dict", "passphrase", "passwd", "password", "private_key", "proxies",
    "proxy", "proxy_password", "secret", "service_account", "service_key", "token", "webhook_url",
)  # fmt: skip
"""Words in a name that hide its value: DEFAULT_SENSITIVE_FIELDS of 3.3.2."""


def dump(value: Any) -> bytes:
    """Return JSON, with null for NaN and infinity (measured)."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        return json.dumps(without_nan(value), separators=(",", ":")).encode()


def reply(value: Any, status: int = 200) -> HttpReply:
    """Return a reply that holds `value`."""
    return HttpReply(status, dump(value))


def stamp(moment: datetime | None) -> str | None:
    """Return a time as v2 writes it, `2026-11-24T22:07:45.163301Z`."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _id(*words: object) -> str:
    """Return the same UUID for the same words: a world has the same ids in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, words))))


def version_row(entry: DagEntry) -> dict[str, Any]:
    """Return the one version of a DAG that there is."""
    return {
        "id": _id(entry.dag_id),
        "version_number": 1,
        "dag_id": entry.dag_id,
        "bundle_name": BUNDLE,
        "bundle_version": None,
        "created_at": stamp(entry.created),
        "dag_display_name": entry.dag_id,
        "bundle_url": None,
    }


def run_row(run: DagRun, entry: DagEntry | None) -> dict[str, Any]:
    """Return a DAG run.

    Args:
        entry: its DAG, None if there is none any more.
    """
    date = stamp(run.logical_date)
    return {
        "dag_run_id": run.run_id,
        "dag_id": run.dag_id,
        "logical_date": date,
        "queued_at": stamp(run.queued),
        "start_date": stamp(run.start),
        "end_date": stamp(run.end),
        "duration": duration_s(run.start, run.end),
        "data_interval_start": date,
        "data_interval_end": date,
        "run_after": stamp(run.run_after or run.queued),
        "last_scheduling_decision": stamp(run.decided),
        "run_type": "manual",
        "state": run.state,
        "triggered_by": "rest_api",
        "triggering_user_name": run.user,
        "conf": run.conf,
        "note": run.note,
        "dag_versions": [] if entry is None else [version_row(entry)],
        "bundle_version": None,
        "dag_display_name": run.dag_id,
        "partition_key": None,
        "partition_date": None,
    }


def task_row(run: DagRun, task: TaskInstance, entry: DagEntry | None) -> dict[str, Any]:
    """Return a task instance."""
    return {
        "id": _id(task.dag_id, task.run_id, task.task_id, task.map_index),
        "task_id": task.task_id,
        "dag_id": task.dag_id,
        "dag_run_id": task.run_id,
        "map_index": task.map_index,
        "logical_date": stamp(run.logical_date),
        "run_after": stamp(run.run_after or run.queued),
        "start_date": stamp(task.start),
        "end_date": stamp(task.end),
        "duration": duration_s(task.start, task.end),
        "state": None if task.state == "none" else task.state,
        "try_number": task.try_number,
        "max_tries": task.max_tries,
        "task_display_name": task.task_id,
        "dag_display_name": task.dag_id,
        "hostname": task.hostname,
        "unixname": USER_NAME,
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "queue": "default",
        "priority_weight": task.priority_weight,
        "operator": task.operator,
        "operator_name": task.operator,
        "queued_when": stamp(task.queued),
        "scheduled_when": stamp(task.scheduled),
        "pid": task.pid,
        "executor": None,
        "executor_config": "{}",
        "note": task.note,
        "rendered_map_index": None,
        "rendered_fields": {},
        "trigger": None,
        "triggerer_job": None,
        "dag_version": None if entry is None else version_row(entry),
    }


def _relative(state: AirflowState, file: str) -> str:
    """Return a DAG file's path as its bundle knows it."""
    path = PurePath(file)
    inside = bool(state.dags_folder) and path.is_relative_to(state.dags_folder)
    return str(path.relative_to(state.dags_folder)) if inside else path.name


def dag_row(state: AirflowState, entry: DagEntry) -> dict[str, Any]:
    """Return a DAG; only such that no timetable starts."""
    return {
        "dag_id": entry.dag_id,
        "dag_display_name": entry.dag_id,
        "is_paused": entry.is_paused,
        "is_stale": entry.is_gone,
        "last_parsed_time": stamp(entry.parsed),
        "last_parse_duration": None,
        "last_expired": None,
        "bundle_name": BUNDLE,
        "bundle_version": None,
        "relative_fileloc": _relative(state, entry.file),
        "fileloc": entry.file,
        "description": entry.dag.description,
        "timetable_summary": None,
        "timetable_description": "Never, external triggers only",
        "timetable_partitioned": False,
        "timetable_periodic": False,
        "tags": [
            {"name": name, "dag_id": entry.dag_id, "dag_display_name": entry.dag_id}
            for name in sorted(entry.dag.tags)
        ],
        "max_active_tasks": entry.dag.max_active_tasks,
        "max_active_runs": entry.dag.max_active_runs,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": False,
        "has_import_errors": has_import_errors(state, entry),
        "next_dagrun_logical_date": None,
        "next_dagrun_data_interval_start": None,
        "next_dagrun_data_interval_end": None,
        "next_dagrun_run_after": None,
        "allowed_run_types": None,
        "owners": [entry.dag.owner or "airflow"],
        "is_backfillable": False,
        "file_token": file_token(entry),
    }


def task_definition_row(task: Any) -> dict[str, Any]:
    """Return a task of a DAG, from Airflow's own operator; its params and links are not simulated."""
    return {
        "task_id": task.task_id,
        "task_display_name": task.task_id,
        "owner": task.owner,
        "start_date": stamp(task.start_date),
        "end_date": stamp(task.end_date),
        "trigger_rule": str(task.trigger_rule.value),
        "depends_on_past": bool(task.depends_on_past),
        "wait_for_downstream": bool(task.wait_for_downstream),
        "retries": float(task.retries or 0),
        "queue": task.queue,
        "pool": task.pool,
        "pool_slots": float(task.pool_slots),
        "execution_timeout": interval(task.execution_timeout),
        "retry_delay": interval(task.retry_delay),
        "retry_exponential_backoff": float(task.retry_exponential_backoff),
        "priority_weight": float(task.priority_weight),
        "weight_rule": "downstream",
        "ui_color": task.ui_color,
        "ui_fgcolor": task.ui_fgcolor,
        "template_fields": list(task.template_fields),
        "downstream_task_ids": sorted(task.downstream_task_ids),
        "doc_md": task.doc_md,
        "operator_name": task.operator_name,
        "params": {},
        "class_ref": {"module_path": task.operator_class.__module__, "class_name": task.task_type},
        "is_mapped": type(task) is not task.operator_class,
        "extra_links": [],
    }


def xcom_row(run: DagRun, task: TaskInstance, key: str) -> dict[str, Any]:
    """Return an XCom without its value."""
    return {
        "key": key,
        "timestamp": stamp(task.end or task.start or run.queued),
        "logical_date": stamp(run.logical_date),
        "map_index": task.map_index,
        "task_id": task.task_id,
        "dag_id": task.dag_id,
        "run_id": task.run_id,
        "dag_display_name": task.dag_id,
        "task_display_name": task.task_id,
        "run_after": stamp(run.run_after or run.queued),
    }


def import_error_row(state: AirflowState, number: int, failure: ImportFailure) -> dict[str, Any]:
    """Return the report of a DAG file that does not import."""
    return {
        "import_error_id": number,
        "timestamp": stamp(failure.at),
        "filename": _relative(state, failure.file),
        "bundle_name": BUNDLE,
        "stack_trace": failure.stack_trace,
    }


def variable_row(state: AirflowState, key: str) -> dict[str, Any]:
    """Return a variable: JSON written anew, and what sounds like a secret hidden (measured)."""
    text = state.variables[key]
    try:
        text = json.dumps(_redacted(json.loads(text), key))
    except ValueError:
        text = str(_redacted(text, key))
    return {
        "key": key,
        "value": text,
        "description": state.variable_descriptions.get(key),
        "is_encrypted": False,
        "team_name": None,
    }


def _redacted(value: Any, name: str) -> Any:
    if any(word in name.strip().lower() for word in _SENSITIVE):
        return _hidden(value)
    if isinstance(value, dict):
        return {key: _redacted(held, key) for key, held in value.items()}
    if isinstance(value, list):
        return [_redacted(held, "") for held in value]
    return value


def _hidden(value: Any) -> Any:
    """Return asterisks in the place of every text."""
    if isinstance(value, dict):
        return {key: _hidden(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_hidden(held) for held in value]
    return "***" if value else value
