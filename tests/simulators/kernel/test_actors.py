"""Actors wait, are interrupted and die as processes do, always in the same turns."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lute.seams import Clock
from simulators.kernel.actors import Actor, ActorKilled, Actors, Waker
from simulators.kernel.clock import PacedClock, VirtualClock
from simulators.kernel.events import Agenda

Log = list[tuple[object, ...]]
Note = Callable[..., None]


@pytest.fixture
def agenda() -> Agenda:
    return Agenda()


@pytest.fixture
def actors(agenda: Agenda) -> Iterator[Actors]:
    actors = Actors(agenda)
    yield actors
    actors.close()


@pytest.fixture
def log() -> Log:
    return []


@pytest.fixture
def note(agenda: Agenda, log: Log) -> Note:
    return lambda *what: log.append((agenda.now_s, *what))


class Kept:
    """Something on an actor's stack."""


def sleeper(actors: Actors, note: Note, duration_s: float = 10) -> Callable[[], None]:
    """Return code that tells how its sleep ends."""

    def run() -> None:
        try:
            actors.sleep(duration_s)
        except ValueError as error:
            note("raised", str(error))
        else:
            note("slept")

    return run


# --- sleeping and waiting


def test_actors_take_turns_in_the_order_of_their_events(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    def tick(name: str, interval_s: float) -> None:
        note(name, "begins")
        for _ in range(2):
            actors.sleep(interval_s)
            note(name)

    note("spawning")
    actors.spawn("a", lambda: tick("a", 2))
    actors.spawn("b", lambda: tick("b", 2))
    agenda.after(2, lambda: note("event"))
    agenda.run()
    assert log == [
        (0, "spawning"),
        (0, "a", "begins"),
        (0, "b", "begins"),
        (2, "event"),  # planned before the actors began
        (2, "a"),
        (2, "b"),
        (4, "a"),
        (4, "b"),
    ]


@pytest.mark.parametrize("duration_s", [0, -1, -0.0])
def test_a_sleep_of_nothing_lets_others_run(
    agenda: Agenda, actors: Actors, log: Log, note: Note, duration_s: float
) -> None:
    actors.spawn("a", lambda: [note("a1"), actors.sleep(duration_s), note("a2")])
    actors.spawn("b", lambda: note("b"))
    agenda.run()
    assert log == [(0, "a1"), (0, "b"), (0, "a2")]


@pytest.mark.parametrize("duration_s", [float("inf"), float("nan")])
def test_an_impossible_moment_is_refused(agenda: Agenda, actors: Actors, duration_s: float) -> None:
    with pytest.raises(ValueError, match=r"^nothing can be planned for (inf|nan) s$"):
        agenda.after(duration_s, list)
    assert agenda.next_time_s is None


def test_the_hub_sleeps_and_the_world_goes_on(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    actors.spawn("a", sleeper(actors, note, 3))
    actors.sleep(5)
    note("hub")
    actors.sleep(-1)
    assert (log, agenda.now_s) == ([(3, "slept"), (5, "hub")], 5)


def test_a_wake_ends_a_wait_and_leaves_no_alarm(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    wakers: list[Waker] = []

    def wait() -> None:
        wakers.append(actors.waker())
        note(actors.wait(wakers[0], 100))

    actors.spawn("a", wait)
    agenda.after(4, lambda: wakers[0].wake())
    agenda.run()
    assert (log, agenda.now_s) == ([(4, True)], 4)
    wakers[0].wake()


def test_a_wait_times_out(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    actors.spawn("a", lambda: note(actors.wait(actors.waker(), 5), actors.wait(actors.waker(), -1)))
    agenda.run()
    assert log == [(5, False, False)]


def test_who_was_woken_before_does_not_wait(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    def wait() -> None:
        waker = actors.waker()
        waker.wake()
        note(actors.wait(waker), actors.wait(waker, 5))

    actors.spawn("a", wait)
    agenda.run()
    assert log == [(0, True, True)]


@pytest.mark.parametrize("in_actor", [True, False])
@pytest.mark.parametrize("wake_first", [True, False])
def test_of_a_wake_and_a_time_out_at_the_same_moment_the_first_planned_counts(
    agenda: Agenda, actors: Actors, log: Log, note: Note, in_actor: bool, wake_first: bool
) -> None:
    def wait() -> None:
        waker = actors.waker()
        if wake_first:
            agenda.after(5, waker.wake)
        else:
            agenda.after(1, lambda: agenda.after(4, waker.wake))
        note(actors.wait(waker, 5))

    if in_actor:
        actors.spawn("a", wait)
        agenda.run()
    else:
        wait()
    assert log == [(5, wake_first)]


def test_one_actor_wakes_another_which_runs_after_it(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    waker = actors.waker()  # made by the hub, it belongs to whoever waits for it first

    def wake() -> None:
        actors.sleep(2)
        waker.wake()
        note("has woken")

    actors.spawn("a", lambda: note(actors.wait(waker)))
    actors.spawn("b", wake)
    agenda.run()
    assert log == [(2, "has woken"), (2, True)]


def test_two_actors_cannot_wait_for_one_waker(agenda: Agenda, actors: Actors) -> None:
    waker = actors.waker()
    actors.spawn("a", lambda: actors.wait(waker, 5))
    other = actors.spawn("b", lambda: actors.wait(waker, 5))
    agenda.run()
    assert str(other.error) == "b cannot wait for a waker of a"


def test_the_hub_waits_for_an_actor(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    waker = actors.waker()
    actors.spawn("a", lambda: [actors.sleep(3), waker.wake(), actors.sleep(9)])
    assert actors.wait(waker, 5) is True
    assert agenda.now_s == 3
    assert actors.wait(actors.waker(), 5) is False
    assert agenda.now_s == 8
    assert actors.wait(actors.waker()) is False  # and nothing is planned any more
    assert agenda.now_s == 12


# --- starting and ending


def test_actors_spawn_actors(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    def grow(depth: int) -> None:
        note(depth)
        if depth < 3:
            for _ in range(2):
                actors.spawn(f"{depth + 1}", lambda: grow(depth + 1))
            actors.sleep(1)

    actors.spawn("0", lambda: grow(0))
    agenda.run()
    assert log == [(0, 0)] + [(0, 1)] * 2 + [(0, 2)] * 4 + [(0, 3)] * 8


def test_the_current_actor(agenda: Agenda, actors: Actors) -> None:
    seen: list[Actor | None] = []
    actor = actors.spawn("a", lambda: [actors.sleep(1), seen.append(actors.current)])
    agenda.after(0.5, lambda: seen.append(actors.current))
    agenda.run()
    assert seen == [None, actor]
    assert actors.current is None


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(2), KeyboardInterrupt()])
def test_what_an_actor_raises_is_kept_and_hurts_nobody(
    agenda: Agenda, actors: Actors, log: Log, note: Note, error: BaseException
) -> None:
    def fail() -> None:
        actors.sleep(1)
        raise error

    def ended(actor: Actor) -> None:
        note(actor.name, actor.error, actor.is_over, actors.current)

    actor = actors.spawn("a", fail, ended)
    good = actors.spawn("b", lambda: actors.sleep(2), ended)
    agenda.run()
    assert log == [(1, "a", error, True, None), (2, "b", None, True, None)]
    assert (actor.is_killed, good.is_killed) == (False, False)


def test_what_a_watcher_raises_comes_out_of_the_run(agenda: Agenda, actors: Actors) -> None:
    def watch(actor: Actor) -> None:
        raise ValueError(f"{actor.name} ended")

    actors.spawn("a", lambda: actors.sleep(1), watch)
    with pytest.raises(ValueError, match=r"^a ended$"):
        agenda.run()


def test_ten_thousand_actors(agenda: Agenda, actors: Actors) -> None:
    order: list[int] = []

    def work(number: int) -> None:
        actors.sleep(number % 100)
        actors.sleep(100 - number % 100)
        order.append(number)

    for number in range(10_000):
        actors.spawn(f"{number}", lambda number=number: work(number))  # type: ignore[misc]
    agenda.run()
    assert order == sorted(range(10_000), key=lambda number: number % 100)
    assert (agenda.now_s, actors.running) == (100, {})


def test_actors_that_ended_are_not_kept(agenda: Agenda, actors: Actors) -> None:
    references: list[weakref.ref[Any]] = []

    def work() -> None:
        kept = Kept()
        references.append(weakref.ref(kept))
        actors.sleep(1)

    for _ in range(3):
        actor = actors.spawn("a", work)
        references.append(weakref.ref(actor))
        del actor
    agenda.run()
    gc.collect()
    assert [reference() for reference in references] == [None] * 6


def test_an_actor_must_not_let_time_pass(agenda: Agenda, actors: Actors) -> None:
    actors.spawn("a", lambda: actors.sleep(1))
    wrong = actors.spawn("b", lambda: agenda.advance(5))
    agenda.run()
    assert str(wrong.error).startswith("only the hub can let time pass")


def test_strangers_cannot_wait(agenda: Agenda, actors: Actors) -> None:
    errors: list[str] = []

    def try_it() -> None:
        for wait in (lambda: actors.sleep(1), lambda: actors.wait(Waker(), 1)):
            try:
                wait()
            except RuntimeError as error:
                errors.append(str(error))

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert errors == ["only the actors of this world and its hub can wait in it"] * 2
    assert agenda.now_s == 0


# --- interrupts


@pytest.mark.parametrize("wait", ["sleep", "wait", "wait with time-out"])
def test_a_handler_runs_where_the_actor_waits_and_the_wait_goes_on(
    agenda: Agenda, actors: Actors, log: Log, note: Note, wait: str
) -> None:
    waker = Waker()

    def run() -> None:
        if wait == "sleep":
            actors.sleep(10)
        else:
            actors.wait(waker, None if wait == "wait" else 10)
        note("goes on")

    actor = actors.spawn("a", run)
    agenda.after(10, waker.wake)
    agenda.after(3, lambda: actor.interrupt(lambda: note("handler", actors.current is actor)))
    agenda.run()
    assert log == [(3, "handler", True), (10, "goes on")]


@pytest.mark.parametrize(("handler_s", "end_s"), [(2, 10), (20, 23)])
def test_a_handler_may_wait_itself(
    agenda: Agenda, actors: Actors, log: Log, note: Note, handler_s: float, end_s: float
) -> None:
    actor = actors.spawn("a", sleeper(actors, note))
    agenda.after(3, lambda: actor.interrupt(lambda: [actors.sleep(handler_s), note("handled")]))
    agenda.run()
    assert log == [(3 + handler_s, "handled"), (end_s, "slept")]


def test_handlers_nest(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    actor = actors.spawn("a", sleeper(actors, note))
    agenda.after(2, lambda: actor.interrupt(lambda: [actors.sleep(4), note("outer")]))
    agenda.after(3, lambda: actor.interrupt(lambda: [actors.sleep(1), note("inner")]))
    agenda.run()
    assert log == [(4, "inner"), (6, "outer"), (10, "slept")]


def test_an_inner_handler_that_raises_ends_the_outer_one_too(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    def fail() -> None:
        raise ValueError("inner")

    actor = actors.spawn("a", sleeper(actors, note))
    agenda.after(2, lambda: actor.interrupt(lambda: [actors.sleep(4), note("never")]))
    agenda.after(3, lambda: actor.interrupt(fail))
    agenda.run()
    assert (log, agenda.now_s) == ([(3, "raised", "inner")], 3)


def test_two_interrupts_at_once_run_in_order(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    actor = actors.spawn("a", sleeper(actors, note))

    def interrupt() -> None:
        actors.sleep(3)
        for name in ("first", "second"):
            actor.interrupt(lambda name=name: note(name))  # type: ignore[misc]

    actors.spawn("b", interrupt)
    agenda.run()
    assert log == [(3, "first"), (3, "second"), (10, "slept")]


def test_an_interrupt_that_was_pending_when_another_raised_runs_in_the_next_wait(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    def run() -> None:
        sleeper(actors, note)()
        sleeper(actors, note)()

    def fail() -> None:
        raise ValueError("first")

    actor = actors.spawn("a", run)
    actors.spawn(
        "b", lambda: [actors.sleep(3), actor.interrupt(fail), actor.interrupt(lambda: note("second"))]
    )
    agenda.run()
    assert log == [(3, "raised", "first"), (3, "second"), (13, "slept")]


def test_an_interrupt_before_the_start_waits_for_the_first_wait(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    note("before")
    agenda.after(0, lambda: note("planned"))
    actor = actors.spawn("a", lambda: [note("begins"), actors.sleep(1), note("ends")])
    actor.interrupt(lambda: note("handler"))
    assert log == [(0, "before")]
    agenda.run()
    assert log[1:] == [(0, "planned"), (0, "begins"), (0, "handler"), (1, "ends")]


def test_an_actor_that_interrupts_itself_runs_the_handler_at_once(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    def run() -> None:
        actor = actors.current
        assert actor is not None
        actor.interrupt(lambda: [actors.sleep(1), note("handler")])
        note("after")

    actors.spawn("a", run)
    agenda.run()
    assert log == [(1, "handler"), (1, "after")]


def test_an_interrupt_of_the_dead_is_harmless(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    over = actors.spawn("over", lambda: None)
    killed = actors.spawn("killed", sleeper(actors, note))
    agenda.after(1, killed.kill)
    for after_s in (2, 1):  # pending, when it is killed, and when it is dead
        agenda.after(after_s, lambda: [actor.interrupt(lambda: note("never")) for actor in (over, killed)])
    agenda.run()
    assert log == []


def test_an_interrupt_by_an_actor_that_the_end_overtakes_is_lost(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    actor = actors.spawn("a", sleeper(actors, note, 5))
    actors.spawn("b", lambda: [actors.sleep(5), actor.interrupt(lambda: note("never"))])
    agenda.run()
    assert log == [(5, "slept")]


# --- death


@pytest.mark.parametrize("by", ["hub", "actor", "itself", "its handler"])
def test_nothing_of_a_killed_actor_has_an_effect(
    agenda: Agenda, actors: Actors, log: Log, note: Note, by: str
) -> None:
    tried: list[str] = []
    waker = Waker()

    def try_to(*actions: Callable[[], object]) -> None:
        for action in actions:
            try:
                action()
            except ActorKilled as error:
                tried.append(type(error).__name__)

    def run() -> None:
        try:
            if by == "itself":
                actors.sleep(5)
                actor.kill()
            actors.sleep(100)
        finally:
            try_to(
                lambda: actors.sleep(1),
                lambda: actors.wait(actors.waker(), 1),
                lambda: actors.spawn("child", lambda: note("child")),
            )
            agenda.after(1, lambda: note("planned"))
            waker.wake()
            other.interrupt(lambda: note("interrupted"))
            other.kill()
            actor.kill()
            actors.sleep(1)
            note("effect")

    actor = actors.spawn("a", run, lambda actor: note("ended", actor.name, actor.error, actors.current))
    other = actors.spawn("other", lambda: [actors.wait(waker, 20), note("other", waker.is_awake)])
    if by == "hub":
        agenda.after(5, actor.kill)
    elif by == "actor":
        actors.spawn("killer", lambda: [actors.sleep(5), actor.kill()])
    elif by == "its handler":
        agenda.after(5, lambda: actor.interrupt(lambda: [actor.kill(), note("handler")]))
    agenda.after(5.5, lambda: note(list(tried), actor.is_over, actor.is_killed, len(actors.running)))
    agenda.run()
    expected: Log = [(5, "ended", "a", None, None), (5.5, [], True, True, 2), (20, "other", False)]
    assert log == expected
    actors.close()
    agenda.run()
    assert log == expected
    assert (tried, actor.error, actors.running) == (["ActorKilled"] * 3, None, {})


def test_killed_before_it_began(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    actor = actors.spawn("a", lambda: note("never"), lambda _: note("ended"))
    actor.kill()
    actor.kill()
    agenda.run()
    assert log == [(0, "ended")]


def test_what_the_dead_raise_is_nobodys_business(agenda: Agenda, actors: Actors) -> None:
    raised: list[str] = []

    def run() -> None:
        try:
            actors.sleep(100)
        finally:
            raised.append("at close")
            raise ValueError("at close")

    actor = actors.spawn("a", run)
    agenda.after(1, actor.kill)
    agenda.run()
    actors.close()
    assert (raised, actor.error) == (["at close"], None)


def test_killed_while_a_handler_runs(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    def handler() -> None:
        try:
            actors.sleep(5)
        finally:
            actors.sleep(1)
            note("never")

    actor = actors.spawn("a", sleeper(actors, note))
    agenda.after(1, lambda: actor.interrupt(handler))
    agenda.after(3, actor.kill)
    agenda.after(2, lambda: note("alive", actor.is_over))
    agenda.run()
    actors.close()
    assert log == [(2, "alive", False)]


def test_a_kill_overtakes_a_wake_of_the_same_moment(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    actor = actors.spawn("a", sleeper(actors, note, 5))
    actors.spawn("killer", lambda: None)
    agenda.after(5, actor.kill)  # planned before the sleep
    agenda.run()
    assert (log, agenda.now_s, actor.is_killed) == ([], 5, True)


def test_close_ends_the_living_too_without_a_word(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    references: list[weakref.ref[Kept]] = []

    def run() -> None:
        kept = Kept()
        references.append(weakref.ref(kept))
        try:
            actors.sleep(100)
        finally:
            actors.spawn("child", lambda: note("child"))

    living = actors.spawn("living", run, lambda _: note("ended"))
    killed = actors.spawn("killed", run)
    agenda.advance(1)
    killed.kill()
    unborn = actors.spawn("unborn", lambda: note("unborn"))
    actors.close()
    agenda.run()
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    assert log == []
    assert [actor.is_over for actor in (living, killed, unborn)] == [True] * 3
    actors.close()


def test_close_leaves_alone_what_the_world_has_planned(
    agenda: Agenda, actors: Actors, log: Log, note: Note
) -> None:
    def run() -> None:
        try:
            actors.sleep(100)
        finally:
            agenda.at(0, lambda: note("never"))

    actors.spawn("a", run)
    agenda.after(5, lambda: note("event"))
    agenda.advance(1)
    actors.close()
    agenda.advance(10)
    assert log == [(5, "event")]


def test_close_gives_up_on_code_that_catches_everything(agenda: Agenda, actors: Actors) -> None:
    tries = 0

    def run() -> None:
        nonlocal tries
        while True:
            try:
                actors.sleep(1)
            except BaseException:  # noqa: BLE001 - as bad code does
                tries += 1

    actors.spawn("stubborn", run)
    agenda.advance(3)
    with pytest.warns(ResourceWarning, match=r"^stubborn will not end: its stack stays$"):
        actors.close()
    assert tries > 1
    assert actors.running == {}


def test_only_the_hub_closes(agenda: Agenda, actors: Actors) -> None:
    actor = actors.spawn("a", actors.close)
    agenda.run()
    assert str(actor.error) == "only the hub can close the world"


def test_no_handler_for_exceptions_catches_death() -> None:
    assert not issubclass(ActorKilled, Exception)


# --- clocks


def test_an_actor_sleeps_by_the_virtual_clock(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    clock: Clock = VirtualClock(agenda, actors)
    actors.spawn("a", lambda: [clock.sleep(5), note(clock.monotonic())])
    actors.spawn("b", lambda: [clock.sleep(3), note(clock.now())])
    clock.sleep(4)
    note("hub")
    clock.sleep(4)
    assert log == [(3, datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)), (4, "hub"), (5, 5)]


def test_a_paced_clock_may_follow_a_virtual_one(agenda: Agenda, actors: Actors, log: Log, note: Note) -> None:
    clock = PacedClock(VirtualClock(agenda, actors), pace=60)
    actors.spawn("a", lambda: [clock.sleep(120), note(clock.monotonic())])
    agenda.run()
    assert log == [(2, 120)]
