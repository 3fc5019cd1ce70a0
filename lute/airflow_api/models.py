"""What Airflow tells, in one form for both versions of its API."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class RunState(StrEnum):
    """States of a DAG run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """True once the run has ended."""
        return self in (RunState.SUCCESS, RunState.FAILED)


class TaskState(StrEnum):
    """States of a task instance, of Airflow 2.11 and 3.3."""

    NONE = "none"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    RESTARTING = "restarting"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    REMOVED = "removed"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"

    @property
    def is_final(self) -> bool:
        """True once the task instance will not run (again) by itself."""
        return self in _FINAL

    @property
    def is_underway(self) -> bool:
        """True while the task itself is at work, so that its run cannot have ended."""
        return self in _UNDERWAY

    @property
    def has_log(self) -> bool:
        """True where a try has just ended, so that there is a log to collect."""
        return self in (TaskState.SUCCESS, TaskState.FAILED, TaskState.UP_FOR_RETRY)


_UNDERWAY = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.RESTARTING, TaskState.DEFERRED})
_FINAL = frozenset(
    {TaskState.SUCCESS, TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.SKIPPED, TaskState.REMOVED}
)


@dataclass(frozen=True)
class Dag:
    """A DAG as Airflow has parsed it."""

    dag_id: str
    is_paused: bool


@dataclass(frozen=True)
class ImportErrorReport:
    """A DAG file that Airflow could not import."""

    filename: str
    reason: str


@dataclass(frozen=True)
class TaskInstance:
    """One task of one DAG run.

    Attributes:
        map_index: -1 for a task that is not mapped.
        try_number: 0 before the first try.
        started: when its last try began, None before that.
        ended: when its last try ended, None before that.
    """

    task_id: str
    map_index: int
    state: TaskState
    try_number: int
    started: datetime | None = field(default=None, compare=False)
    ended: datetime | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """The name a user knows it by."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"
