"""Changing what Airflow's database holds, so that everybody concerned hears of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.context import RETURN_VALUE, checked_xcom
from simulators.dagrunner.state import AirflowState, DagRun, TaskInstance
from simulators.kernel.events import Agenda
from simulators.kernel.trace import Trace


class Database:
    """The state of one instance, and the only way to change states in it.

    Attributes:
        on_change: called after each change of a run's or a task's state.
        on_task: called with run, task and its state before.
        on_run: called with a run.
        on_xcom: called with task and key of each XCom.
    """

    def __init__(self, state: AirflowState, agenda: Agenda, trace: Trace, *, strict_xcoms: bool) -> None:
        self.state = state
        self.on_change: list[Callable[[], None]] = []
        self.on_task: list[Callable[[DagRun, TaskInstance, TaskState], None]] = []
        self.on_run: list[Callable[[DagRun], None]] = []
        self.on_xcom: list[Callable[[TaskInstance, str], None]] = []
        self._agenda = agenda
        self._trace = trace
        self._strict_xcoms = strict_xcoms

    @property
    def now_s(self) -> float:
        """The time in POSIX seconds."""
        return self._agenda.now_s

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.fromtimestamp(self._agenda.now_s, UTC)

    def set_run(self, run: DagRun, state: RunState) -> None:
        """Change a run's state."""
        if run.state is state:
            return
        run.state = state
        if state is RunState.RUNNING:
            run.start = self.now()
        run.end = self.now() if state.is_final else None
        self._note_run(run)
        for tell in self.on_run:
            tell(run)
        self._changed()

    def add_run(self, run: DagRun) -> None:
        """Tell everybody of a new run."""
        self._note_run(run)
        for tell in self.on_run:
            tell(run)
        self._changed()

    def remove_run(self, run: DagRun) -> None:
        """Forget a run."""
        del self.state.runs[run.dag_id, run.run_id]
        self._note_run(run, "deleted")
        for tell in self.on_run:
            tell(run)
        self._changed()

    def _note_run(self, run: DagRun, state: str = "") -> None:
        self._trace.note(
            self.now_s,
            "airflow",
            "run",
            dag_id=run.dag_id,
            run_id=run.run_id,
            state=state or str(run.state),
        )

    def set_task(self, run: DagRun, task: TaskInstance, state: TaskState) -> None:
        """Change a task's state."""
        before = task.state
        if before is state:
            return
        task.state = state
        if state is TaskState.SCHEDULED:
            task.scheduled = self.now()
        elif state is TaskState.QUEUED:
            task.queued = self.now()
        elif state is TaskState.RUNNING:
            task.end = None
            if task.next_method is None:  # a deferred task that goes on keeps its start
                task.start = self.now()
        elif state.is_final or state is TaskState.UP_FOR_RETRY:
            task.end = self.now()
        self._trace.note(
            self.now_s,
            "airflow",
            "task",
            dag_id=run.dag_id,
            run_id=run.run_id,
            task=task.label,
            state=str(state),
            **{"try": task.try_number},
        )
        for tell in self.on_task:
            tell(run, task, before)
        self._changed()

    def put_xcom(self, task: TaskInstance, key: str, value: Any) -> None:
        """Store an XCom.

        Raises:
            TypeError, ValueError, XComRefused: the value cannot be stored.
        """
        task.xcoms[key] = checked_xcom(value, strict=self._strict_xcoms)
        for tell in self.on_xcom:
            tell(task, key)

    def xcom(self, run: DagRun, task_id: str, key: str = RETURN_VALUE) -> Any:
        """Return what a task pushed, a list of all if it is mapped, None if nothing."""
        found = [task for (name, _), task in run.tasks.items() if name == task_id]
        if any(task.map_index >= 0 for task in found):
            return [task.xcoms.get(key) for task in found if key in task.xcoms]
        return found[0].xcoms.get(key) if found else None

    def xcoms(self, run: DagRun, task_id: str, key: str) -> list[tuple[int, Any]]:
        """Return all that a task pushed under a key, by map index."""
        return [
            (task.map_index, task.xcoms[key])
            for (name, _), task in run.tasks.items()
            if name == task_id and key in task.xcoms
        ]

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()
