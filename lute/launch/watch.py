"""Following a DAG run to its end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState, TaskInstance
from lute.errors import PermanentError
from lute.seams import Clock

_SHORTEST_POLL_S = 1.0
_SHORTEST_BETWEEN_S = 0.3
"""While no task is under way: the run is about to begin or to end, and somebody waits for that."""
_LONGEST_POLL_S = 10.0
_POLL_AGE_FRACTION = 0.1
_PER_REQUEST_S = 2.7
"""So long a wait each request to Airflow costs, on average: less than one request in two seconds."""
_AT_ONCE = 45
_PAID_BACK_S = 150.0
"""So many requests may come before their waits, fewer and fewer until so long after the launch: a short run
must not be kept waiting for its own start."""
_LONGEST_PER_REQUEST_S = 7.0
"""No longer, for each request of a poll, for the sake of others, such as for the logs of many steps."""


@dataclass(frozen=True)
class RunRef:
    """One run of one DAG."""

    dag_id: str
    run_id: str


def watch(
    airflow: AirflowClient,
    run: RunRef,
    clock: Clock,
    *,
    queued_limit_s: float,
    chores: Sequence[Callable[[], None]] = (),
) -> Iterator[tuple[RunState, list[TaskInstance]]]:
    """Yield the run's state and its task instances whenever they changed; the last ones are the final ones.

    While a task is under way the run is, so that one request tells all. Polls fast after a change and
    slower while nothing happens, 1 s to 10 s, and from 0.3 s on where the run is about to end; a large
    run, of which a poll takes several requests, is polled in longer intervals.

    Args:
        chores: what else is to be done now and then, called before each wait.

    Raises:
        PermanentError: the run was still queued after `queued_limit_s` seconds.
        RemoteError: Airflow refused or was out of reach for too long.
    """
    started_s = changed_s = clock.monotonic()
    budget = _Budget(airflow, clock)
    before: object = None
    while True:
        asked_before = airflow.requests
        tasks = airflow.task_instances(run.dag_id, run.run_id)
        state, shortest_s = RunState.RUNNING, _SHORTEST_POLL_S
        if not any(task.state.is_underway for task in tasks):
            # The run may have ended, or not have begun.
            state, shortest_s = airflow.run_state(run.dag_id, run.run_id), _SHORTEST_BETWEEN_S
        poll_requests = airflow.requests - asked_before
        if state.is_final:
            # Once more, after the state: now no task changes any more.
            yield state, airflow.task_instances(run.dag_id, run.run_id)
            return
        now_s = clock.monotonic()
        if (state, tasks) != before:
            before, changed_s = (state, tasks), now_s
            yield state, tasks
        if state is RunState.QUEUED and now_s - started_s > queued_limit_s:
            raise PermanentError(
                f"Airflow has not started the run after {queued_limit_s:.0f} s",
                endpoint=f"{run.dag_id}/{run.run_id}",
                next_step="look in Airflow for other runs of this workflow, or ask its administrators",
            )
        for chore in chores:
            chore()
        wanted_s = max(shortest_s, (now_s - changed_s) * _POLL_AGE_FRACTION)
        clock.sleep(budget.wait_s(min(_LONGEST_POLL_S, wanted_s), poll_requests))


class _Budget:
    """Keeps the mean rate of requests low, however many a poll takes."""

    def __init__(self, airflow: AirflowClient, clock: Clock) -> None:
        self._airflow = airflow
        self._clock = clock
        self._started_s = clock.monotonic()

    def wait_s(self, wanted_s: float, poll_requests: int) -> float:
        """Return how long to wait before the next poll: `wanted_s`, or longer.

        Args:
            poll_requests: how many requests the last poll took.
        """
        age_s = self._clock.monotonic() - self._started_s
        at_once = _AT_ONCE * max(0.0, 1 - age_s / _PAID_BACK_S)
        owed_s = (self._airflow.requests - at_once) * _PER_REQUEST_S - age_s
        return max(wanted_s, min(owed_s, poll_requests * _LONGEST_PER_REQUEST_S))
