"""Following a DAG run to its end."""

from collections.abc import Iterator
from dataclasses import dataclass

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState, TaskInstance
from lute.errors import PermanentError
from lute.seams import Clock

_SHORTEST_POLL_S = 1.0
_LONGEST_POLL_S = 10.0
_POLL_AGE_FRACTION = 0.1


@dataclass(frozen=True)
class RunRef:
    """One run of one DAG."""

    dag_id: str
    run_id: str


def watch(
    airflow: AirflowClient, run: RunRef, clock: Clock, *, queued_limit_s: float
) -> Iterator[tuple[RunState, list[TaskInstance]]]:
    """Yield the run's state and its task instances whenever they changed; the last ones are the final ones.

    While a task is under way the run is, so that one request tells all. Polls fast after a change and
    slower while nothing happens, 1 s to 10 s.

    Raises:
        PermanentError: the run was still queued after `queued_limit_s` seconds.
        RemoteError: Airflow refused or was out of reach for too long.
    """
    started_s = changed_s = clock.monotonic()
    before: object = None
    while True:
        tasks = airflow.task_instances(run.dag_id, run.run_id)
        state = RunState.RUNNING
        if not any(task.state.is_underway for task in tasks):
            # The run may have ended, or not have begun.
            state = airflow.run_state(run.dag_id, run.run_id)
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
        clock.sleep(min(_LONGEST_POLL_S, max(_SHORTEST_POLL_S, (now_s - changed_s) * _POLL_AGE_FRACTION)))
