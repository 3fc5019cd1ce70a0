"""What the REST API may ask of the rest of Airflow."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.state import AirflowState, DagRun, TaskInstance


class Orders(Protocol):
    """Airflow as its web or API server sees it: a database to read, and changes to ask for.

    The caller checks beforehand that what is named is there and that the change is one that Airflow allows.

    Attributes:
        state: the database. The service itself changes only variables, notes and the dates of new runs.
        version: as Airflow writes it, "2.11.2" or "3.3.2".
    """

    state: AirflowState
    version: str

    def now(self) -> datetime:
        """Return the time in UTC."""

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any], user: str) -> DagRun:
        """Add a run, queued. Nothing of it starts at once, so that the caller may still set its dates."""

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pause or unpause a DAG."""

    def set_run_state(self, run: DagRun, state: RunState) -> None:
        """Mark a run as ended, or queue it again.

        Measured: a run that is queued again loses `start` and `end` and keeps its tasks as they are. In one
        that is marked failed, running tasks fail and other unfinished ones are skipped. In one that is marked
        success, 2.11 marks all tasks, even failed ones; 3.3 leaves those that have ended. A task that never
        started has the moment of the mark as `start` and `end`.
        """

    def delete_run(self, run: DagRun) -> None:
        """Forget a run with its tasks; what of it is running is ended."""

    def set_task_state(self, run: DagRun, tasks: Sequence[TaskInstance], state: TaskState) -> None:
        """Mark tasks. Measured: failed tasks behind them become as if they had never run.

        A task that never started has the moment of the mark as `start` and `end`.
        """

    def clear(self, run: DagRun, tasks: Sequence[TaskInstance]) -> None:
        """Let tasks run again. The run's own state is not touched: the caller asks for that, too."""

    def reparse(self, file: str) -> None:
        """Read a DAG file soon; until that is done it is in `state.parse_requests`."""

    def health(self) -> Mapping[str, str | None]:
        """Return "healthy", "unhealthy" or None (absent) of scheduler, triggerer and dag_processor."""
