"""How often Airflow is asked, and what is done between two polls."""

import pytest

from lute.airflow_api.models import RunState, TaskInstance, TaskState
from lute.launch.watch import RunRef, watch
from tests.fakes import FakeClock


class FakeClient:
    """An Airflow with one long run of so many tasks."""

    def __init__(self, clock: FakeClock, tasks: int, ends_at_s: float, run_ends_late_s: float = 0.0) -> None:
        self._clock = clock
        self._run_ends_at_s = ends_at_s + run_ends_late_s
        self._tasks = tasks
        self._ends_at_s = ends_at_s
        self.requests = 5
        self.polls: list[float] = []

    def task_instances(self, *_run: str) -> list[TaskInstance]:
        self.requests += 1 + (self._tasks - 1) // 100
        self.polls.append(self._clock.monotonic())
        state = TaskState.SUCCESS if self._clock.monotonic() >= self._ends_at_s else TaskState.RUNNING
        return [TaskInstance(f"t{number}", -1, state, 1) for number in range(self._tasks)]

    def run_state(self, *_run: str) -> RunState:
        self.requests += 1
        return RunState.SUCCESS if self._clock.monotonic() >= self._run_ends_at_s else RunState.RUNNING


def seen(clock: FakeClock, client: FakeClient, **more: object) -> list[RunState]:
    polls = watch(client, RunRef("d", "r"), clock, queued_limit_s=1e9, **more)  # type: ignore[arg-type]
    return [state for state, _ in polls]


@pytest.mark.parametrize("tasks", [1, 100, 101, 350, 2000])
@pytest.mark.parametrize("minutes", [5, 60])
def test_a_run_of_any_size_costs_less_than_a_request_in_two_seconds(tasks: int, minutes: int) -> None:
    clock = FakeClock()
    client = FakeClient(clock, tasks, minutes * 60.0)
    assert seen(clock, client) == [RunState.RUNNING, RunState.SUCCESS]
    assert client.requests / clock.elapsed_s <= 0.5
    assert clock.elapsed_s - minutes * 60 <= max(10, 7 * tasks / 100 + 7), "its end is seen soon"


def test_a_short_run_is_looked_at_every_second() -> None:
    clock = FakeClock()
    client = FakeClient(clock, 5, 9.5)
    seen(clock, client)
    assert client.polls == [float(second) for second in range(11)] + [10.0]


def test_once_the_last_task_has_ended_the_end_of_the_run_is_looked_for_at_once() -> None:
    clock = FakeClock()
    client = FakeClient(clock, 5, 2.5, run_ends_late_s=0.7)
    assert seen(clock, client) == [RunState.RUNNING, RunState.RUNNING, RunState.SUCCESS]
    assert client.polls == pytest.approx([0.0, 1.0, 2.0, 3.0, 3.3, 3.3])


def test_a_run_that_does_not_end_though_its_tasks_have_is_asked_more_and_more_seldom() -> None:
    clock = FakeClock()
    client = FakeClient(clock, 5, 0.0, run_ends_late_s=600.0)
    seen(clock, client)
    assert client.requests / clock.elapsed_s <= 0.5


def test_many_requests_of_others_do_not_stop_it() -> None:
    clock = FakeClock()
    client = FakeClient(clock, 5, 200.0)
    clock.at_sleep = lambda now_s: setattr(client, "requests", 1000) if now_s < 60 else None
    seen(clock, client)
    pauses = [after - before for before, after in zip(client.polls, client.polls[1:], strict=False)]
    assert max(pauses) <= 10.0, "or it would overlook the end"


def test_chores_are_done_before_each_wait() -> None:
    clock = FakeClock()
    done: list[float] = []
    seen(clock, FakeClient(clock, 1, 3.5), chores=[lambda: done.append(clock.elapsed_s)])
    assert done == [0.0, 1.0, 2.0, 3.0]
