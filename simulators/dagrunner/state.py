"""What Airflow's database holds: DAGs, runs, task instances, XComs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lute.airflow_api.models import RunState, TaskState

TaskKey = tuple[str, int]
"""task_id and map_index (-1 for a task that is not mapped)."""

RUNNING_STATES = frozenset({TaskState.RUNNING, TaskState.DEFERRED, TaskState.UP_FOR_RESCHEDULE})
"""States that `mark run failed` turns into failed; the other unfinished ones are skipped (both versions)."""


@dataclass
class TaskInstance:
    """One task of one run.

    Attributes:
        try_number: 0 before the first try; counts from 1 when a try is scheduled.
        max_tries: the number of the last try less one, as Airflow counts: `retries` of the operator at first.
        next_method: what runs when a deferred task goes on; None at the start of a try.
        due_s: when a task that waits for its retry or reschedule may go on, in POSIX seconds.
        scheduled: when its last try was scheduled; only v2 of the REST API shows it.
        logs: what its tries wrote, by try_number.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    state: TaskState = TaskState.NONE
    try_number: int = 0
    max_tries: int = 0
    start: datetime | None = None
    end: datetime | None = None
    queued: datetime | None = None
    operator: str = ""
    pool: str = "default_pool"
    pool_slots: int = 1
    priority_weight: int = 1
    hostname: str = ""
    pid: int | None = None
    next_method: str | None = None
    next_kwargs: Mapping[str, Any] = field(default_factory=dict)
    due_s: float = 0.0
    xcoms: dict[str, Any] = field(default_factory=dict)
    scheduled: datetime | None = None
    note: str | None = None
    logs: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> TaskKey:
        """Which task of its run it is."""
        return self.task_id, self.map_index

    @property
    def label(self) -> str:
        """The name a user knows it by."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


@dataclass
class DagRun:
    """One run of one DAG.

    Attributes:
        tasks: by task_id and map_index, in the order of the DAG file; a mapped task that is not expanded
            yet has the map_index -1.
        logical_date: what the request that started it names; with v1, which knows no run without one, else
            the time of the request.
        run_after: not to be started before; v2 only.
        decided: when the scheduler last looked at it.
    """

    dag_id: str
    run_id: str
    conf: dict[str, Any]
    queued: datetime
    state: RunState = RunState.QUEUED
    start: datetime | None = None
    end: datetime | None = None
    user: str = ""
    tasks: dict[TaskKey, TaskInstance] = field(default_factory=dict)
    logical_date: datetime | None = None
    run_after: datetime | None = None
    decided: datetime | None = None
    note: str | None = None


@dataclass
class DagEntry:
    """A DAG file that was imported.

    Attributes:
        dag: Airflow's own DAG object.
        is_gone: its file was removed.
        created: when its file was first imported.
        parsed: when it was last imported.
    """

    dag_id: str
    dag: Any
    file: str
    is_paused: bool = False
    is_gone: bool = False
    created: datetime | None = None
    parsed: datetime | None = None


@dataclass
class ImportFailure:
    """A DAG file that could not be imported."""

    file: str
    stack_trace: str
    at: datetime


@dataclass
class AirflowState:
    """Everything that the instance remembers.

    Attributes:
        users: name -> password.
        variables: as the Variables page shows them.
        variable_descriptions: of those that have one.
        pools: name -> slots.
        dags_folder: where the DAG files lie; their paths in v2 are relative to it.
        parse_requests: DAG files that are to be read again and were not yet.
    """

    dags: dict[str, DagEntry] = field(default_factory=dict)
    runs: dict[tuple[str, str], DagRun] = field(default_factory=dict)
    import_errors: list[ImportFailure] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=lambda: {"default_pool": 128})
    users: dict[str, str] = field(default_factory=dict)
    variable_descriptions: dict[str, str] = field(default_factory=dict)
    dags_folder: str = ""
    parse_requests: set[str] = field(default_factory=set)

    def run(self, dag_id: str, run_id: str) -> DagRun | None:
        """Return a run, None if there is none."""
        return self.runs.get((dag_id, run_id))
