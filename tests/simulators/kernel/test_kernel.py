"""Time, events, seeds and traces: the same program always runs the same way."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.kernel.clock import PacedClock, VirtualClock
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace
from tests.fakes import FakeClock


def test_events_happen_by_time_then_priority_then_sequence() -> None:
    agenda, log = Agenda(10.0), list[tuple[float, str]]()
    for time_s, priority, name in [(12, 0, "c"), (12, -1, "b"), (11, 5, "a"), (12, 0, "d")]:
        agenda.at(time_s, lambda name=name: log.append((agenda.now_s, name)), priority)  # type: ignore[misc]
    agenda.run()
    assert log == [(11, "a"), (12, "b"), (12, "c"), (12, "d")]


def test_advance_does_what_is_due_and_no_more() -> None:
    agenda, log = Agenda(), list[float]()
    agenda.after(1, lambda: agenda.after(1, lambda: log.append(agenda.now_s)))
    agenda.after(3, lambda: log.append(agenda.now_s))
    cancelled = agenda.after(0.5, lambda: log.append(-1))
    cancelled.cancel()
    assert agenda.next_time_s == 1
    agenda.advance(2.5)
    assert (log, agenda.now_s, agenda.next_time_s) == ([2], 2.5, 3)
    agenda.advance(9)
    assert (log, agenda.now_s, agenda.next_time_s) == ([2, 3], 9, None)


@pytest.mark.parametrize("back", [lambda agenda: agenda.at(4, list), lambda agenda: agenda.advance(4)])
def test_time_cannot_go_back(back: object) -> None:
    with pytest.raises(ValueError, match=r"^time cannot go back: 4 is before 5"):
        back(Agenda(5))  # type: ignore[operator]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 2)), max_size=60))
def test_the_order_is_that_of_a_stable_sort(planned: list[tuple[int, int]]) -> None:
    agenda, seen = Agenda(), list[int]()
    for number, (time_s, priority) in enumerate(planned):
        agenda.at(time_s, lambda number=number: seen.append(number), priority)  # type: ignore[misc]
    agenda.run()
    assert seen == sorted(range(len(planned)), key=lambda number: planned[number])


def test_a_virtual_sleep_lets_events_happen() -> None:
    agenda = Agenda(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
    clock, seen = VirtualClock(agenda), list[datetime]()
    agenda.after(60, lambda: seen.append(clock.now()))
    clock.sleep(90)
    assert seen == [datetime(2026, 11, 22, 0, 1, tzinfo=UTC)]
    assert clock.monotonic() == agenda.now_s
    clock.sleep(-1)
    assert clock.now() == datetime(2026, 11, 22, 0, 1, 30, tzinfo=UTC)


def test_a_paced_clock_runs_faster() -> None:
    base = FakeClock()
    clock, start = PacedClock(base, pace=60), base.now()
    mark = clock.monotonic()
    clock.sleep(120)
    assert (base.now() - start).total_seconds() == 2
    assert (clock.now() - start).total_seconds() == 120
    assert clock.monotonic() - mark == 120
    with pytest.raises(ValueError, match="pace must be above 0"):
        PacedClock(base, pace=0)


def test_streams_do_not_touch_each_other() -> None:
    one, two = Seeds(7), Seeds(7)
    one.stream("jid.latency").random()
    assert one.stream("slurm.wait").random() == two.stream("slurm.wait").random()
    assert Seeds(8).stream("slurm.wait").random() != Seeds(7).stream("slurm.wait").random()
    assert one.stream("slurm.wait") is one.stream("slurm.wait")


def test_streams_are_the_same_in_another_process() -> None:
    code = "from simulators.kernel.seeds import Seeds; print(Seeds(7).stream('a').random())"
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)
    }
    assert outputs == {f"{Seeds(7).stream('a').random()}\n".encode()}


def test_equal_runs_have_equal_digests() -> None:
    lines: list[str] = []
    one, two = Trace(lines.append), Trace()
    for trace in (one, two):
        trace.note(1.0000000001, "slurm", "job_start", nodes=["a"], id=1)
    assert one.digest == two.digest
    assert json.loads(lines[0]) == {"t": 1.0, "actor": "slurm", "event": "job_start", "nodes": ["a"], "id": 1}
    two.note(2, "slurm", "job_end", id=1)
    assert (one.digest != two.digest, one.length, two.length) == (True, 1, 2)
