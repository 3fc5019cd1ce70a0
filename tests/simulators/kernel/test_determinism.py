"""The same program takes the same turns: random programs of actors and coroutines, each run twice."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.kernel.actors import ActorKilled, Actors, Waker
from simulators.kernel.aio import AsyncActor
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace

Step: TypeAlias = tuple[str, int, float]
"""What to do, to which actor, for how many seconds."""

MOMENTS_S = st.sampled_from([0.0, 0.1, 0.3, 1.0, 1 / 3, 2.5])  # few, so that many are equal
ACTIONS = st.sampled_from(
    ["sleep", "wait", "wake", "interrupt", "sleepy interrupt", "raise", "kill", "spawn"]
)
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 3), MOMENTS_S), max_size=8)
PROGRAMS = st.lists(STEPS, min_size=1, max_size=4)


class Told(Exception):
    """Raised by an interrupt."""


@dataclass(frozen=True)
class Run:
    """What a program did."""

    log: tuple[object, ...]
    sleeps: tuple[tuple[float, float], ...]
    """Asked for, and got."""


def run(program: list[list[Step]], start_s: float) -> Run:
    """Run a program, one list of steps an actor; a spawned one follows the list after its maker's."""
    agenda = Agenda(start_s)
    actors = Actors(agenda)
    log: list[object] = []
    sleeps: list[tuple[float, float]] = []
    wakers = [Waker() for _ in program]
    made = []

    def note(name: str, *what: object) -> None:
        log.append((agenda.now_s, name, *what))

    def sleep(duration_s: float) -> None:
        before_s = agenda.now_s
        actors.sleep(duration_s)
        sleeps.append((duration_s, agenda.now_s - before_s))

    def tell() -> None:
        raise Told

    def do(name: str, number: int, step: Step) -> None:
        action, other, duration_s = step
        target = made[other % len(made)]
        if action == "sleep":
            sleep(duration_s)
        elif action == "wait":
            wakers[number] = actors.waker()
            note(name, actors.wait(wakers[number], duration_s))
        elif action == "wake":
            wakers[other % len(wakers)].wake()
        elif action == "interrupt":
            target.interrupt(lambda: note(target.name, "interrupted by", name))
        elif action == "sleepy interrupt":
            target.interrupt(lambda: [sleep(duration_s), note(target.name, "slept for", name)])
        elif action == "raise":
            target.interrupt(tell)
        elif action == "kill":
            target.kill()
        elif action == "spawn" and len(made) < 20:
            start((number + 1) % len(program))

    def live(name: str, number: int) -> None:
        try:
            for step in program[number]:
                try:
                    do(name, number, step)
                except Told:
                    note(name, "told")
                note(name, step[0])
        except ActorKilled:
            note(name, "has an effect")

    def start(number: int) -> None:
        name = f"{number}.{len(made)}"
        made.append(actors.spawn(name, lambda: live(name, number), lambda actor: note(actor.name, "over")))

    for number in range(len(program)):
        start(number)
    agenda.run()
    done = Run(tuple(log), tuple(sleeps))
    assert [actor.error for actor in made] == [None] * len(made)
    actors.close()
    return done


@settings(max_examples=200, deadline=None)
@given(PROGRAMS, st.sampled_from([0.0, 1_795_000_000.0]))
def test_random_programs_run_the_same_way_twice(program: list[list[Step]], start_s: float) -> None:
    one, two = run(program, start_s), run(program, start_s)
    assert one == two
    times_s = [entry[0] for entry in one.log]  # type: ignore[index]
    assert times_s == sorted(times_s)
    assert not [entry for entry in one.log if "has an effect" in entry]  # type: ignore[operator]
    rounding_s = 1e-6 if start_s else 1e-12
    assert all(got_s >= asked_s - rounding_s for asked_s, got_s in one.sleeps)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(MOMENTS_S, min_size=1, max_size=5), min_size=1, max_size=30), st.integers(0, 30))
def test_ties_of_coroutines_fall_in_the_order_of_their_plans(
    plans: list[list[float]], cancelled: int
) -> None:
    def log_of() -> list[object]:
        agenda = Agenda(1_795_000_000.0)
        actors = Actors(agenda)
        runner = AsyncActor(actors, "loop")
        log: list[object] = []

        async def work(number: int, plan: list[float]) -> None:
            try:
                for duration_s in plan:
                    await asyncio.sleep(duration_s)
                    log.append((agenda.now_s, number))
            except asyncio.CancelledError:
                log.append((agenda.now_s, number, "cancelled"))

        async def group() -> None:
            async with asyncio.TaskGroup() as tasks:
                made = [tasks.create_task(work(number, plan)) for number, plan in enumerate(plans)]
                await asyncio.sleep(0.3)
                made[cancelled % len(made)].cancel()

        handle = runner.submit(group())
        agenda.run()
        handle.result()
        actors.close()
        return log

    assert log_of() == log_of()


PROGRAM = """
import asyncio
from simulators.kernel.actors import Actors
from simulators.kernel.aio import AsyncActor
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace

agenda, trace = Agenda(1_795_000_000.0), Trace()
actors = Actors(agenda)
draw = Seeds({seed}).stream("test")
runner = AsyncActor(actors, "loop")


async def trigger(name):
    try:
        for _ in range(5):
            await asyncio.sleep(draw.randrange(4))
            trace.note(agenda.now_s, name, "tick")
    finally:
        trace.note(agenda.now_s, name, "end")


def work(name):
    for _ in range(5):
        actors.sleep(draw.randrange(4))
        trace.note(agenda.now_s, name, "tick")


for number in range(20):
    runner.submit(trigger(f"trigger{{number}}"))
    actors.spawn(f"actor{{number}}", lambda number=number: work(f"actor{{number}}"))
agenda.after(6, runner.stop)
agenda.run()
print(trace.length, trace.digest)
"""


def digest(seed: int) -> bytes:
    """Run the program in a process of its own, where memory addresses and hashes of texts differ."""
    argv = [sys.executable, "-c", PROGRAM.format(seed=seed)]
    return subprocess.run(argv, capture_output=True, check=True).stdout


def test_one_seed_one_digest_in_every_process() -> None:
    assert len({digest(7) for _ in range(3)}) == 1


def test_another_seed_another_digest() -> None:
    assert digest(7) != digest(8)


def test_chance_outside_the_seed_shows_in_the_digest() -> None:
    """The twin: were the digest blind, the tests above could not fail."""

    def run_with(draws: list[int]) -> str:
        agenda, trace = Agenda(), Trace()
        actors = Actors(agenda)
        for number, draw in enumerate(draws):
            actors.spawn(
                f"{number}",
                lambda number=number, draw=draw: [  # type: ignore[misc]
                    actors.sleep(draw),
                    trace.note(agenda.now_s, f"{number}", "tick"),
                ],
            )
        agenda.run()
        return trace.digest

    assert run_with([1, 1, 1]) == run_with([1, 1, 1]) != run_with([1, 2, 1])
    assert Seeds(7).stream("a").random() == Seeds(7).stream("a").random()
