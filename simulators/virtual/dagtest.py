"""The world in which the installed Airflow itself runs a DAG, by `dag.test()`; all else is virtual.

    # AIRFLOW_HOME and AIRFLOW__CORE__DAGS_FOLDER are set, and nothing of Airflow is imported yet
    create_database()
    with Facility(Scenario(workflow="test"), dags=folder) as world:
        dag_test(world, "lute_test", conf)

A DAG takes half a second, not some milliseconds as in `simulators.dagrunner`, but what is seen is Airflow's
own doing. What `dag.test()` leaves out is not seen: tasks run one after the other in this process, no
scheduler runs beside it, nobody can kill, mark or clear a task, and a trigger has no time limit.
"""

import asyncio
import contextlib
import importlib
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime, tzinfo
from types import FrameType
from typing import Any
from unittest.mock import patch

from greenlet import getcurrent

from simulators.dagrunner.installed import MAJOR, AirflowTaskTerminated, AirflowTaskTimeout
from simulators.dagrunner.variables import disconnected
from simulators.facility import Facility
from simulators.kernel.actors import Actor
from simulators.kernel.aio import VirtualLoop
from simulators.kernel.events import Event

_UTCNOW = "airflow.utils.timezone.utcnow" if MAJOR < 3 else "airflow._shared.timezones.timezone.utcnow"
_DATETIMES = (
    () if MAJOR < 3 else ("airflow.sdk.execution_time.task_runner", "airflow.sdk.execution_time.supervisor")
)
"""Where 3.3 asks `datetime` itself for the time."""


class NothingPlannedError(RuntimeError):
    """The DAG waits for something that will never happen."""


def create_database() -> None:
    """Create Airflow's tables in the database that its configuration names."""
    importlib.import_module("airflow.utils.db").initdb()


def dag_test(world: Facility, dag_id: str, conf: Mapping[str, Any]) -> None:
    """Run a DAG once and let time pass until it has ended; Airflow's database then says how.

    Requests and jobs bear the names of the tasks, as in the virtual world.

    Args:
        conf: of the run.

    Raises:
        NothingPlannedError: it would never end, or not before the scenario's deadline.
    """
    dag = world.airflow.state.dags[dag_id].dag
    actor = world.actors.spawn(dag_id, lambda: dag.test(run_conf=dict(conf)))
    deadline_s = world.agenda.now_s + world.scenario.deadline_s
    with disconnected(), _airflow_in_virtual_time(world, actor), _named_after_tasks(actor):
        while not actor.is_over:
            next_s = world.agenda.next_time_s
            if next_s is None or next_s > deadline_s:
                raise NothingPlannedError(
                    f"{dag_id} has not ended after {world.agenda.now_s - world.start_s:.0f} s"
                )
            world.agenda.step()
    if actor.error is not None:
        raise actor.error


@contextlib.contextmanager
def _airflow_in_virtual_time(world: Facility, actor: Actor) -> Iterator[None]:
    """Let Airflow's own waiting, its clock, its time limits and its triggers be of the virtual world.

    Its in-process API server answers in threads of its own, and these go on in real time.
    """
    really_sleep, really_run = time.sleep, asyncio.run  # noqa: TID251 - Airflow's own waiting is replaced
    actors = world.actors

    def sleep(duration_s: float) -> None:
        here = getcurrent()
        if here is actors.hub or here in actors.running:
            actors.sleep(duration_s)
        else:
            really_sleep(duration_s)

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        if getcurrent() not in actors.running:
            return really_run(main)
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(actors)) as runner:
            return runner.run(main)

    class VirtualDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(world.agenda.now_s, tz)

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch("time.sleep", sleep))
        stack.enter_context(patch("asyncio.run", run))  # for triggers
        stack.enter_context(patch("signal.setitimer", _Alarm(world, actor).set))
        stack.enter_context(patch(_UTCNOW, world.clock.now))
        for module in _DATETIMES:
            importlib.import_module(module)
            stack.enter_context(patch(f"{module}.datetime", VirtualDatetime))
        if MAJOR < 3:
            stack.enter_context(_time_limits_end_tasks_only())
        stack.enter_context(_restored_signals())
        yield


class _Alarm:
    """Stands in for the process's timer, with which Airflow limits `execute` and the reading of DAG files."""

    def __init__(self, world: Facility, actor: Actor) -> None:
        self._agenda = world.agenda
        self._actor = actor
        self._event: Event | None = None

    def set(self, _which: int, seconds: float, _interval: float = 0.0) -> tuple[float, float]:
        """Set it, or take it back with 0."""
        if self._event is not None:
            self._event.cancel()
        self._event = self._agenda.after(seconds, self._ring) if seconds > 0 else None
        return 0.0, 0.0

    def _ring(self) -> None:
        handler = signal.getsignal(signal.SIGALRM)
        if callable(handler):
            self._actor.interrupt(lambda: handler(signal.SIGALRM, None))


@contextlib.contextmanager
def _time_limits_end_tasks_only() -> Iterator[None]:
    """Let 2.11's `dag.test()` go on after a task that ran out of time: it expects Exceptions only."""
    module = importlib.import_module("airflow.models.dag")
    run_task = module._run_task

    def run(**given: Any) -> None:
        try:
            run_task(**given)
        except (AirflowTaskTimeout, AirflowTaskTerminated) as error:
            raise RuntimeError(str(error)) from error  # the task's state is in the database by now

    with patch.object(module, "_run_task", run):
        yield


@contextlib.contextmanager
def _restored_signals() -> Iterator[None]:
    """Put the handlers back that Airflow's task runner replaces."""
    before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _named_after_tasks(actor: Actor) -> Iterator[None]:
    """Give the actor the name of the task that it runs: by it, jobs and requests are told apart."""
    where = "airflow.listeners.listener" if MAJOR < 3 else "airflow.sdk.listener"
    manager = importlib.import_module(where).get_listener_manager()
    hookimpl = importlib.import_module("airflow.listeners").hookimpl

    class Namer:
        @hookimpl  # type: ignore[untyped-decorator]
        def on_task_instance_running(self, task_instance: Any) -> None:
            index = task_instance.map_index
            actor.name = task_instance.task_id if index < 0 else f"{task_instance.task_id}[{index}]"

    namer = Namer()
    manager.pm.register(namer)
    try:
        yield
    finally:
        manager.pm.unregister(namer)
