"""The triggerer: runs the triggers of deferred tasks in one asyncio loop, in virtual time."""

import asyncio
import importlib
import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace
from typing import Any

from lute.airflow_api.models import TaskState
from simulators.dagrunner.database import Database
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.version import AirflowConf
from simulators.kernel.actors import Actors
from simulators.kernel.aio import AsyncActor, Submitted
from simulators.kernel.events import Event

USER_ACTION = "__airflow_user_action__"
"""What 3.3 gives to the CancelledError of a trigger whose task a user ended (measured)."""
_ON_KILL_LIMIT_S = 30.0
"""Airflow's `triggerer.on_kill_timeout`."""
_RESTART_S = 11.0
"""From a triggerer's end to its triggers running in the next one (measured)."""


@dataclass
class _Watch:
    """One deferred task and its trigger."""

    run: DagRun
    record: TaskInstance
    number: int
    deferred: Any
    path: str
    arguments: Mapping[str, Any]
    running: Submitted[None] | None = None
    alarm: Event | None = None


class Triggerer:
    """Runs triggers; each is made anew from what it serialises, as in the real one.

    Attributes:
        is_up: False while no triggerer runs; its tasks stay deferred.
    """

    def __init__(self, database: Database, actors: Actors, conf: AirflowConf, draw: Random) -> None:
        self.is_up = True
        self._database = database
        self._actors = actors
        self._agenda = actors.agenda
        self._conf = conf
        self._draw = draw
        self._loop: AsyncActor | None = None
        self._watches: dict[int, _Watch] = {}
        database.on_task.append(self._task_changed)

    def defer(self, run: DagRun, record: TaskInstance, deferred: Any) -> None:
        """Take over a task that deferred itself."""
        path, arguments = deferred.trigger.serialize()
        watch = _Watch(run, record, record.try_number, deferred, path, arguments)
        self._watches[id(record)] = watch
        if deferred.timeout is not None:
            limit_s = deferred.timeout.total_seconds() + self._draw.uniform(0, self._conf.timeout_check_s)
            watch.alarm = self._agenda.after(limit_s, lambda: self._out_of_time(watch))
        self._agenda.after(self._poll_s(), lambda: self._begin(watch))

    def stop(self) -> None:
        """End the triggerer (SIGTERM): its triggers are cancelled, their tasks stay deferred."""
        self.is_up = False
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        for watch in self._watches.values():
            watch.running = None

    def start(self) -> None:
        """Start a triggerer again; it takes the deferred tasks up a little later."""
        self.is_up = True
        for watch in self._watches.values():
            self._agenda.after(_RESTART_S, lambda watch=watch: self._begin(watch))  # type: ignore[misc]

    def _begin(self, watch: _Watch) -> None:
        if not self.is_up or watch.running is not None or self._watches.get(id(watch.record)) is not watch:
            return
        if self._loop is None:
            self._loop = AsyncActor(self._actors, "triggerer")
        watch.running = self._loop.submit(self._run(watch), name=watch.record.label)

    async def _run(self, watch: _Watch) -> None:
        """Run a trigger to its first event."""
        trigger: Any = None
        try:
            trigger = self._make(watch)
            async for event in trigger.run():
                self._resume(watch, event)
                return
            self._fail(watch, "Trigger failure", ["Trigger exited without sending an event."])
        except asyncio.CancelledError as cancelled:
            if cancelled.args and self._conf.trigger_has_on_kill:
                async with asyncio.timeout(_ON_KILL_LIMIT_S):
                    await trigger.on_kill()
            raise
        except Exception:  # noqa: BLE001 - whatever a trigger raises fails its task
            self._fail(watch, "Trigger failure", traceback.format_exc().splitlines())
        finally:
            if trigger is not None:
                await trigger.cleanup()

    def _make(self, watch: _Watch) -> Any:
        module, _, name = watch.path.rpartition(".")
        trigger = getattr(importlib.import_module(module), name)(**watch.arguments)
        record = watch.record
        trigger.task_instance = SimpleNamespace(
            dag_id=record.dag_id,
            run_id=record.run_id,
            task_id=record.task_id,
            map_index=record.map_index,
            try_number=record.try_number,
            state=str(TaskState.DEFERRED),
        )
        return trigger

    def _resume(self, watch: _Watch, event: Any) -> None:
        ended = getattr(event, "task_instance_state", None)
        if ended is not None:  # a trigger may end its task without a worker
            self._end(watch, TaskState(str(ended)), event.xcoms or {})
            return
        arguments = {**(watch.deferred.kwargs or {}), "event": event.payload}
        self._go_on(watch, watch.deferred.method_name, arguments)

    def _end(self, watch: _Watch, state: TaskState, xcoms: Mapping[str, Any]) -> None:
        if self._watches.get(id(watch.record)) is not watch:
            return
        self._forget(watch)
        for key, value in xcoms.items():
            stored = json.dumps(value) if self._conf.end_event_quotes_xcoms else value
            self._database.put_xcom(watch.record, key, stored)
        self._database.set_task(watch.run, watch.record, state)

    def _fail(self, watch: _Watch, error: str, lines: list[str]) -> None:
        self._go_on(watch, "__fail__", {"error": error, "traceback": lines})

    def _out_of_time(self, watch: _Watch) -> None:
        if self._watches.get(id(watch.record)) is watch:
            running = watch.running
            self._go_on(watch, "__fail__", {"error": "Trigger timeout"})
            if running is not None:
                running.cancel()

    def _go_on(self, watch: _Watch, method: str, arguments: dict[str, Any]) -> None:
        """Let a worker go on with the task."""
        if self._watches.get(id(watch.record)) is not watch:
            return
        self._forget(watch)
        watch.record.next_method, watch.record.next_kwargs = method, arguments
        self._database.set_task(watch.run, watch.record, TaskState.SCHEDULED)

    def _forget(self, watch: _Watch) -> None:
        self._watches.pop(id(watch.record), None)
        if watch.alarm is not None:
            watch.alarm.cancel()

    def _task_changed(self, _run: DagRun, record: TaskInstance, before: TaskState) -> None:
        """Cancel the trigger of a task that somebody else moved on."""
        watch = self._watches.get(id(record))
        if before is not TaskState.DEFERRED or watch is None:
            return
        self._forget(watch)

        def cancel() -> None:
            if watch.running is not None:
                watch.running.cancel(USER_ACTION if self._conf.trigger_has_on_kill else None)

        self._agenda.after(self._poll_s(), cancel)

    def _poll_s(self) -> float:
        return self._draw.uniform(0.1, self._conf.triggerer_poll_s)
