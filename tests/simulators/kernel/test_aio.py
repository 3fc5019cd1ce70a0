"""asyncio in virtual time: coroutines wait as actors do, and nothing of a loop shows in other actors."""

import asyncio
import contextvars
import gc
import inspect
import logging
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulators.kernel.actors import Actors
from simulators.kernel.aio import AsyncActor, Submitted, VirtualLoop
from simulators.kernel.events import Agenda

START_S = 1_795_000_000.0  # a POSIX time, beside which asyncio's nanosecond is lost
Log = list[tuple[object, ...]]


@pytest.fixture
def agenda() -> Agenda:
    return Agenda(START_S)


@pytest.fixture
def actors(agenda: Agenda) -> Iterator[Actors]:
    actors = Actors(agenda)
    yield actors
    actors.close()
    assert asyncio._get_running_loop() is None
    assert sys.get_asyncgen_hooks() == (None, None)


@pytest.fixture
def log() -> Log:
    return []


@pytest.fixture
def note(agenda: Agenda, log: Log) -> Callable[..., None]:
    return lambda *what: log.append((round(agenda.now_s - START_S, 6), *what))


@pytest.fixture
def runner(actors: Actors) -> AsyncActor:
    return AsyncActor(actors, "loop")


def passed_s(agenda: Agenda) -> float:
    return agenda.now_s - START_S


def test_coroutines_sleep_side_by_side(agenda: Agenda, runner: AsyncActor, note: Any, log: Log) -> None:
    async def tick(name: str, interval_s: float) -> str:
        for _ in range(3):
            await asyncio.sleep(interval_s)
            note(name)
        return name

    handles = [runner.submit(tick("a", 2)), runner.submit(tick("b", 3))]
    assert log == []
    agenda.run()
    assert log == [(2, "a"), (3, "b"), (4, "a"), (6, "b"), (6, "a"), (9, "b")]
    assert [handle.result() for handle in handles] == ["a", "b"]


@pytest.mark.parametrize("start_s", [0.0, 0.1, 1e6 / 3, 2.0**24 + 0.1, START_S, 2.0**31 - 1e-3])
def test_no_sleep_is_short_and_none_is_lost_to_rounding(start_s: float) -> None:
    agenda = Agenda(start_s)
    actors = Actors(agenda)
    loop = VirtualLoop(actors)
    errors_s = []

    async def sleep() -> None:
        for duration_s in [1e-9, 1e-7, 0.1, 1 / 3, 5, 7.7, 86_400.3, 1e6]:
            due_s = loop.time() + duration_s
            await asyncio.sleep(duration_s)
            errors_s.append(loop.time() - due_s)

    loop.run_until_complete(sleep())
    loop.close()
    assert errors_s == [0.0] * 8


@pytest.mark.parametrize("start_s", [0.0, START_S])
def test_no_timer_is_early_when_the_loop_is_awake_just_before_it(start_s: float) -> None:
    agenda = Agenda(start_s)
    actors = Actors(agenda)
    loop = VirtualLoop(actors)
    early: list[float] = []
    dues_s = [start_s + 1, start_s + 1 + 2.5e-7, start_s + 1 + 5e-7]
    for due_s in dues_s:
        loop.call_at(due_s, lambda due_s=due_s: early.append(due_s - agenda.now_s))  # type: ignore[misc]
    loop.run_until_complete(asyncio.sleep(2))
    loop.close()
    assert early == [0.0] * 3


def test_the_hub_may_run_a_loop_too(agenda: Agenda, actors: Actors, note: Any, log: Log) -> None:
    seen: list[object] = []
    actors.spawn("other", lambda: (actors.sleep(3), seen.append(asyncio._get_running_loop()), note("other")))
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(actors)) as runner:
        assert runner.run(asyncio.sleep(5, "done")) == "done"
    assert (log, seen, passed_s(agenda)) == ([(3, "other")], [None], 5)


def test_a_loop_in_the_hub_that_waits_in_vain_says_so(actors: Actors) -> None:
    loop = VirtualLoop(actors)
    future = loop.create_future()
    with pytest.raises(RuntimeError, match=r"^the loop waits for what nobody will do"):
        loop.run_until_complete(future)
    loop.close()


def test_call_soon_threadsafe_wakes_a_loop_at_the_present_moment_but_not_within_the_call(
    agenda: Agenda, actors: Actors, runner: AsyncActor, note: Any, log: Log
) -> None:
    runner.submit(asyncio.sleep(100))

    def call(name: str) -> None:
        runner.loop.call_soon_threadsafe(note, name)
        runner.loop.call_soon_threadsafe(note, name)
        note(f"{name} has called")

    agenda.after(3, lambda: call("hub"))
    actors.spawn("actor", lambda: (actors.sleep(4), call("actor")))
    agenda.run()
    assert log == [
        (3, "hub has called"),
        (3, "hub"),
        (3, "hub"),
        (4, "actor has called"),
        (4, "actor"),
        (4, "actor"),
    ]
    assert passed_s(agenda) == 100


def test_a_future_of_another_actor_is_awaited(
    agenda: Agenda, actors: Actors, runner: AsyncActor, note: Any, log: Log
) -> None:
    async def ask() -> None:
        future = runner.loop.create_future()
        agenda.after(7, lambda: runner.loop.call_soon_threadsafe(future.set_result, "answer"))
        note(await asyncio.wait_for(future, 10))

    runner.submit(ask())
    agenda.run()
    assert log == [(7, "answer")]
    assert passed_s(agenda) == 7  # the time-out that was not needed takes no time


def test_time_outs_and_cancellation(agenda: Agenda, runner: AsyncActor, note: Any, log: Log) -> None:
    async def limited() -> None:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(60)
        except TimeoutError:
            note("timeout")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(60), 2)
        note("wait_for")
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(1)
        task.cancel("enough")
        try:
            await task
        except asyncio.CancelledError as error:
            note(*error.args)
        done, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(s)) for s in (1, 9)], timeout=4)
        note(len(done), len(pending))

    handle = runner.submit(limited())
    agenda.run()
    handle.result()
    assert log == [(5, "timeout"), (7, "wait_for"), (8, "enough"), (12, 1, 1)]


def test_groups_end_together(agenda: Agenda, runner: AsyncActor, note: Any, log: Log) -> None:
    async def member(name: str, duration_s: float) -> None:
        try:
            await asyncio.sleep(duration_s)
        except asyncio.CancelledError:
            note(name, "cancelled")
            raise
        raise ValueError(name)

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                tasks.create_task(member(f"m{number}", 30 - number))

    handle = runner.submit(group())
    agenda.run()
    assert isinstance(handle.exception(), ExceptionGroup)
    assert log == [(11, f"m{number}", "cancelled") for number in range(19)]


def test_the_hub_and_actors_cancel(
    agenda: Agenda, actors: Actors, runner: AsyncActor, log: Log, note: Any
) -> None:
    async def work(name: str) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError as error:
            note(name, *error.args)
            await asyncio.sleep(1)  # cleaning up takes time
            raise

    one, two = runner.submit(work("one"), name="one"), runner.submit(work("two"), name="two")
    for handle in (one, two):
        handle.add_done_callback(lambda handle: note(handle.name, handle.cancelled()))
    agenda.after(5, lambda: one.cancel("by the hub"))
    actors.spawn("actor", lambda: (actors.sleep(6), two.cancel("by an actor"), two.cancel()))
    agenda.after(5.5, lambda: note(one.done()))
    agenda.run()
    assert log == [
        (5, "one", "by the hub"),
        (5.5, False),
        (6, "two", "by an actor"),
        (6, "one", True),
        (7, "two", True),
    ]
    one.cancel()
    agenda.run()
    assert one.cancelled()


def test_done_callbacks_come_in_the_loop_and_never_within_a_call_of_the_hub(
    agenda: Agenda, runner: AsyncActor, log: Log, note: Any
) -> None:
    async def at_once() -> int:
        return 7

    def done(handle: Submitted[int]) -> None:
        note(handle.result(), asyncio.get_running_loop() is runner.loop)

    agenda.run()  # the loop waits now
    handle = runner.submit(at_once())
    handle.add_done_callback(done)
    assert log == []
    agenda.run()
    assert log == [(0, 7, True)]
    handle.add_done_callback(done)
    assert log == [(0, 7, True)]
    agenda.run()
    assert log == [(0, 7, True)] * 2


def test_an_error_is_kept_for_whoever_asks(agenda: Agenda, runner: AsyncActor) -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("no")

    handle = runner.submit(fail())
    with pytest.raises(asyncio.InvalidStateError):
        handle.result()
    agenda.run()
    with pytest.raises(ValueError, match=r"^no$"):
        handle.result()
    assert not runner.actor.is_over


def test_other_actors_and_the_hub_see_no_loop(
    agenda: Agenda, actors: Actors, runner: AsyncActor, log: Log
) -> None:
    def look(who: str) -> None:
        log.append((who, asyncio._get_running_loop(), *sys.get_asyncgen_hooks()))

    async def work() -> None:
        await asyncio.sleep(2)
        actors.sleep(2)  # blocks the loop, as a forgotten time.sleep would
        await asyncio.to_thread(actors.sleep, 2)
        assert asyncio.get_running_loop() is runner.loop
        assert sys.get_asyncgen_hooks().firstiter is not None

    handle = runner.submit(work())
    for after_s in (1, 3, 5):
        agenda.after(after_s, lambda: look("hub"))
        actors.spawn("actor", lambda after_s=after_s: (actors.sleep(after_s), look("actor")))  # type: ignore[misc]
    agenda.run()
    handle.result()
    assert log == [("hub", None, None, None), ("actor", None, None, None)] * 3


def test_two_loops_live_in_one_thread(agenda: Agenda, actors: Actors, note: Any, log: Log) -> None:
    runners = [AsyncActor(actors, name) for name in "ab"]

    async def work(own: VirtualLoop, other: VirtualLoop, name: str) -> None:
        for _ in range(2):
            await asyncio.sleep(2)
            assert asyncio.get_running_loop() is own
            other.call_soon_threadsafe(lambda: note(name, asyncio.get_running_loop() is other))

    loops = [runner.loop for runner in runners]
    handles = [runners[0].submit(work(*loops, "a")), runners[1].submit(work(*reversed(loops), "b"))]
    agenda.run()
    assert [handle.result() for handle in handles] == [None, None]
    assert log == [(2, "a", True), (2, "b", True), (4, "b", True), (4, "a", True)]


def test_one_loop_waits_for_a_coroutine_of_another(agenda: Agenda, actors: Actors) -> None:
    one, two = AsyncActor(actors, "one"), AsyncActor(actors, "two")

    async def ask() -> str:
        inner = two.submit(asyncio.sleep(5, "from two"))
        future = one.loop.create_future()
        inner.add_done_callback(lambda done: one.loop.call_soon_threadsafe(future.set_result, done.result()))
        return str(await future)

    handle = one.submit(ask())
    agenda.run()
    assert (handle.result(), passed_s(agenda)) == ("from two", 5)


def test_actors_and_the_hub_wait_for_what_they_submitted(
    agenda: Agenda, actors: Actors, runner: AsyncActor, log: Log, note: Any
) -> None:
    def ask() -> None:
        handle = runner.submit(asyncio.sleep(5, "done"))
        note(handle.wait(2), handle.done())
        note(handle.wait(), handle.result())
        note(handle.wait(2))

    actors.spawn("actor", ask)
    assert runner.submit(asyncio.sleep(20)).wait(10) is False
    assert log == [(2, False, False), (5, True, "done"), (5, True)]
    ask()
    assert log[3:] == [(12, False, False), (15, True, "done"), (15, True)]


def test_the_loop_cannot_wait_for_itself(agenda: Agenda, runner: AsyncActor) -> None:
    async def wait() -> None:
        runner.submit(asyncio.sleep(5), name="other").wait()

    handle = runner.submit(wait())
    agenda.run()
    with pytest.raises(RuntimeError, match=r"^other belongs to this loop: await its task$"):
        handle.result()


def test_a_function_for_a_thread_runs_here_and_the_loop_stands_still(
    agenda: Agenda, actors: Actors, runner: AsyncActor, log: Log, note: Any
) -> None:
    threads = set()

    def blocking(value: str) -> str:
        threads.add(threading.get_ident())
        assert asyncio._get_running_loop() is None
        actors.sleep(10)
        return value

    async def work() -> None:
        runner.loop.call_later(1, note, "tick")
        note(await asyncio.to_thread(blocking, "to_thread"))
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor() as pool:
            note(await loop.run_in_executor(pool, blocking, "pool"))
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)

    handle = runner.submit(work())
    agenda.run()
    handle.result()
    assert log == [(10, "tick"), (10, "to_thread"), (20, "pool")]
    assert threads == {threading.get_ident()}


def test_a_call_for_a_thread_that_is_cancelled_in_the_same_moment_stays_quiet(
    agenda: Agenda, runner: AsyncActor, caplog: pytest.LogCaptureFixture
) -> None:
    did: list[int] = []

    async def work() -> asyncio.Task[None]:
        task = asyncio.create_task(asyncio.to_thread(did.append, 1))
        asyncio.get_running_loop().call_soon(task.cancel)
        await asyncio.wait([task])
        return task

    handle = runner.submit(work())
    agenda.run()
    assert (handle.result().cancelled(), did, caplog.messages) == (True, [1], [])


def test_context_variables_reach_functions_and_stay_out_of_other_actors(
    agenda: Agenda, actors: Actors, runner: AsyncActor, log: Log
) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    async def work(value: str) -> None:
        variable.set(value)
        await asyncio.sleep(1)
        log.append((value, variable.get(), await asyncio.to_thread(variable.get)))

    runner.submit(work("a"))
    runner.submit(work("b"))
    actors.spawn("actor", lambda: (actors.sleep(0.5), log.append(("actor", variable.get()))))
    agenda.run()
    assert log == [("actor", "unset"), ("a", "a", "a"), ("b", "b", "b")]


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_asgiref_works_without_threads(
    agenda: Agenda, actors: Actors, runner: AsyncActor, thread_sensitive: bool
) -> None:
    sync = pytest.importorskip("asgiref.sync")  # comes with Airflow, whose triggers use it
    threads = threading.active_count()

    def blocking(value: int) -> int:
        actors.sleep(value)
        if value == 3:
            raise ValueError(value)
        return value

    async def work() -> list[int]:
        call = sync.sync_to_async(blocking, thread_sensitive=thread_sensitive)
        with pytest.raises(ValueError, match="3"):
            await call(3)
        return list(await asyncio.gather(call(1), call(2)))

    handle = runner.submit(work())
    agenda.run()
    assert handle.result() == [1, 2]
    assert passed_s(agenda) == 6
    assert threading.active_count() == threads


def test_asynchronous_generators_are_finished(agenda: Agenda, actors: Actors, log: Log, note: Any) -> None:
    runner = AsyncActor(actors, "loop")

    async def ticks(name: str) -> AsyncIterator[int]:
        try:
            for number in range(9):
                await asyncio.sleep(1)
                yield number
        finally:
            await asyncio.sleep(1)
            note(name, "finished")

    kept = []

    async def work() -> None:
        async for number in ticks("dropped"):  # left to the garbage collection, which hands it to the loop
            if number == 1:
                break
        for name in ("kept a", "kept b"):
            kept.append(ticks(name))
            await anext(kept[-1])

    runner.submit(work())
    agenda.run()
    assert log == [(3, "dropped", "finished")]
    runner.stop()
    agenda.run()
    assert log[1:] == [(5, "kept a", "finished"), (5, "kept b", "finished")]
    assert (runner.actor.is_over, runner.actor.error) == (True, None)


@pytest.mark.filterwarnings("error")
def test_stop_cancels_what_still_runs_in_order(agenda: Agenda, actors: Actors, log: Log, note: Any) -> None:
    ended: list[str] = []
    runner = AsyncActor(actors, "loop", on_end=lambda actor: ended.append(actor.name))

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(2)
            note(name)

    handles = [runner.submit(work(f"w{number}")) for number in range(30)]
    agenda.after(5, runner.stop)
    agenda.advance(START_S + 6)
    assert not runner.actor.is_over
    with pytest.raises(RuntimeError, match=r"^loop takes no more coroutines: its loop has ended$"):
        runner.submit(work("late"))
    agenda.run()
    assert log == [(7, f"w{number}") for number in range(30)]
    assert all(handle.cancelled() for handle in handles)
    assert (ended, runner.actor.error, runner.loop.is_closed()) == (["loop"], None, True)
    runner.stop()
    handles[0].cancel()
    handles[0].add_done_callback(lambda _: note("never"))
    agenda.run()
    assert log[30:] == []


def test_stop_before_it_has_begun(agenda: Agenda, actors: Actors) -> None:
    runner = AsyncActor(actors, "loop")
    handle = runner.submit(asyncio.sleep(1))
    runner.stop()
    agenda.run()
    assert (handle.cancelled(), runner.actor.is_over, passed_s(agenda)) == (True, True, 0)


def test_exit_in_a_coroutine_ends_the_actor(agenda: Agenda, actors: Actors, log: Log, note: Any) -> None:
    runner = AsyncActor(actors, "loop")

    async def leave() -> None:
        raise SystemExit(3)

    async def other() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            note("cancelled")

    runner.submit(other())
    agenda.advance(START_S + 1)
    leaving = runner.submit(leave())
    agenda.run()
    assert runner.actor.error is leaving.exception()
    assert isinstance(runner.actor.error, SystemExit)
    assert (log, runner.loop.is_closed()) == ([(1, "cancelled")], True)


def test_an_interrupt_runs_while_the_loop_waits_and_may_end_it(
    agenda: Agenda, actors: Actors, log: Log, note: Any
) -> None:
    runner = AsyncActor(actors, "loop")
    handle = runner.submit(asyncio.sleep(10))

    def leave() -> None:
        raise SystemExit(143)

    agenda.after(1, lambda: runner.actor.interrupt(lambda: note(asyncio.get_running_loop() is runner.loop)))
    agenda.after(2, lambda: runner.actor.interrupt(leave))
    agenda.run()
    assert log == [(1, True)]
    assert isinstance(runner.actor.error, SystemExit)
    assert handle.cancelled()


def test_a_killed_loop_takes_its_coroutines_along(
    agenda: Agenda, actors: Actors, log: Log, note: Any, caplog: pytest.LogCaptureFixture
) -> None:
    runner = AsyncActor(actors, "loop")
    tried: list[str] = []

    async def work() -> None:
        kept = Kept()
        references.append(weakref.ref(kept))
        never = asyncio.get_running_loop().create_future()
        try:
            await asyncio.sleep(100)
        finally:
            tried.append("await")
            try:
                await never
            finally:
                tried.append("sleep")
                actors.sleep(1)
                note("effect")

    references: list[weakref.ref[Kept]] = []
    coroutine = work()
    handle = runner.submit(coroutine)
    handle.add_done_callback(lambda _: note("done"))
    agenda.after(5, runner.actor.kill)
    agenda.run()
    assert (log, tried, handle.done(), runner.actor.is_over) == ([], [], False, True)
    with pytest.raises(RuntimeError, match="takes no more coroutines"):
        runner.submit(work())
    runner.stop()
    handle.cancel()
    agenda.run()
    gc.collect()
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        actors.close()
        agenda.run()
        del runner, handle
        gc.collect()
    assert (log, tried, caplog.messages) == ([], ["await", "sleep"], [])
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert [reference() for reference in references] == [None]


@pytest.mark.parametrize("block", ["coroutine", "callback", "function"])
def test_a_loop_killed_while_it_stands_still_does_nothing_more(
    agenda: Agenda, actors: Actors, caplog: pytest.LogCaptureFixture, block: str
) -> None:
    runner = AsyncActor(actors, "loop")
    did: list[str] = []

    async def blocking() -> None:
        if block == "coroutine":
            actors.sleep(10)
        elif block == "function":
            await asyncio.to_thread(actors.sleep, 10)
        else:
            asyncio.get_running_loop().call_soon(actors.sleep, 10)

    async def other() -> None:
        if block == "callback":
            await asyncio.sleep(0)
        did.append("more")

    handles = [runner.submit(blocking())]
    if block == "callback":
        agenda.advance(START_S + 1)
    handles += [runner.submit(other()) for _ in range(3)]
    agenda.after(5, runner.actor.kill)
    agenda.run()
    gc.collect()
    caplog.clear()
    actors.close()
    del handles, runner
    gc.collect()
    assert (did, caplog.messages) == ([], [])


def test_a_loop_killed_before_it_began_never_runs(
    agenda: Agenda, actors: Actors, note: Any, log: Log
) -> None:
    runner = AsyncActor(actors, "loop")

    async def work() -> None:
        note("begun")

    coroutine = work()
    handle = runner.submit(coroutine)
    runner.actor.kill()
    agenda.run()
    assert (handle.done(), log) == (False, [])
    coroutine.close()


def test_there_are_no_files(agenda: Agenda, runner: AsyncActor) -> None:
    async def connect() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    handle = runner.submit(connect())
    agenda.run()
    with pytest.raises(NotImplementedError):
        handle.result()


def test_a_thousand_triggers_share_one_loop(agenda: Agenda, runner: AsyncActor) -> None:
    async def trigger(number: int) -> int:
        await asyncio.sleep(number / 1000)
        due_s = agenda.now_s + 600
        while agenda.now_s < due_s:
            await asyncio.sleep(5)
        return number

    handles = [runner.submit(trigger(number)) for number in range(1000)]
    agenda.run()
    assert sum(handle.result() for handle in handles) == 499_500
    assert passed_s(agenda) == pytest.approx(600.999)


class Kept:
    """Something on a coroutine's stack."""
