"""Actors: everything in a simulated world that waits, each a greenlet, one running at a time.

Production code is synchronous: it calls `clock.sleep` and `session.post` and expects to be resumed. An actor
is such code with a stack of its own. When it waits, it puts its waking on the agenda and switches to the hub,
the greenlet that runs the agenda; the hub takes the next event, moves time to it, and switches back when that
event is the actor's waking. There is one thread and no race: the same program takes the same turns.

    agenda = Agenda()
    actors = Actors(agenda)
    actors.spawn("worker", lambda: (actors.sleep(5), print(agenda.now_s)))
    agenda.run()  # prints 5.0
"""

import sys
import warnings
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from greenlet import getcurrent, greenlet

from simulators.kernel.events import Agenda

T = TypeVar("T")
_REFUSALS = 1000
"""How often a dead actor may try to wait before its stack is given up."""


class ActorKilled(BaseException):
    """The actor is dead: nothing that it still tries has an effect.

    Raised into its code where it waits, so that Python frees its stack. It is no `Exception`, and every
    further wait raises it again, so that no handler of the code can go on as if it lived.
    """


class Waker:
    """Something that one actor waits for; `wake` ends the wait, now or before it has begun."""

    __slots__ = ("_actor", "is_awake")

    def __init__(self, actor: "Actor | None" = None) -> None:
        self._actor = actor
        self.is_awake = False

    def wake(self) -> None:
        """End the wait; harmless if it has ended. If the hub calls, the actor runs on within this call."""
        if not self.is_awake:
            self.is_awake = True
            if self._actor is not None:
                self._actor.resume()

    def bind(self, actor: "Actor") -> None:
        """Make `actor` the one that waits.

        Raises:
            RuntimeError: it belongs to another, who would then never be woken.
        """
        if self._actor is None:
            self._actor = actor
        elif self._actor is not actor:
            raise RuntimeError(f"{actor.name} cannot wait for a waker of {self._actor.name}")


class Actor:
    """One greenlet of a world. Made by `Actors.spawn`.

    Attributes:
        name: for traces and messages.
        error: what its code raised, None while it runs or if it returned or was killed.
        is_over: True once its code has returned or raised, or it was killed.
        is_killed: True once it was killed; its stack may still exist, but has no effect.
        on_end: called in the hub, once, with the actor when it is over; not at `Actors.close`.
    """

    def __init__(self, name: str, run: Callable[[], object], actors: "Actors") -> None:
        self.name = name
        self.error: BaseException | None = None
        self.is_over = False
        self.is_killed = False
        self.on_end: list[Callable[[Actor], None]] = []
        self._actors = actors
        self._interrupts: deque[Callable[[], object]] = deque()
        self._run: Callable[[], object] | None = run
        self._refusals = 0
        self._greenlet = greenlet(self._main, parent=actors.hub)
        actors.running[self._greenlet] = self

    def interrupt(self, handler: Callable[[], object]) -> None:
        """Run `handler` inside the actor where it waits, as Python runs a signal handler.

        Afterwards the wait goes on for what is left of it; what `handler` raises comes out of the wait. An
        actor that has not begun runs it in its first wait, one that calls this itself at once. If the hub
        calls, the actor runs on within this call. Harmless if the actor is over.
        """
        if self.is_over:
            return
        if getcurrent() is self._greenlet:
            handler()
            return
        self._interrupts.append(handler)
        self.resume()

    def kill(self) -> None:
        """End the actor as SIGKILL ends a process: no handler of its code can do anything any more."""
        if self.is_over:
            return
        # Its stack stays until the world is closed: freeing it now would run its handlers in mid-world.
        self.is_killed = self.is_over = True
        if getcurrent() is self._actors.hub:
            self._tell_end()
        else:
            self._actors.agenda.after(0.0, self._tell_end)
        if getcurrent() is self._greenlet:
            outside_asyncio(self._actors.hub.switch)

    def resume(self) -> None:
        """Let it look whether its wait is over: at once if the hub calls, else when the hub gets to it."""
        if getcurrent() is self._actors.hub:
            self._go_on()
        else:
            self._actors.agenda.after(0.0, self._go_on)

    def start(self) -> None:
        """Begin to run, at the hub's next event."""
        self._actors.agenda.after(0.0, self._begin)

    def free(self) -> None:
        """Unwind its stack, in the hub, if it is dead or abandoned; see `Actors.close`."""
        self.is_killed = self.is_over = True
        self._run = None
        if self._greenlet:
            outside_asyncio(lambda: self._greenlet.throw(ActorKilled))
            if self._greenlet:
                warnings.warn(f"{self.name} will not end: its stack stays", ResourceWarning, stacklevel=2)

    def block(self, waker: "Waker | _Either") -> None:
        """Wait in this actor until `waker` is awake, running interrupts meanwhile."""
        while True:
            if self.is_killed:
                self._refuse()
            while self._interrupts:
                self._interrupts.popleft()()
            if waker.is_awake:
                return
            outside_asyncio(self._actors.hub.switch)

    def _refuse(self) -> None:
        self._refusals += 1
        if self._refusals > _REFUSALS:
            # It catches even this and tries again and again: leave it where it is.
            self._actors.hub.switch()
        raise ActorKilled

    def _begin(self) -> None:
        if self._run is not None and not self.is_killed:
            self._switch()

    def _go_on(self) -> None:
        if self._greenlet and not self.is_killed:
            self._switch()

    def _switch(self) -> None:
        if getcurrent() is not self._actors.hub:
            raise RuntimeError("only the hub can let time pass; an actor sleeps (Actors.sleep)")
        self._greenlet.switch()
        if self._greenlet.dead:
            self.is_over = True
            self._tell_end()

    def _main(self) -> None:
        run, self._run = self._run, None
        try:
            if run is not None:
                run()
        except ActorKilled:
            pass
        except BaseException as error:  # noqa: BLE001 - kept for whoever watches the actor
            if not self.is_killed:
                self.error = error
                self._actors.failed.append(self)
        self._actors.running.pop(self._greenlet, None)

    def _tell_end(self) -> None:
        for callback in self.on_end:
            callback(self)


class Actors:
    """The actors of one world.

    Args:
        agenda: their time. Whoever advances or runs it is the hub; it must always be the same greenlet, the
            one that made this object.

    Attributes:
        running: those that are not over, by greenlet; and the killed ones, until `close`.
        failed: those whose code raised something, in order.
    """

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.hub = getcurrent()
        self.running: dict[greenlet, Actor] = {}
        self.failed: list[Actor] = []

    def spawn(
        self, name: str, run: Callable[[], object], on_end: Callable[[Actor], None] | None = None
    ) -> Actor:
        """Start an actor at the present moment, after what is already planned for it.

        Args:
            on_end: called once in the hub with the actor when its code has returned or raised, or when it is
                killed.
        """
        caller = self.current
        if caller is not None and caller.is_killed:
            raise ActorKilled
        actor = Actor(name, run, self)
        if on_end is not None:
            actor.on_end.append(on_end)
        actor.start()
        return actor

    @property
    def current(self) -> Actor | None:
        """The actor that runs, None in the hub."""
        return self.running.get(getcurrent())

    def sleep(self, duration_s: float) -> None:
        """Let `duration_s` seconds pass for the caller: an actor waits, the hub lets the world go on."""
        actor = self._caller()
        if actor is None:
            until_s = self.agenda.now_s + max(0.0, duration_s)
            outside_asyncio(lambda: self.agenda.advance(until_s))
            return
        waker = Waker(actor)
        event = self.agenda.after(max(0.0, duration_s), waker.wake)
        try:
            actor.block(waker)
        finally:
            event.cancel()

    def waker(self) -> Waker:
        """Return a waker for the calling actor, or for the hub."""
        return Waker(self.current)

    def wait(self, waker: Waker, timeout_s: float | None = None) -> bool:
        """Wait until `waker` is awake, or for `timeout_s` seconds; return whether it is.

        Of a wake and a time-out at the same moment, the one that was planned first counts. The hub lets the
        world go on meanwhile, event by event, and returns False if nothing is planned any more.
        """
        actor = self._caller()
        if actor is not None:
            waker.bind(actor)
        if timeout_s is None:
            self._wait(actor, waker)
            return waker.is_awake
        alarm = Waker(actor)
        event = self.agenda.after(max(0.0, timeout_s), alarm.wake)
        try:
            self._wait(actor, _Either(waker, alarm))
        finally:
            event.cancel()
        return waker.is_awake

    def close(self) -> None:
        """End every actor, and free the stacks of the killed ones.

        Their handlers run now, since Python has no other way to free a stack, but they cannot wait, spawn or
        plan anything. Read from the world what you want to know of it before.

        Raises:
            RuntimeError: an actor calls.
        """
        if getcurrent() is not self.hub:
            raise RuntimeError("only the hub can close the world")
        for actor in list(self.running.values()):
            self.agenda.try_out(actor.free)
        self.running.clear()

    def _caller(self) -> Actor | None:
        here = getcurrent()
        actor = self.running.get(here)
        if actor is None and here is not self.hub:
            raise RuntimeError("only the actors of this world and its hub can wait in it")
        return actor

    def _wait(self, actor: Actor | None, waker: "Waker | _Either") -> None:
        if actor is not None:
            actor.block(waker)
            return
        while not waker.is_awake and self.agenda.next_time_s is not None:
            outside_asyncio(self.agenda.step)


class _Either:
    """Awake when one of two wakers is."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Waker, second: Waker) -> None:
        self._first, self._second = first, second

    @property
    def is_awake(self) -> bool:
        return self._first.is_awake or self._second.is_awake


def outside_asyncio(go: Callable[[], T]) -> T:
    """Call `go` as if no event loop ran in this thread.

    asyncio keeps its running loop, and Python the hooks for asynchronous generators, once a thread; the
    actors of a world share one. While one of them waits, the loop that it runs must not show in the others.
    """
    loop = _get_running_loop()
    if loop is None:
        return go()
    hooks = sys.get_asyncgen_hooks()
    _set_running_loop(None)
    sys.set_asyncgen_hooks(None, None)
    try:
        return go()
    finally:
        _set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)
