"""Steps that ended without a word are looked after while the run goes on."""

import pytest

from lute.airflow_api.models import TaskInstance, TaskState
from lute.jid.submission import step_mark_prefix
from lute.launch.leftovers import Leftovers
from lute.launch.steps import Step, StepJob, Steps
from lute.launch.sweep import Sweep
from lute.slurm.commands import SlurmCommands
from tests.fakes import FakeClock
from tests.lute.launch.test_sweep import RUN, FakeSlurm

TASK = "group.a b"
NO_JOB = StepJob()
QUEUE = [
    f"1|RUNNING|{step_mark_prefix(RUN.dag_id, RUN.run_id, TASK, -1)}1",
    f"2|RUNNING|{step_mark_prefix(RUN.dag_id, RUN.run_id, TASK, 1)}1",
    f"3|RUNNING|{step_mark_prefix(RUN.dag_id, RUN.run_id, 'other', -1)}1",
]


def cancelled(
    state: TaskState,
    *,
    spoken: bool,
    job: StepJob = NO_JOB,
    after_s: float = 100,
) -> tuple[list[str], int]:
    """Return what is cancelled, and how often squeue is asked, when a step has been in a state for long."""
    slurm, clock, steps = FakeSlurm(*QUEUE), FakeClock(), Steps()
    steps.update([TaskInstance(TASK, -1, state, 1)])
    for step in steps:
        step.has_spoken, step.job = spoken, job
    sweep = Sweep(SlurmCommands(slurm, {}, timeout_s=5), RUN, clock, lambda _line: None)  # type: ignore[arg-type]
    chore = Leftovers(steps, sweep, clock)
    while clock.elapsed_s < after_s:
        chore.poll()
        clock.sleep(3)
    return slurm.cancelled, slurm.asked


def test_the_jobs_of_that_step_alone_are_cancelled() -> None:
    assert cancelled(TaskState.FAILED, spoken=False) == (["1"], 2)


def test_a_step_whose_job_was_not_seen_to_end_is_looked_after() -> None:
    assert cancelled(TaskState.FAILED, spoken=True, job=StepJob("1", "RUNNING"))[0] == ["1"]


@pytest.mark.parametrize("status", ["DONE", "FAILED", "EXITED"])
def test_a_step_whose_job_has_ended_costs_no_look(status: str) -> None:
    assert cancelled(TaskState.FAILED, spoken=True, job=StepJob("1", status)) == ([], 0)


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.UP_FOR_RETRY, TaskState.DEFERRED])
def test_a_step_that_goes_on_is_left_alone(state: TaskState) -> None:
    assert cancelled(state, spoken=False) == ([], 0)


def test_the_step_has_time_to_do_it_itself() -> None:
    assert cancelled(TaskState.FAILED, spoken=False, after_s=5) == ([], 0)


class FakeSweep:
    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.looked: list[tuple[str, int, float]] = []

    def step(self, step: Step) -> None:
        self.looked.append((step.label, step.instance.try_number, self.clock.elapsed_s))


def test_a_silent_end_is_looked_after_twice_for_each_try() -> None:
    clock, steps = FakeClock(), Steps()
    sweep = FakeSweep(clock)
    leftovers = Leftovers(steps, sweep, clock)  # type: ignore[arg-type]
    for number in (1, 2):
        instances = [
            TaskInstance("Running", -1, TaskState.RUNNING, 1),
            TaskInstance("Told", -1, TaskState.FAILED, 1),
            TaskInstance("Silent", -1, TaskState.FAILED, number),
            TaskInstance("Left", -1, TaskState.SUCCESS, 1),
        ]
        steps.update(instances)
        steps.of(instances[1]).job = StepJob("6", "FAILED")
        steps.of(instances[2]).has_spoken = False
        steps.of(instances[3]).job = StepJob("8", "RUNNING")
        for _ in range(200):
            leftovers.poll()
            clock.sleep(0.5)
    assert sweep.looked == [
        ("Silent", 1, 5.0),
        ("Left", 1, 5.0),
        ("Silent", 1, 40.0),
        ("Left", 1, 40.0),
        ("Silent", 2, 105.0),
        ("Silent", 2, 140.0),
    ]
