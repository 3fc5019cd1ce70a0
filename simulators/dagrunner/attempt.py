"""What one try does inside its process, in the order of Airflow's own task runner."""

from collections.abc import Callable, Mapping
from typing import Any

from lute.airflow_api.models import TaskState
from simulators.dagrunner.context import RETURN_VALUE, RunningTask, context_of
from simulators.dagrunner.database import Database
from simulators.dagrunner.installed import (
    UnmappableXComTypePushed,
    XComForMappingNotPushed,
    run_hook,
)
from simulators.dagrunner.load import is_mapped
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.version import AirflowConf
from simulators.dagrunner.worker import Limit

_CALLBACKS = {
    TaskState.SUCCESS: "on_success_callback",
    TaskState.FAILED: "on_failure_callback",
    TaskState.UP_FOR_RETRY: "on_retry_callback",
    TaskState.SKIPPED: "on_skipped_callback",
}


class Attempt:
    """One try, from rendering its templates to its callbacks.

    Args:
        operator: a copy that only this try uses.
        log: takes level and text of a line.
    """

    def __init__(
        self,
        run: DagRun,
        record: TaskInstance,
        dag: Any,
        operator: Any,
        database: Database,
        conf: AirflowConf,
        log: Callable[[str, str], None],
    ) -> None:
        self._record = record
        self._task = dag.get_task(record.task_id)
        self._operator = operator
        self._database = database
        self._log = log
        self._skip_calls_success = conf.skip_calls_success
        self._used_s = 0.0
        if conf.time_limit_counts_deferral and record.next_method is not None and record.start is not None:
            self._used_s = (database.now() - record.start).total_seconds()
        self._method, self._arguments = record.next_method, dict(record.next_kwargs)
        record.next_method, record.next_kwargs = None, {}
        if self._method is None:
            record.xcoms.clear()  # measured: XComs of the try before are cleared, unless it was deferred
        self._ti = RunningTask(
            record,
            operator,
            put=self._push,
            get=lambda task_id, key: database.xcoms(run, task_id, key),
            skips_missing=conf.pull_skips_missing,
        )
        self._context = context_of(
            run, record, dag, operator, self._ti, conf.logical_date_of(run.logical_date, run.queued)
        )

    def run(self, limited: Limit) -> object:
        """Do it, and return what `execute` returns, or the method that goes on after a deferral.

        Args:
            limited: calls a function under the time limit of `execute`.
        """
        operator, context = self._operator, self._context
        if operator.template_fields:
            operator.render_template_fields(context)
        run_hook(operator, "pre_execute", context)
        self._call_back("on_execute_callback")
        result = limited(self._execute, self._used_s)
        run_hook(operator, "post_execute", context, result)
        self._push_result(result)
        return result

    def call_back(self) -> None:
        """Call what the DAG file wants called in the state that the try has led to."""
        name = _CALLBACKS.get(self._record.state)
        if name is not None:
            self._call_back(name)
        if self._record.state is TaskState.SKIPPED and self._skip_calls_success:
            self._call_back("on_success_callback")

    def _execute(self) -> object:
        if self._method is not None:
            return self._operator.resume_execution(self._method, self._arguments, self._context)
        return self._operator.execute(self._context)

    def _push(self, key: str, value: Any) -> None:
        self._database.put_xcom(self._record, key, value)

    def _push_result(self, result: object) -> None:
        value = result if self._operator.do_xcom_push else None
        if not is_mapped(self._task) and next(self._task.iter_mapped_dependants(), None) is not None:
            if value is None:
                raise XComForMappingNotPushed
            if not isinstance(value, list | tuple | dict):
                raise UnmappableXComTypePushed(value)
        if value is None:
            return
        if getattr(self._operator, "multiple_outputs", False):
            if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
                raise TypeError(f"multiple_outputs expects a dictionary with text as keys, not {value!r}")
            for key, item in value.items():
                self._push(key, item)
        self._push(RETURN_VALUE, value)

    def _call_back(self, name: str) -> None:
        found = getattr(self._operator, name) or ()
        for callback in found if isinstance(found, list | tuple) else [found]:
            try:
                callback(self._context)
            except Exception as error:  # noqa: BLE001 - Airflow, too, only logs it
                self._log("ERROR", f"{name} failed: {type(error).__name__}: {error}")
