"""Rows of Airflow 2.11's REST API, with the fields that it has (measured).

Not shown, though Airflow would: the trigger of a deferred task, and rendered template fields.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from simulators.dagrunner.rest.selection import file_token, has_import_errors
from simulators.dagrunner.state import AirflowState, DagEntry, DagRun, ImportFailure, TaskInstance
from simulators.net.messages import HttpReply

USER_NAME = "airflow"
"""The Unix user that task instances are said to run as."""


def dump(value: Any) -> bytes:
    """Return JSON; NaN and halves of surrogate pairs are let through, as there (measured)."""
    return json.dumps(value, separators=(",", ":")).encode()


def reply(value: Any, status: int = 200) -> HttpReply:
    """Return a reply that holds `value`."""
    return HttpReply(status, dump(value))


def stamp(moment: datetime | None) -> str | None:
    """Return a time as v1 writes it, `2026-11-24T22:07:45.163301+00:00`."""
    return None if moment is None else moment.isoformat()


def logical_date(run: DagRun) -> datetime:
    """Return the run's logical date; of runs that did not come over REST, when they were queued."""
    return run.logical_date or run.queued


def duration_s(start: datetime | None, end: datetime | None) -> float | None:
    """Return how long something ran, in seconds, None until it has ended."""
    return None if start is None or end is None else (end - start).total_seconds()


def interval(span: timedelta | None) -> Mapping[str, Any] | None:
    """Return a span of time as both versions write it."""
    if span is None:
        return None
    return {
        "__type": "TimeDelta",
        "days": span.days,
        "microseconds": span.microseconds,
        "seconds": span.seconds,
    }


def run_row(run: DagRun) -> dict[str, Any]:
    """Return a DAG run."""
    date = stamp(logical_date(run))
    return {
        "conf": run.conf,
        "dag_id": run.dag_id,
        "dag_run_id": run.run_id,
        "data_interval_end": date,
        "data_interval_start": date,
        "end_date": stamp(run.end),
        "execution_date": date,
        "external_trigger": True,
        "last_scheduling_decision": stamp(run.decided),
        "logical_date": date,
        "note": run.note,
        "run_type": "manual",
        "start_date": stamp(run.start),
        "state": run.state,
    }


def task_row(run: DagRun, task: TaskInstance) -> dict[str, Any]:
    """Return a task instance."""
    return {
        "dag_id": task.dag_id,
        "dag_run_id": task.run_id,
        "duration": duration_s(task.start, task.end),
        "end_date": stamp(task.end),
        "execution_date": stamp(logical_date(run)),
        "executor": None,
        "executor_config": "{}",
        "hostname": task.hostname,
        "map_index": task.map_index,
        "max_tries": task.max_tries,
        "note": task.note,
        "operator": task.operator,
        "pid": task.pid,
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "priority_weight": task.priority_weight,
        "queue": "default",
        "queued_when": stamp(task.queued),
        "rendered_fields": {},
        "rendered_map_index": None,
        "sla_miss": None,
        "start_date": stamp(task.start),
        "state": None if task.state == "none" else task.state,
        "task_display_name": task.task_id,
        "task_id": task.task_id,
        "trigger": None,
        "triggerer_job": None,
        "try_number": task.try_number,
        "unixname": USER_NAME,
    }


def reference_row(run: DagRun, task: TaskInstance) -> dict[str, Any]:
    """Return a task instance as the replies to changes name it."""
    return {
        "dag_id": task.dag_id,
        "dag_run_id": task.run_id,
        "execution_date": stamp(logical_date(run)),
        "task_id": task.task_id,
    }


def dag_row(state: AirflowState, entry: DagEntry) -> dict[str, Any]:
    """Return a DAG; only such that no timetable starts."""
    return {
        "dag_display_name": entry.dag_id,
        "dag_id": entry.dag_id,
        "default_view": "grid",
        "description": entry.dag.description,
        "file_token": file_token(entry),
        "fileloc": entry.file,
        "has_import_errors": has_import_errors(state, entry),
        "has_task_concurrency_limits": False,
        "is_active": not entry.is_gone,
        "is_paused": entry.is_paused,
        "is_subdag": False,
        "last_expired": None,
        "last_parsed_time": stamp(entry.parsed),
        "last_pickled": None,
        "max_active_runs": entry.dag.max_active_runs,
        "max_active_tasks": entry.dag.max_active_tasks,
        "max_consecutive_failed_dag_runs": 0,
        "next_dagrun": None,
        "next_dagrun_create_after": None,
        "next_dagrun_data_interval_end": None,
        "next_dagrun_data_interval_start": None,
        "owners": [entry.dag.owner] if entry.dag.owner else [],
        "pickle_id": None,
        "root_dag_id": None,
        "schedule_interval": None,
        "scheduler_lock": None,
        "tags": [{"name": name} for name in sorted(entry.dag.tags)],
        "timetable_description": "Never, external triggers only",
    }


def task_definition_row(task: Any) -> dict[str, Any]:
    """Return a task of a DAG, from Airflow's own operator; its params and links are not simulated."""
    return {
        "class_ref": {"class_name": task.task_type, "module_path": task.operator_class.__module__},
        "depends_on_past": bool(task.depends_on_past),
        "doc_md": task.doc_md,
        "downstream_task_ids": sorted(task.downstream_task_ids),
        "end_date": stamp(task.end_date),
        "execution_timeout": interval(task.execution_timeout),
        "extra_links": [],
        "is_mapped": type(task) is not task.operator_class,
        "operator_name": task.operator_name,
        "owner": task.owner,
        "params": {},
        "pool": task.pool,
        "pool_slots": float(task.pool_slots),
        "priority_weight": float(task.priority_weight),
        "queue": task.queue,
        "retries": float(task.retries or 0),
        "retry_delay": interval(task.retry_delay),
        "retry_exponential_backoff": bool(task.retry_exponential_backoff),
        "start_date": stamp(task.start_date),
        "task_display_name": task.task_id,
        "task_id": task.task_id,
        "template_fields": list(task.template_fields),
        "trigger_rule": str(task.trigger_rule.value),
        "ui_color": task.ui_color,
        "ui_fgcolor": task.ui_fgcolor,
        "wait_for_downstream": bool(task.wait_for_downstream),
        "weight_rule": "downstream",
    }


def xcom_row(run: DagRun, task: TaskInstance, key: str) -> dict[str, Any]:
    """Return an XCom without its value."""
    return {
        "dag_id": task.dag_id,
        "execution_date": stamp(logical_date(run)),
        "key": key,
        "map_index": task.map_index,
        "task_id": task.task_id,
        "timestamp": stamp(task.end or task.start or run.queued),
    }


def import_error_row(number: int, failure: ImportFailure) -> dict[str, Any]:
    """Return the report of a DAG file that does not import."""
    return {
        "filename": failure.file,
        "import_error_id": number,
        "stack_trace": failure.stack_trace,
        "timestamp": stamp(failure.at),
    }


def variable_row(state: AirflowState, key: str) -> dict[str, Any]:
    """Return a variable, in clear whatever its name (measured)."""
    return {
        "description": state.variable_descriptions.get(key),
        "key": key,
        "value": state.variables[key],
    }
