"""DAG runs in v1."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lute.airflow_api.models import RunState
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v1 import rows
from simulators.dagrunner.rest.v1.checks import SCHEMAS, crash, load, problem, time_of
from simulators.dagrunner.rest.v1.lists import listed
from simulators.net.messages import HttpReply

_RUN_ID = re.compile(r"^[A-Za-z0-9_.~:+-]+$")
"""[scheduler] allowed_run_id_pattern."""
_RUN_ID_LENGTH = 250
_MICROSECOND = timedelta(microseconds=1)


class RunsV1:
    """Answers what concerns runs."""

    def __init__(self, orders: Orders, cache: RunCache) -> None:
        self._orders = orders
        self._state = orders.state
        self._cache = cache
        self._last_dates: dict[str, datetime] = {}
        self.works: dict[str, Work] = {
            "trigger": self.trigger,
            "list_runs": self.list_runs,
            "get_run": self.get_run,
            "patch_run": self.patch_run,
            "delete_run": self.delete_run,
        }

    def trigger(self, call: Call) -> HttpReply:
        """POST /dags/{dag_id}/dagRuns."""
        entry = self._state.dags.get(call.params[0])
        if entry is None or entry.is_gone:
            raise problem(404, f"DAG with dag_id: '{call.params[0]}' not found", title="DAG not found")
        if selection.has_import_errors(self._state, entry):
            raise problem(
                400, f"DAG with dag_id: '{entry.dag_id}' has import errors", title="DAG cannot be triggered"
            )
        asked_date = _asked_date(call.body)
        date = asked_date or self._now(entry.dag_id)
        run_id = call.body.get("dag_run_id") or f"manual__{date.isoformat()}"
        named = f"DAGRun with DAG ID: '{entry.dag_id}' and "
        if asked_date is not None and self._has_date(entry.dag_id, asked_date):
            raise problem(409, f"{named}DAGRun logical date: '{date.isoformat(sep=' ')}' already exists")
        if self._state.run(entry.dag_id, run_id) is not None:
            raise problem(409, f"{named}DAGRun ID: '{run_id}' already exists")
        if not _RUN_ID.match(run_id):
            raise crash()  # an exception that nothing catches (measured)
        run = self._orders.trigger(entry.dag_id, run_id, call.body.get("conf") or {}, call.user)
        run.logical_date, run.note = date, call.body.get("note")
        return rows.reply(rows.run_row(run))

    def list_runs(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/dagRuns."""
        states = [state for text in call.route.all("state") for state in text.split(",")]
        found = [
            rows.run_row(run)
            for run in selection.runs_of(self._state, call.params[0])
            if not states or run.state in states
        ]
        return listed(call.route, "dag_runs", found)

    def get_run(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/dagRuns/{run_id}."""
        run = self._state.run(*call.params)
        if run is None:
            raise problem(404, _no_run(*call.params), title="DAGRun not found")
        return HttpReply(200, self._cache.run(run))

    def patch_run(self, call: Call) -> HttpReply:
        """PATCH /dags/{dag_id}/dagRuns/{run_id}: mark it."""
        run = self._state.run(*call.params)
        if run is None:
            raise problem(404, title=f"Dag Run id {call.params[1]} not found in dag {call.params[0]}")
        load(call.body, SCHEMAS["patch_run"])
        if "state" not in call.body:
            raise crash()
        self._orders.set_run_state(run, RunState(call.body["state"]))
        return rows.reply(rows.run_row(run))

    def delete_run(self, call: Call) -> HttpReply:
        """DELETE /dags/{dag_id}/dagRuns/{run_id}, even a running one."""
        run = self._state.run(*call.params)
        if run is None:
            raise problem(404, _no_run(*call.params))
        self._orders.delete_run(run)
        return HttpReply(204)

    def _has_date(self, dag_id: str, date: datetime) -> bool:
        return any(rows.logical_date(run) == date for run in selection.runs_of(self._state, dag_id))

    def _now(self, dag_id: str) -> datetime:
        """Return the present as a logical date, later than the last although virtual time may stand still."""
        last = self._last_dates.get(dag_id)
        now = self._orders.now()
        date = now if last is None or now > last else last + _MICROSECOND
        self._last_dates[dag_id] = date
        return date


def _asked_date(given: Mapping[str, Any]) -> datetime | None:
    """Check what is wanted of a run and return the logical date that it names, if it does.

    A data interval that it names is not kept (simplified).
    """
    body = dict(given)
    if "execution_date" in body:
        other = body.pop("execution_date")
        if body.setdefault("logical_date", other) != other:
            detail = f"{body['logical_date']!r} != {other!r}"
            raise problem(400, detail, title="logical_date conflicts with execution_date")
    wrong = []
    if len(body.get("dag_run_id") or "") > _RUN_ID_LENGTH:
        wrong.append(("dag_run_id", f"Longer than maximum length {_RUN_ID_LENGTH}."))
    load(body, SCHEMAS["trigger"], wrong)
    if (body.get("data_interval_start") is None) != (body.get("data_interval_end") is None):
        message = "Both 'data_interval_start' and 'data_interval_end' must be specified together"
        raise problem(400, str({"_schema": [message]}))
    return time_of(body["logical_date"]) if "logical_date" in body else None


def _no_run(dag_id: str, run_id: str) -> str:
    return f"DAGRun with DAG ID: '{dag_id}' and DagRun ID: '{run_id}' not found"
