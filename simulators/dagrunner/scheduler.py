"""The scheduler: starts runs, decides which tasks may run, hands them to the executor, ends runs."""

from random import Random
from typing import Any

from lute.airflow_api.models import RunState, TaskState
from simulators.dagrunner import expansion
from simulators.dagrunner.database import Database
from simulators.dagrunner.executor import Executor
from simulators.dagrunner.load import is_mapped
from simulators.dagrunner.rules import Upstream, judge
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.version import AirflowConf
from simulators.kernel.events import Agenda, Event

_OCCUPYING = (TaskState.QUEUED, TaskState.RUNNING)
_UNDECIDED = (TaskState.NONE, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE)
_WAITING = (TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE)
_GOOD = (TaskState.SUCCESS, TaskState.SKIPPED)
_BAD = (TaskState.FAILED, TaskState.UPSTREAM_FAILED)


class Scheduler:
    """Looks at everything a little after each change, as the real loop does within a second.

    Attributes:
        is_up: False while no scheduler runs; tries that run go on without it.
    """

    def __init__(
        self, database: Database, executor: Executor, agenda: Agenda, conf: AirflowConf, draw: Random
    ) -> None:
        self.is_up = True
        self._database = database
        self._state = database.state
        self._executor = executor
        self._agenda = agenda
        self._conf = conf
        self._draw = draw
        self._planned: Event | None = None
        self._alarm: Event | None = None
        database.on_change.append(self.wake)

    def wake(self) -> None:
        """Look soon."""
        if self._planned is None and self.is_up:
            self._planned = self._agenda.after(self._draw.uniform(*self._conf.loop_s), self._look)

    def stop(self) -> None:
        """Let no scheduler run."""
        self.is_up = False
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def start(self) -> None:
        """Let the scheduler run again."""
        self.is_up = True
        self.wake()

    def _look(self) -> None:
        self._planned = None
        for run in list(self._state.runs.values()):
            if run.state is RunState.QUEUED:
                self._start(run)
            if run.state is RunState.RUNNING:
                self._schedule(run)
        self._queue()
        self._plan_alarm()

    def _start(self, run: DagRun) -> None:
        entry = self._state.dags.get(run.dag_id)
        if entry is None or entry.is_paused or entry.is_gone:
            return
        active = [
            other
            for other in self._state.runs.values()
            if other.dag_id == run.dag_id and other.state is RunState.RUNNING
        ]
        if len(active) < (entry.dag.max_active_runs or 16):
            self._database.set_run(run, RunState.RUNNING)

    def _schedule(self, run: DagRun) -> None:
        """Let every task of a run take the state that its upstream gives it, then see whether it is over."""
        dag = self._state.dags[run.dag_id].dag
        run.decided = self._database.now()
        changed = True
        while changed:
            changed = False
            for record in [found for found in run.tasks.values() if found.state in _UNDECIDED]:
                changed |= self._consider(run, record, dag.get_task(record.task_id))
        self._judge(run, dag)

    def _consider(self, run: DagRun, record: TaskInstance, task: Any) -> bool:
        """Move one task on, if it may; return whether it changed."""
        waits = record.state in _WAITING
        if record.state is not TaskState.NONE and not (waits and record.due_s <= self._agenda.now_s):
            return False
        upstream = Upstream.of(
            found.state for (name, _), found in run.tasks.items() if name in task.upstream_task_ids
        )
        verdict = judge(str(getattr(task.trigger_rule, "value", task.trigger_rule)), upstream)
        if isinstance(verdict, TaskState):
            self._database.set_task(run, record, verdict)
            return True
        if not verdict:
            return False
        if is_mapped(task) and record.map_index < 0:
            return self._expand(run, record, task)
        if record.state is not TaskState.UP_FOR_RESCHEDULE:
            record.try_number += 1
        if task.inherits_from_empty_operator and not (
            task.on_execute_callback or task.on_success_callback or task.outlets
        ):
            # Airflow ends such tasks in the scheduler itself.
            self._database.set_task(run, record, TaskState.SUCCESS)
        else:
            self._database.set_task(run, record, TaskState.SCHEDULED)
        return True

    def _expand(self, run: DagRun, record: TaskInstance, task: Any) -> bool:
        """Replace a mapped task by its elements."""
        try:
            count = len(expansion.elements(task, lambda task_id, key: self._database.xcom(run, task_id, key)))
        except expansion.NotYet:
            self._database.set_task(run, record, TaskState.UPSTREAM_FAILED)
            return True
        if count == 0:
            self._database.set_task(run, record, TaskState.SKIPPED)
            return True
        del run.tasks[record.key]
        for index in range(count):
            element = TaskInstance(
                record.dag_id,
                record.run_id,
                record.task_id,
                index,
                max_tries=record.max_tries,
                operator=record.operator,
                pool=record.pool,
                pool_slots=record.pool_slots,
                priority_weight=record.priority_weight,
            )
            run.tasks[element.key] = element
        return True

    def _judge(self, run: DagRun, dag: Any) -> None:
        """End a run that has nothing left to do: it failed if one of its last tasks did."""
        states = [record.state for record in run.tasks.values()]
        if not all(state.is_final for state in states):
            return
        leaves = {task.task_id for task in dag.tasks if not task.downstream_task_ids}
        ends = [
            record.state
            for (name, _), record in run.tasks.items()
            if name in leaves and record.state is not TaskState.REMOVED
        ]
        if any(state in _BAD for state in ends):
            self._database.set_run(run, RunState.FAILED)
        elif all(state in _GOOD for state in ends):
            self._database.set_run(run, RunState.SUCCESS)

    def _queue(self) -> None:
        """Hand scheduled tasks to the executor, the weightiest first, as far as limits allow."""
        running = [
            (run, record)
            for run in self._state.runs.values()
            for record in run.tasks.values()
            if record.state in _OCCUPYING
        ]
        free = self._conf.parallelism - len(running)
        slots = dict(self._state.pools)
        active: dict[str, int] = {}
        for run, record in running:
            slots[record.pool] = slots.get(record.pool, 0) - record.pool_slots
            active[run.dag_id] = active.get(run.dag_id, 0) + 1
        ready = [
            (run, record)
            for run in self._state.runs.values()
            if run.state is RunState.RUNNING and not self._state.dags[run.dag_id].is_paused
            for record in run.tasks.values()
            if record.state is TaskState.SCHEDULED
        ]
        ready.sort(key=lambda pair: -pair[1].priority_weight)
        for run, record in ready:
            dag = self._state.dags[run.dag_id].dag
            if free <= 0:
                break
            if slots.get(record.pool, 0) < record.pool_slots:
                continue
            if active.get(run.dag_id, 0) >= (dag.max_active_tasks or 16):
                continue
            free -= 1
            slots[record.pool] -= record.pool_slots
            active[run.dag_id] = active.get(run.dag_id, 0) + 1
            self._database.set_task(run, record, TaskState.QUEUED)
            self._executor.start(run, record, dag)

    def _plan_alarm(self) -> None:
        """Look again when the first retry or reschedule is due."""
        due = [
            record.due_s
            for run in self._state.runs.values()
            if run.state is RunState.RUNNING
            for record in run.tasks.values()
            if record.state in _WAITING and record.due_s > self._agenda.now_s
        ]
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due:
            self._alarm = self._agenda.at(min(due), self.wake)
