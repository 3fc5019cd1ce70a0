"""Job arrays: how they are written, and how their tasks run."""

import re

import pytest

from lute.slurm.states import SlurmState
from simulators.slurm.arrays import parse_array, shown_id
from simulators.slurm.controller import UnknownJobError
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel
from tests.simulators.slurm.virtual import Virtual


@pytest.mark.parametrize(
    ("text", "tasks", "throttle"),
    [
        ("0", [0], 0),
        ("1-3", [1, 2, 3], 0),
        ("7,1-3,2", [1, 2, 3, 7], 0),
        ("3-7:2%1", [3, 5, 7], 1),
        ("0-1000%500", list(range(1001)), 500),
        ("1-4:9", [1], 0),
    ],
)
def test_reading(text: str, tasks: list[int], throttle: int) -> None:
    spec = parse_array(text)
    assert (list(spec.tasks), spec.throttle) == (tasks, throttle)


@pytest.mark.parametrize(
    "text", ["", "a", "3-1", "1-5:0", "1001", "1-", "-1", "1,,2", "1%", "1%x", "%2", "1%2%3", "1:2", "²"]
)
def test_what_is_no_array(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(text)}$"):
        parse_array(text)


def shown(virtual: Virtual, array: Job, state: SlurmState) -> list[str]:
    return [shown_id(task) for task in virtual.tasks(array.id) if task.state is state]


def test_the_last_task_keeps_the_id_of_the_array() -> None:
    virtual = Virtual()
    array = virtual.submit(array="1-3")
    assert shown_id(array) == "1_[1-3]"
    virtual.pass_time(5)
    assert {shown_id(task): task.id for task in virtual.tasks(1)} == {
        "1_3": 1,
        "1_1": 2,
        "1_2": 3,
    }  # measured
    virtual.agenda.run()
    assert [task.state for task in virtual.tasks(1)] == [SlurmState.COMPLETED] * 3


def test_no_more_tasks_run_than_may() -> None:
    virtual = Virtual()
    array = virtual.submit(100, array="1-9:2%2")
    virtual.pass_time(5)
    assert shown(virtual, array, SlurmState.RUNNING) == ["1_1", "1_3"]
    assert (shown_id(array), array.reason) == ("1_[5,7,9%2]", "JobArrayTaskLimit")
    virtual.pass_time(100)
    assert shown(virtual, array, SlurmState.RUNNING) == ["1_5", "1_7"]
    virtual.agenda.run()
    assert len(shown(virtual, array, SlurmState.COMPLETED)) == 5


@pytest.mark.parametrize("disturb", ["requeue", "split"])
def test_tasks_on_their_own_count_too(disturb: str) -> None:
    virtual = Virtual()
    array = virtual.submit(300, array="1-6%2")
    if disturb == "split":
        virtual.controller.split_task(array, 4)
        virtual.controller.split_task(array, 5)
    virtual.pass_time(5)
    if disturb == "requeue":
        virtual.controller.requeue(virtual.tasks(array.id)[1].id)
    most = 0
    while virtual.step():
        virtual.check()
        most = max(most, len(shown(virtual, array, SlurmState.RUNNING)))
    assert most == 2
    assert len(shown(virtual, array, SlurmState.COMPLETED)) == 6


def test_cancelling_a_running_task_lets_the_next_one_start() -> None:
    virtual = Virtual()
    array = virtual.submit(100, array="1-3%1")
    virtual.pass_time(5)
    first = virtual.tasks(array.id)[1]
    virtual.controller.cancel(first.id)
    virtual.pass_time(5)
    assert (shown_id(first), first.state) == ("1_1", SlurmState.CANCELLED)
    assert shown(virtual, array, SlurmState.RUNNING) == ["1_2"]
    assert virtual.ends == {first.id: 1}


def test_cancelling_one_waiting_task() -> None:
    virtual = Virtual()
    array = virtual.submit(array="1-3", hold=True)
    task = virtual.controller.split_task(array, 2)
    virtual.controller.cancel(task.id)
    assert (shown_id(array), shown_id(task), task.state) == ("1_[1,3]", "1_2", SlurmState.CANCELLED)
    with pytest.raises(UnknownJobError, match="1_2"):
        virtual.controller.split_task(array, 2)
    virtual.controller.hold(array.id, by="")
    virtual.agenda.advance(virtual.agenda.now_s + 60)
    assert shown(virtual, array, SlurmState.COMPLETED) == ["1_3", "1_1"]


def test_the_last_waiting_task_is_the_record_itself() -> None:
    virtual = Virtual()
    array = virtual.submit(array="4", hold=True)
    assert virtual.controller.split_task(array, 4) is array
    assert shown_id(array) == "1_4"


def test_a_cancelled_array_has_no_tasks_to_split() -> None:
    virtual = Virtual()
    array = virtual.submit(array="1-3")
    virtual.controller.cancel(array.id)
    with pytest.raises(UnknownJobError):
        virtual.controller.split_task(array, 2)
    virtual.agenda.run()
    assert virtual.ends == {array.id: 1}


def test_a_dependency_on_an_array_waits_for_every_task() -> None:
    def model(job: Job) -> JobModel:
        return JobModel(2000 if job.array and job.array.task_id == 1 else 1)

    virtual = Virtual()
    array = virtual.submit(model=model, array="1-2")
    child = virtual.submit(dependency=f"afterok:{array.id}")
    virtual.pass_time(900)
    assert array.id not in virtual.cluster.jobs  # its last task is forgotten
    virtual.submit()
    virtual.pass_time(60)
    assert (child.state, child.reason) == (SlurmState.PENDING, "Dependency")
    virtual.agenda.run()
    assert child.state is SlurmState.COMPLETED
