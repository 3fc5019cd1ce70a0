"""One simulated Airflow: the parts put together, and what may be asked of it from outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner.database import Database
from simulators.dagrunner.executor import Executor
from simulators.dagrunner.installed import VERSION
from simulators.dagrunner.load import Loaded, load_file, load_folder
from simulators.dagrunner.retries import DEFAULT_S
from simulators.dagrunner.scheduler import Scheduler
from simulators.dagrunner.state import (
    RUNNING_STATES,
    AirflowState,
    DagEntry,
    DagRun,
    ImportFailure,
    TaskInstance,
)
from simulators.dagrunner.triggerer import Triggerer
from simulators.dagrunner.variables import connected
from simulators.dagrunner.version import AirflowConf, conf_of
from simulators.dagrunner.weights import total_weight
from simulators.kernel.actors import Actors
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace


class Instance:
    """Airflow, with the DAG files of one folder; what the REST API asks for is `Orders`.

    Args:
        conf: how it behaves; by default as the installed version.
        retries: of tasks whose DAG file gives none, as Airflow's `core.default_task_retries`.
        retry_delay_s: likewise, `core.default_task_retry_delay`.

    Attributes:
        state: what its database holds.
    """

    def __init__(
        self,
        actors: Actors,
        seeds: Seeds,
        trace: Trace,
        *,
        dags: Path,
        users: Mapping[str, str],
        conf: AirflowConf | None = None,
        retries: int = 0,
        retry_delay_s: float = DEFAULT_S,
    ) -> None:
        self.conf = conf or conf_of(VERSION)
        self.version = self.conf.version
        self.state = AirflowState(users=dict(users), dags_folder=str(dags))
        self.database = Database(self.state, actors.agenda, trace, strict_xcoms=self.conf.strict_xcoms)
        self.triggerer = Triggerer(self.database, actors, self.conf, seeds.stream("airflow.triggerer"))
        self.executor = Executor(
            self.database,
            actors,
            self.conf,
            self.triggerer,
            seeds.stream("airflow.executor"),
            trace,
            retry_delay_s,
            retries,
        )
        self.scheduler = Scheduler(
            self.database, self.executor, actors.agenda, self.conf, seeds.stream("airflow.scheduler")
        )
        self._folder = dags
        self._agenda = actors.agenda
        self._draw = seeds.stream("airflow.parser")
        self._retries = retries
        self.reparse_all()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return self.database.now()

    def reparse_all(self) -> None:
        """Read the whole folder of DAG files again."""
        with connected(self.state):
            loaded = load_folder(self._folder)
        for entry in self.state.dags.values():
            entry.is_gone = entry.dag_id not in loaded.dags
        self._take(loaded)

    def reparse(self, file: str) -> None:
        """Read one DAG file again, soon; DAGs that it makes no more are gone then."""
        self.state.parse_requests.add(file)

        def parse() -> None:
            self.state.parse_requests.discard(file)
            loaded = Loaded()
            with connected(self.state):
                load_file(Path(file), loaded)
            for entry in self.state.dags.values():
                entry.is_gone |= entry.file == file and entry.dag_id not in loaded.dags
            self._take(loaded)

        self._agenda.after(self._draw.uniform(*self.conf.parse_s), parse)

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any], user: str) -> DagRun:
        """Add a run; it waits for the scheduler."""
        entry = self.state.dags[dag_id]
        run = DagRun(dag_id, run_id, dict(conf), queued=self.now(), user=user)
        for task in entry.dag.tasks:
            record = TaskInstance(
                dag_id,
                run_id,
                task.task_id,
                max_tries=task.retries or self._retries,
                operator=task.task_type,
                pool=task.pool,
                pool_slots=task.pool_slots,
                priority_weight=total_weight(entry.dag, task),
            )
            run.tasks[record.key] = record
        self.state.runs[dag_id, run_id] = run
        self.database.add_run(run)
        self.scheduler.wake()
        return run

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pause or unpause a DAG: runs of a paused one stay queued."""
        self.state.dags[dag_id].is_paused = is_paused
        self.scheduler.wake()

    def set_run_state(self, run: DagRun, state: RunState) -> None:
        """Mark a run: its running tasks take the state too, the other unfinished ones are skipped (read)."""
        if state is RunState.QUEUED:
            self.database.set_run(run, state)
            return
        if state is RunState.SUCCESS and self.conf.success_marks_all:
            self._mark(run, run.tasks.values(), TaskState.SUCCESS)
        mark = TaskState.FAILED if state is RunState.FAILED else TaskState.SUCCESS
        self._mark(run, [task for task in run.tasks.values() if task.state in RUNNING_STATES], mark)
        left = [task for task in run.tasks.values() if not task.state.is_final]
        self._mark(run, left, TaskState.SKIPPED)
        self.database.set_run(run, state)

    def set_task_state(self, run: DagRun, tasks: Sequence[TaskInstance], state: TaskState) -> None:
        """Mark tasks; those behind them that failed because of them may run again (read)."""
        self._mark(run, tasks, state)
        behind = self._downstream(run, {record.task_id for record in tasks})
        failed = [
            record
            for record in run.tasks.values()
            if record.task_id in behind and record.state in (TaskState.FAILED, TaskState.UPSTREAM_FAILED)
        ]
        self.clear(run, failed)

    def clear(self, run: DagRun, tasks: Sequence[TaskInstance]) -> None:
        """Let tasks run again; a running one is killed first, if this version does that over REST."""
        dag = self.state.dags[run.dag_id].dag
        for record in tasks:
            if record.state is TaskState.RUNNING:
                if self.conf.clear_kills:
                    record.max_tries = record.try_number + self._retries_of(dag, record)
                    self.database.set_task(run, record, TaskState.RESTARTING)
                continue
            record.max_tries = record.try_number + self._retries_of(dag, record)
            record.next_method, record.next_kwargs, record.due_s = None, {}, 0.0
            self.database.set_task(run, record, TaskState.NONE)

    def delete_run(self, run: DagRun) -> None:
        """Forget a run; what runs of it is ended."""
        for record in list(run.tasks.values()):
            if record.state in RUNNING_STATES:
                self.database.set_task(run, record, TaskState.FAILED)
        self.database.remove_run(run)

    def health(self) -> Mapping[str, str | None]:
        """Return which components live."""
        return {
            "scheduler": "healthy" if self.scheduler.is_up else "unhealthy",
            "triggerer": "healthy" if self.triggerer.is_up else "unhealthy",
            # Measured: with 2.11 it lives inside the scheduler, and its status is null.
            "dag_processor": "healthy" if self.conf.has_dag_processor else None,
        }

    def _mark(self, run: DagRun, tasks: Iterable[TaskInstance], state: TaskState) -> None:
        """Set a state by hand: a task that never started then began and ended now (measured)."""
        for record in list(tasks):
            if record.start is None:
                record.start = record.end = self.now()
            self.database.set_task(run, record, state)

    def _take(self, loaded: Loaded) -> None:
        for dag_id, (dag, file) in loaded.dags.items():
            known = self.state.dags.get(dag_id)
            if known is None:
                paused = bool(getattr(dag, "is_paused_upon_creation", None))
                self.state.dags[dag_id] = DagEntry(dag_id, dag, file, paused, created=self.now())
            else:
                known.dag, known.file, known.is_gone = dag, file, False
            self.state.dags[dag_id].parsed = self.now()
        files = {file for _, file in loaded.dags.values()} | set(loaded.errors)
        kept = [failure for failure in self.state.import_errors if failure.file not in files]
        new = [ImportFailure(file, text, self.now()) for file, text in loaded.errors.items()]
        self.state.import_errors = kept + new

    def _retries_of(self, dag: Any, record: TaskInstance) -> int:
        return dag.get_task(record.task_id).retries or self._retries

    def _downstream(self, run: DagRun, of: set[str]) -> set[str]:
        dag = self.state.dags[run.dag_id].dag
        found: set[str] = set()
        todo = list(of)
        while todo:
            for task_id in dag.get_task(todo.pop()).downstream_task_ids:
                if task_id not in found:
                    found.add(task_id)
                    todo.append(task_id)
        return found
