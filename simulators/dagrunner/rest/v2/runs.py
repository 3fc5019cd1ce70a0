"""DAG runs in v2."""

import re
from typing import Any

from lute.airflow_api.models import RunState
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.rest import selection
from simulators.dagrunner.rest.call import Call, Work
from simulators.dagrunner.rest.rowcache import RunCache
from simulators.dagrunner.rest.v2 import rows
from simulators.dagrunner.rest.v2.bodies import RUN_STATES, Trigger, crash, refusal
from simulators.dagrunner.rest.v2.dags import conflict
from simulators.dagrunner.rest.v2.queries import NO_CURSORS, ordered, page_of, states_of
from simulators.dagrunner.state import DagRun
from simulators.net.messages import HttpReply

_RUN_ID = re.compile(r"^[A-Za-z0-9_.~:+-]+$")
_MADE_RUN_ID = r"^(?:manual|scheduled|asset_triggered)__(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00)$"
_ORDERS = (
    "id",
    "state",
    "dag_id",
    "run_id",
    "dag_run_id",
    "logical_date",
    "run_after",
    "start_date",
    "end_date",
)


def no_run(dag_id: str, run_id: str) -> str:
    """Return the words for a run that there is not."""
    return f"The DagRun with dag_id: `{dag_id}` and run_id: `{run_id}` was not found"


class RunsV2:
    """Answers what concerns runs."""

    def __init__(self, orders: Orders, cache: RunCache) -> None:
        self._orders = orders
        self._state = orders.state
        self._cache = cache
        self.works: dict[str, Work] = {
            "trigger": self.trigger,
            "list_runs": self.list_runs,
            "get_run": self.get_run,
            "patch_run": self.patch_run,
            "delete_run": self.delete_run,
        }

    def trigger(self, call: Call) -> HttpReply:
        """POST /dags/{dag_id}/dagRuns."""
        body: Trigger = call.body
        entry = self._state.dags.get(call.params[0])
        if entry is None or entry.is_gone:
            raise refusal(404, f"Dag with dag_id: '{call.params[0]}' not found")
        if selection.has_import_errors(self._state, entry):
            raise refusal(400, f"Dag with dag_id: '{entry.dag_id}' has import errors and cannot be triggered")
        run_after = body.run_after or self._orders.now()
        run_id = body.dag_run_id or f"manual__{(body.logical_date or run_after).isoformat()}"
        if not _RUN_ID.match(run_id):
            patterns = f"'{_RUN_ID.pattern}' or '{_MADE_RUN_ID}'"
            raise refusal(400, f"The run_id provided '{run_id}' does not match regex pattern {patterns}")
        if ".." in run_id:
            raise refusal(400, f"The run_id '{run_id}' must not contain '..' to prevent path traversal")
        conf = body.conf or {}
        _check_text([conf, body.note])
        if self._state.run(entry.dag_id, run_id) is not None:
            return conflict()
        if body.logical_date is not None:  # nulls do not collide
            runs = selection.runs_of(self._state, entry.dag_id)
            if any(run.logical_date == body.logical_date for run in runs):
                return conflict()
        run = self._orders.trigger(entry.dag_id, run_id, conf, call.user)
        run.logical_date, run.run_after, run.note = body.logical_date, run_after, body.note
        return self._reply(run)

    def list_runs(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/dagRuns."""
        dag_id = call.params[0]
        states = states_of(call.route, RUN_STATES, none=False)
        if dag_id != selection.ANY and dag_id not in self._state.dags:
            raise refusal(404, f"The Dag with ID: `{dag_id}` was not found")
        found = [
            rows.run_row(run, self._state.dags.get(run.dag_id))
            for run in selection.runs_of(self._state, dag_id)
            if not states or run.state in states
        ]
        found = ordered(call.route, found, _ORDERS, {"run_id": "dag_run_id"})
        shown = page_of(call.route).cut(found)
        return rows.reply({"dag_runs": shown, "total_entries": len(found)} | NO_CURSORS)

    def get_run(self, call: Call) -> HttpReply:
        """GET /dags/{dag_id}/dagRuns/{run_id}."""
        return HttpReply(200, self._cache.run(self._run(call)))

    def patch_run(self, call: Call) -> HttpReply:
        """PATCH /dags/{dag_id}/dagRuns/{run_id}: mark it, write a note at it, or neither."""
        run = self._run(call)
        if "note" in call.body.model_fields_set:
            run.note = call.body.note
        if call.body.state is not None:
            self._orders.set_run_state(run, RunState(call.body.state.value))
        return self._reply(run)

    def delete_run(self, call: Call) -> HttpReply:
        """DELETE /dags/{dag_id}/dagRuns/{run_id}, but not a running one."""
        run = self._run(call)
        if run.state is RunState.RUNNING:
            named = f"The DagRun with dag_id: `{run.dag_id}` and run_id: `{run.run_id}`"
            raise refusal(409, f"{named} cannot be deleted in {run.state} state")
        self._orders.delete_run(run)
        return HttpReply(204)

    def _run(self, call: Call) -> DagRun:
        run = self._state.run(*call.params)
        if run is None:
            raise refusal(404, no_run(*call.params))
        return run

    def _reply(self, run: DagRun) -> HttpReply:
        return rows.reply(rows.run_row(run, self._state.dags.get(run.dag_id)))


def _check_text(value: Any) -> None:
    """Fail as Airflow does over text that UTF-8 cannot hold: halves of surrogate pairs."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise crash() from error
        case dict():
            _check_text([*value, *value.values()])
        case list():
            for held in value:
                _check_text(held)
