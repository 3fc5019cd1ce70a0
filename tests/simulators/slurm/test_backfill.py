"""Backfill: who may start early, and when the others are expected to start."""

import pytest

from lute.slurm.states import SlurmState
from simulators.slurm.backfill import Plan
from simulators.slurm.conf import TUNED
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.willrun import group_end
from tests.simulators.slurm.virtual import START_S, Virtual, new_request, where

HANGS = JobModel(float("inf"))
TWO_NODES = {"p": {"n1": 4, "n2": 4}}


def blocked(*runs: tuple[int, int], parameters: str = TUNED, **conf: object) -> Virtual:
    """Return a world of two nodes of 4 cores where jobs of (cores, limit in minutes) run."""
    virtual = Virtual(TWO_NODES, scheduler_parameters=parameters, **conf)
    for ntasks, limit in runs:
        virtual.submit(model=HANGS, partitions=("p",), ntasks=ntasks, time_limit_min=limit)
    virtual.pass_time(4)
    return virtual


def add(virtual: Virtual, ntasks: int, limit: int | None, **more: object) -> Job:
    return virtual.submit(model=HANGS, partitions=("p",), ntasks=ntasks, time_limit_min=limit, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "starts"), [(1, True), (3, True), (4, False), (5, False), (None, False), (UNLIMITED_MIN, False)]
)
def test_a_later_job_starts_only_if_it_ends_before_the_planned_start(
    limit: int | None, *, starts: bool
) -> None:
    virtual = blocked((7, 4))  # the head can start at 240; now it is 4
    head, later = add(virtual, 8, 1), add(virtual, 1, limit)
    virtual.pass_time(5)
    assert (later.state is SlurmState.RUNNING) is starts
    assert head.planned_start_s == START_S + 240
    if starts:
        assert later.scheduler == "Backfill"


def test_plans_set_whole_nodes_aside_so_others_are_free() -> None:
    virtual = blocked((3, 9), (3, 4))
    head = add(virtual, 4, 5, min_nodes=1, max_nodes=1)  # the node of the second job is free first
    on_other, too_long = add(virtual, 1, 60), add(virtual, 1, 60)
    virtual.pass_time(5)
    assert head.planned_start_s == START_S + 240
    assert [where(job) for job in (on_other, too_long)] == [{0: 1}, {}]


@pytest.mark.parametrize(("resolution", "starts"), [(1, True), (60, False)])
def test_the_resolution_rounds_plans_outward(resolution: int, *, starts: bool) -> None:
    virtual = Virtual(TWO_NODES, scheduler_parameters=f"bf_interval=1,bf_resolution={resolution}")
    virtual.pass_time(30)
    add(virtual, 7, 3)
    virtual.pass_time(4)
    head = add(virtual, 8, 1)
    virtual.pass_time(27)
    later = add(virtual, 1, 2)  # from 61 to 181
    virtual.pass_time(2)
    assert head.planned_start_s == START_S + 210
    assert (later.state is SlurmState.RUNNING) is starts


def test_every_job_is_planned_in_order() -> None:
    virtual = blocked((8, 2))
    jobs = [add(virtual, 8, 3), add(virtual, 4, 1), add(virtual, 4, 1), add(virtual, 8, 1)]
    virtual.controller.life.plan()
    assert [job.planned_start_s for job in jobs] == [START_S + second for second in (120, 300, 300, 360)]


def test_a_job_that_may_start_now_is_planned_for_now() -> None:
    virtual = blocked((4, 2))
    job = add(virtual, 1, 1)
    virtual.controller.life.plan()
    assert (job.planned_start_s, job.state) == (int(virtual.agenda.now_s), SlurmState.PENDING)


def test_no_plan_beyond_the_window() -> None:
    virtual = blocked((8, 61), parameters=f"{TUNED},bf_window=60")
    job = add(virtual, 1, 1)
    virtual.pass_time(5)
    assert job.planned_start_s is None
    virtual.pass_time(120)
    virtual.controller.life.plan()
    assert job.planned_start_s == START_S + 61 * 60


def test_a_plan_that_holds_no_more_is_forgotten() -> None:
    virtual = blocked((8, 2))
    job = add(virtual, 8, 1)
    virtual.controller.life.plan()
    assert job.planned_start_s is not None
    virtual.set_node(0, admin="DRAIN")
    virtual.controller.life.plan()
    assert job.planned_start_s is None


def test_backfill_looks_at_so_many_jobs() -> None:
    virtual = blocked((7, 4), parameters=f"{TUNED},bf_max_job_test=2")
    jobs = [add(virtual, 8, 1), add(virtual, 8, 1), add(virtual, 1, 1)]
    virtual.pass_time(5)
    assert jobs[2].state is SlurmState.PENDING
    virtual.controller.cancel(jobs[1].id)
    virtual.pass_time(5)
    assert jobs[2].state is SlurmState.RUNNING


def test_a_job_that_becomes_eligible_may_be_the_one_that_starts_early() -> None:
    virtual = blocked((7, 4))
    add(virtual, 8, 1)
    later = add(virtual, 1, 1, begin_s=START_S + 30)  # nothing else happens then
    virtual.pass_time(30)
    assert (later.state, later.scheduler) == (SlurmState.RUNNING, "Backfill")


def test_devices_hold_a_job_back_though_cores_are_free() -> None:
    virtual = Virtual(TWO_NODES, node_gres={"n1": "gpu:1"})
    first = add(virtual, 1, 4, gpus_per_node=1)
    virtual.pass_time(2)
    second, third = add(virtual, 1, 1, gpus_per_node=1), add(virtual, 1, 1)
    virtual.pass_time(2)
    assert second.planned_start_s == START_S + 240
    assert [job.state for job in (first, second, third)] == [
        SlurmState.RUNNING,
        SlurmState.PENDING,
        SlurmState.RUNNING,
    ]


def test_several_tasks_of_an_array_start_early_in_one_pass() -> None:
    virtual = blocked((5, 4))
    add(virtual, 8, 1)
    array = add(virtual, 1, 1, array="1-5")
    virtual.pass_time(2)
    starts = [when for when, job_id, state in virtual.log if state is SlurmState.RUNNING and job_id != 1]
    assert len(starts) == 3
    assert len(set(starts)) == 1
    assert array.array is not None
    assert array.array.waiting == [4, 5]


def test_a_job_takes_the_partition_that_has_it_first() -> None:
    virtual = Virtual({"one": {"n1": 4}, "two": {"n2": 4}})
    for partition, limit in (("one", 5), ("two", 3)):
        virtual.submit(model=HANGS, partitions=(partition,), ntasks=4, time_limit_min=limit)
    virtual.pass_time(2)
    job = virtual.submit(partitions=("one", "two"), ntasks=4)
    virtual.controller.life.plan()
    assert job.planned_start_s == START_S + 180


def free(plan: Plan, start_s: int, end_s: int) -> tuple[int, int]:
    return plan.windows(start_s, end_s - start_s).at(start_s)


def test_segments_of_a_plan() -> None:
    plan = Plan(100, 0b111)
    assert free(plan, 100, 900) == (0b111, 0)
    plan.reserve(200, 300, 0b001)
    plan.reserve(250, 400, 0b010)
    assert free(plan, 100, 199) == (0b111, 200)
    assert free(plan, 100, 200) == (0b110, 200)
    assert free(plan, 100, 250) == (0b100, 200)
    assert free(plan, 260, 350) == (0b100, 300)
    assert free(plan, 300, 350) == (0b101, 400)
    assert free(plan, 400, 999) == (0b111, 0)
    assert plan.overlaps(100, 200, 0b111) is False
    assert plan.overlaps(100, 201, 0b001) is True
    assert plan.overlaps(100, 201, 0b010) is False
    assert plan.overlaps(300, 399, 0b001) is False
    assert plan.first_use_s == {0: 200, 1: 250}


def test_a_plan_that_begins_in_the_past_counts_from_now() -> None:
    plan = Plan(100, 0b11)
    plan.reserve(60, 160, 0b01)
    assert free(plan, 100, 110) == (0b10, 160)


def test_running_jobs_end_in_groups_whose_windows_double() -> None:
    virtual = Virtual(TWO_NODES)
    for begin, limit in ((0, 2), (25, 2), (60, 2), (90, 2), (91, 3)):
        virtual.pass_time(START_S + begin + 0.1 - virtual.agenda.now_s)
        virtual.submit(model=HANGS, partitions=("p",), time_limit_min=limit)
    virtual.pass_time(1)
    # the first end, 120, counts as 150: the groups end at 180, 210 and 270
    assert [end_s - START_S for end_s, _, _ in virtual.controller.life.running.entries] == [
        120,
        145,
        180,
        210,
        271,
    ]
    starts = []
    for ntasks in range(3, 9):
        _, start_s, _ = virtual.controller.test(new_request(partitions=("p",), ntasks=ntasks))
        starts.append(start_s - START_S)
    assert starts == [int(virtual.passed_s), 180, 180, 180, 210, 271]


@pytest.mark.parametrize(
    ("end_s", "expected"), [(120, 180), (180, 180), (181, 210), (210, 210), (211, 270), (391, 630)]
)
def test_the_ends_of_the_groups(end_s: int, expected: int) -> None:
    assert group_end(120, end_s) == expected
