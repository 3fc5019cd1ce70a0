"""The executor: starts tries, takes their reports, and ends those whose task's state was changed."""

from datetime import timedelta
from random import Random
from typing import Any

from lute.airflow_api.models import TaskState
from simulators.dagrunner import expansion
from simulators.dagrunner.attempt import Attempt
from simulators.dagrunner.context import TaskLog
from simulators.dagrunner.database import Database
from simulators.dagrunner.installed import give_log, in_runner
from simulators.dagrunner.load import is_mapped
from simulators.dagrunner.retries import DEFAULT_S, retry_delay_s
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.triggerer import Triggerer
from simulators.dagrunner.version import AirflowConf
from simulators.dagrunner.worker import Outcome, Try
from simulators.kernel.actors import Actors
from simulators.kernel.trace import Trace

_PROCESS_EXIT_S = 0.5
"""From a process's death to its supervisor's report."""


class Executor:
    """Runs the tries of one instance.

    Attributes:
        tries: the processes that live, by identity of their task instance.
    """

    def __init__(
        self,
        database: Database,
        actors: Actors,
        conf: AirflowConf,
        triggerer: Triggerer,
        draw: Random,
        trace: Trace,
        default_retry_delay_s: float = DEFAULT_S,
        default_retries: int = 0,
    ) -> None:
        self.tries: dict[int, Try] = {}
        self._database = database
        self._actors = actors
        self._agenda = actors.agenda
        self._conf = conf
        self._triggerer = triggerer
        self._draw = draw
        self._trace = trace
        self._default_retry_delay_s = default_retry_delay_s
        self._default_retries = default_retries
        self._names: dict[tuple[str, str], str] = {}
        database.on_run.append(self._run_changed)
        database.on_task.append(self._task_changed)

    def start(self, run: DagRun, record: TaskInstance, dag: Any) -> None:
        """Start a queued try, a little later."""
        self._agenda.after(self._draw.uniform(*self._conf.launch_s), lambda: self._begin(run, record, dag))

    def kill_process(self, record: TaskInstance) -> bool:
        """Let the process of a running try die by SIGKILL; its supervisor reports it. False if none runs."""
        running = self.tries.pop(id(record), None)
        if running is None:
            return False
        running.kill()
        run = self._database.state.runs[record.dag_id, record.run_id]
        self._agenda.after(_PROCESS_EXIT_S, lambda: self._failed(run, record, record.try_number))
        return True

    def kill_worker(self, record: TaskInstance) -> bool:
        """Let the host of a running try die: nobody reports, until the scheduler misses its heartbeats."""
        running = self.tries.pop(id(record), None)
        if running is None:
            return False
        running.kill()
        run = self._database.state.runs[record.dag_id, record.run_id]
        checks_s = self._conf.zombie_s + self._draw.uniform(0, self._conf.zombie_check_s)
        number = record.try_number
        self._agenda.after(checks_s, lambda: self._failed(run, record, number))
        return True

    def name_of(self, run: DagRun, record: TaskInstance) -> str:
        """Return the name of a try's actor: the task's label; `label#2` in the second run of the world."""
        return record.label + self._number(run)

    def _run_changed(self, run: DagRun) -> None:
        """Number runs in the order in which they began."""
        self._number(run)

    def _number(self, run: DagRun) -> str:
        """Return what tells a run from the first one."""
        number = len(self._names) + 1
        return self._names.setdefault((run.dag_id, run.run_id), "" if number == 1 else f"#{number}")

    def _begin(self, run: DagRun, record: TaskInstance, dag: Any) -> None:
        if record.state is not TaskState.QUEUED:
            return
        record.hostname = "airflow-worker"
        record.pid = 1000 + len(self._names) * 100 + record.try_number
        self._database.set_task(run, record, TaskState.RUNNING)
        name = self.name_of(run, record)
        # A process that cannot even build its operator fails as one that runs it.
        operator: Any = None
        try:
            arguments = self._arguments(run, record, dag)
            operator = in_runner(dag.get_task(record.task_id), arguments)
            operator.retries = operator.retries or self._default_retries
        except Exception as error:  # noqa: BLE001 - whatever the operator's constructor raises
            self._report(run, record, record.try_number, Outcome.FAILED_TRY, error)
            return

        def log(level: str, text: str) -> None:
            self._log(name, level, text)

        give_log(operator, TaskLog(log))
        attempt = Attempt(run, record, dag, operator, self._database, self._conf, log)
        number = record.try_number
        running: list[Try] = []

        def report(outcome: Outcome, value: Any) -> None:
            if self.tries.get(id(record)) is running[0]:
                del self.tries[id(record)]
            if self._report(run, record, number, outcome, value):
                attempt.call_back()

        running.append(Try(name, self._actors, self._conf, operator, attempt.run, report))
        self.tries[id(record)] = running[0]

    def _arguments(self, run: DagRun, record: TaskInstance, dag: Any) -> dict[str, Any] | None:
        task = dag.get_task(record.task_id)
        if not is_mapped(task):
            return None
        found = expansion.elements(task, lambda task_id, key: self._database.xcom(run, task_id, key))
        return found[record.map_index]

    def _log(self, name: str, level: str, text: str) -> None:
        self._trace.note(self._agenda.now_s, name, "log", level=level, text=text)

    def _report(self, run: DagRun, record: TaskInstance, number: int, outcome: Outcome, value: Any) -> bool:
        """Take the report of a try; return False if its task has moved on meanwhile."""
        name = self.name_of(run, record)
        if isinstance(value, BaseException) and outcome in (Outcome.FAILED, Outcome.FAILED_TRY):
            self._log(name, "ERROR", f"Task failed with exception {type(value).__name__}: {value}")
        if record.state is TaskState.RESTARTING:
            self._again(run, record)
            return False
        if record.state is not TaskState.RUNNING or record.try_number != number:
            return False
        database = self._database
        if outcome is Outcome.SUCCESS:
            database.set_task(run, record, TaskState.SUCCESS)
        elif outcome is Outcome.SKIPPED:
            database.set_task(run, record, TaskState.SKIPPED)
        elif outcome is Outcome.DEFERRED:
            database.set_task(run, record, TaskState.DEFERRED)
            self._triggerer.defer(run, record, value)
        elif outcome is Outcome.RESCHEDULED:
            record.due_s = value.reschedule_date.timestamp()
            database.set_task(run, record, TaskState.UP_FOR_RESCHEDULE)
        elif outcome is Outcome.FAILED:
            database.set_task(run, record, TaskState.FAILED)
        else:
            self._failed(run, record, number)
        return True

    def _failed(self, run: DagRun, record: TaskInstance, number: int) -> None:
        """Fail a try: once more, if it has tries left."""
        if record.state is TaskState.RESTARTING:
            self._again(run, record)
        elif record.state in (TaskState.RUNNING, TaskState.QUEUED) and record.try_number == number:
            if record.try_number <= record.max_tries:
                dag = self._database.state.dags[run.dag_id].dag
                task = dag.get_task(record.task_id)
                date = self._conf.logical_date_of(run.logical_date, run.queued)
                delay_s = retry_delay_s(task, record, self._default_retry_delay_s, logical_date=date)
                record.due_s = self._agenda.now_s + delay_s
                self._database.set_task(run, record, TaskState.UP_FOR_RETRY)
            else:
                self._database.set_task(run, record, TaskState.FAILED)

    def _again(self, run: DagRun, record: TaskInstance) -> None:
        """Let a task that was cleared while it ran start anew."""
        record.due_s = self._agenda.now_s
        record.next_method = None
        self._database.set_task(run, record, TaskState.UP_FOR_RETRY)

    def _task_changed(self, run: DagRun, record: TaskInstance, before: TaskState) -> None:
        """Notice at the next heartbeat that a running task's state was changed by somebody else."""
        running = self.tries.get(id(record))
        if before is not TaskState.RUNNING or running is None:
            return
        name = self.name_of(run, record)

        def notice() -> None:
            if not running.actor.is_over:
                self._log(name, "ERROR", "State of this task was changed from outside: SIGTERM")
                running.terminate()
                running.actor.on_end.append(lambda _actor: self._ended(run, record, running))

        self._agenda.after(self._draw.uniform(0, self._conf.heartbeat_s), notice)

    def _ended(self, run: DagRun, record: TaskInstance, running: Try) -> None:
        if self.tries.get(id(record)) is running:
            del self.tries[id(record)]
        if record.state is TaskState.RESTARTING:
            delay = timedelta(seconds=_PROCESS_EXIT_S)
            self._agenda.after(delay.total_seconds(), lambda: self._failed(run, record, record.try_number))
