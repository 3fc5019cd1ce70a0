"""asyncio in virtual time: an event loop that waits as an actor does.

`AsyncActor` is what most need, an actor that runs a loop to which the hub and other actors hand coroutines:

    triggerer = AsyncActor(actors, "triggerer")
    submitted = triggerer.submit(asyncio.sleep(600, "done"))
    agenda.run()
    submitted.result()  # "done", and ten minutes have passed

Nothing here is a file or a thread: the loop knows no sockets, pipes, signals or subprocesses (asyncio raises
NotImplementedError), and functions for an executor run right where they are handed over. Such a function may
wait in virtual time, and the loop stands still until it has ended; it must not wait for its own loop.
"""

import asyncio
import contextvars
import inspect
from asyncio.events import _get_running_loop
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from heapq import heappush
from math import ulp
from typing import Any, Generic, TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

from simulators.kernel.actors import Actor, ActorKilled, Actors, Waker, outside_asyncio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_CLOSING_TRIES = 100


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time is that of an agenda.

    It may run in an actor, which waits while the loop has nothing to do, or in the hub, which lets the world
    go on. `call_soon_threadsafe` is for everybody else: it has the loop look at what it was given, at the
    present moment but never within the call.
    """

    def __init__(self, actors: Actors) -> None:
        super().__init__()
        self._actors = actors
        self._selector = _VirtualSelector(actors)
        self._ready = _Callbacks(actors)
        self._asyncgens = _OrderedWeakSet()
        self._tasks_made = self._timers_made = 0
        self._scheduled: list[_NumberedTimer]
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        """Return the agenda's moment in seconds."""
        return self._actors.agenda.now_s

    def wake(self) -> None:
        """Have the loop look for work, as its timers do; for whoever gave it some from outside."""
        self._selector.wake()

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - there are no threads
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Run `func` here and now, whatever the executor; return a future that will be done in a moment."""
        future: asyncio.Future[T] = self.create_future()
        try:
            # As in a thread of an executor, there is no running loop.
            result = outside_asyncio(lambda: func(*args))
        except BaseException as error:  # noqa: BLE001 - an executor hands on every kind as well
            self._settle(future, future.set_exception, error)
        else:
            self._settle(future, future.set_result, result)
        return future

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Have `callback` called at a moment of the agenda; of equal moments, in the order of these calls."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        self._timers_made += 1
        timer = _NumberedTimer(when, callback, args, self, context, self._timers_made)
        heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tell of an error that nothing else handles, see asyncio; that the loop's actor died is none."""
        if not isinstance(context.get("exception"), ActorKilled):
            super().call_exception_handler(context)

    def _settle(self, future: asyncio.Future[Any], how: Callable[[T], None], value: T) -> None:
        """Settle `future` after its caller has awaited it: in a real loop, too, others run in between."""
        self.call_soon(lambda: None if future.done() else how(value))

    def _make_task(
        self,
        _loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        self._tasks_made += 1
        return _NumberedTask(coroutine, self, self._tasks_made, context)

    def _write_to_self(self) -> None:
        self.wake()

    def _process_events(self, event_list: list[Any]) -> None:  # noqa: ARG002 - no files, hence no events
        # asyncio now takes the timers that are due within the clock's resolution. Its nanosecond is lost
        # beside POSIX seconds, so that none would ever be due; with the smallest step, none is early.
        self._clock_resolution = ulp(self.time())


class Submitted(Generic[T]):
    """A coroutine handed to a loop, as seen from outside the loop; everything here is safe for everybody.

    Attributes:
        task: the loop's own object, for code that runs in the loop.
    """

    def __init__(self, task: asyncio.Task[T], loop: VirtualLoop, actors: Actors) -> None:
        self.task = task
        self._loop = loop
        self._actors = actors

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.get_name()

    def cancel(self, msg: object = None) -> None:
        """Ask it to end: its code sees CancelledError(msg) where it waits. Harmless if it is done."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.task.cancel, msg)

    def done(self) -> bool:
        """Whether it has returned, raised, or was cancelled."""
        return self.task.done()

    def cancelled(self) -> bool:
        """Whether it ended by being cancelled."""
        return self.task.cancelled()

    def result(self) -> T:
        """Return what it returned or raise what it raised.

        Raises:
            asyncio.InvalidStateError: it is not done.
        """
        return self.task.result()

    def exception(self) -> BaseException | None:
        """Return what it raised, None if it returned; see `asyncio.Future.exception`."""
        return self.task.exception()

    def add_done_callback(self, callback: "Callable[[Submitted[T]], object]") -> None:
        """Have `callback` called in the loop, with this object, once it is done; never if the loop dies."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.task.add_done_callback, lambda _: callback(self))

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is done, or for `timeout_s` seconds; return whether it is.

        Raises:
            RuntimeError: the loop itself would wait here, for ever.
        """
        if _get_running_loop() is self._loop:
            raise RuntimeError(f"{self.name} belongs to this loop: await its task")
        if not self.done():
            waker = self._actors.waker()
            self.add_done_callback(lambda _: waker.wake())
            self._actors.wait(waker, timeout_s)
        return self.done()


class AsyncActor:
    """An actor that runs a loop until it is stopped or killed.

    Args:
        on_end: as for `Actors.spawn`.

    Attributes:
        loop: the loop.
        actor: the actor, to interrupt or to kill. Killed, it takes its coroutines with it: none of them goes
            on, and none is ever done.
    """

    def __init__(self, actors: Actors, name: str, on_end: Callable[[Actor], None] | None = None) -> None:
        self.loop = VirtualLoop(actors)
        self._actors = actors
        self._is_stopped = False
        self.actor = actors.spawn(name, self._run, on_end)

    def submit(self, coroutine: Coroutine[Any, Any, T], name: str | None = None) -> Submitted[T]:
        """Hand a coroutine to the loop, which begins it at the present moment, after this call.

        Raises:
            RuntimeError: the loop is stopped or dead.
        """
        if self._is_stopped or self.actor.is_over:
            coroutine.close()
            raise RuntimeError(f"{self.actor.name} takes no more coroutines: its loop has ended")
        task = self.loop.create_task(coroutine, name=name)
        self.loop.wake()
        return Submitted(task, self.loop, self._actors)

    def stop(self) -> None:
        """End the loop as `asyncio.run` does: cancel what still runs, and wait for it to end.

        Harmless if it has ended.
        """
        if not (self._is_stopped or self.actor.is_over):
            self._is_stopped = True
            self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self._is_stopped = True
            if self.actor.is_killed:
                self._forget_tasks()
            else:
                self._cancel_tasks()
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(_wait_for(tasks))

    def _forget_tasks(self) -> None:
        """End what died with the actor here, where waiting has no effect, not in a garbage collection."""
        self.loop.set_exception_handler(lambda _loop, _context: None)  # nobody asks how they died
        for task in asyncio.all_tasks(self.loop):
            coroutine = task.get_coro()
            for _ in range(_CLOSING_TRIES):  # each `await` in its handlers needs one more
                with suppress(BaseException):
                    coroutine.close()
                if inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED:  # type: ignore[arg-type]
                    break


class _VirtualSelector:
    """What a loop waits with while it has nothing to do: time, and somebody who wakes it."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self._waker: Waker | None = None

    def select(self, timeout_s: float | None) -> list[Any]:
        if timeout_s == 0:
            return []
        self._waker = waker = self._actors.waker()
        try:
            is_awake = self._actors.wait(waker, timeout_s)
        finally:
            self._waker = None
        if timeout_s is None and not is_awake:  # only in the hub
            raise RuntimeError("the loop waits for what nobody will do: nothing is planned any more")
        return []

    def wake(self) -> None:
        if self._waker is not None:
            # Not within this call: the caller may hold what the loop's callbacks are about to change.
            self._actors.agenda.after(0.0, self._waker.wake)
            self._waker = None


class _Callbacks(deque[asyncio.Handle]):
    """What a loop does next; nothing more if its actor is dead.

    Death reaches a coroutine that blocks its loop as an exception, which asyncio would keep in the task, and
    go on with the next callback.
    """

    def __init__(self, actors: Actors) -> None:
        super().__init__()
        self._actors = actors

    def popleft(self) -> asyncio.Handle:
        actor = self._actors.current
        if actor is not None and actor.is_killed:
            raise ActorKilled
        return super().popleft()


class _NumberedTask(asyncio.Task[T]):
    """A task whose hash is its number: sets of tasks have the same order in every run.

    asyncio keeps tasks in sets (`asyncio.wait`, `TaskGroup`, `all_tasks`), else ordered by memory address.
    """

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        loop: VirtualLoop,
        number: int,
        context: contextvars.Context | None,
    ) -> None:
        self._number = number  # first: asyncio puts the new task in a set
        super().__init__(coroutine, loop=loop, name=f"Task-{number}", context=context)

    def __hash__(self) -> int:
        return self._number


class _NumberedTimer(asyncio.TimerHandle):
    """A timer that knows which one of the same moment it is; asyncio's heap leaves that to chance."""

    __slots__ = ("_number",)
    _when: float
    _scheduled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: VirtualLoop,
        context: contextvars.Context | None,
        number: int,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._number = number

    def __lt__(self, other: "_NumberedTimer") -> bool:  # type: ignore[override]
        if self._when == other._when:
            return self._number < other._number
        return self._when < other._when


class _OrderedWeakSet(WeakKeyDictionary[Any, None]):
    """The asynchronous generators of a loop, in the order in which they began."""

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)


async def _wait_for(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
