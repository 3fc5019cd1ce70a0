"""The life of jobs, in virtual time."""

import pytest

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.conf import DEFAULT_GRES, Latencies
from simulators.slurm.controller import (
    AlreadyEndedError,
    Controller,
    NotPendingError,
    UnknownJobError,
)
from simulators.slurm.hostlist import compress
from simulators.slurm.job import TRANSITIONS, ForbiddenTransitionError, Job
from simulators.slurm.models import JobModel, ModelLauncher
from simulators.slurm.placement import Share
from simulators.slurm.request import UNLIMITED_MIN
from tests.simulators.slurm.virtual import START_S, Virtual, new_request, outcome, where

HANGS = JobModel(float("inf"))
PENDING, RUNNING, COMPLETED = SlurmState.PENDING, SlurmState.RUNNING, SlurmState.COMPLETED


def states(*jobs: Job) -> list[SlurmState]:
    return [job.state for job in jobs]


def test_a_job_from_submission_to_oblivion() -> None:
    virtual = Virtual()
    forgotten: list[int] = []
    virtual.controller.life.on_forget.append(forgotten.append)
    job = virtual.submit(10, ntasks=200)
    assert (job.state, job.reason, job.partition, job.submit_s) == (PENDING, "None", "milano", START_S)
    virtual.pass_time(0.5)
    assert (job.state, job.scheduler, job.start_s) == (RUNNING, "Backfill", START_S + 0.4)
    assert (job.node_names, job.num_cpus, job.num_tasks, job.num_nodes) == (
        ("sdfmilan001", "sdfmilan002"),
        200,
        200,
        2,
    )
    virtual.agenda.run()
    assert [(round(when, 2), state) for when, _, state in virtual.log] == [
        (0, PENDING),
        (0.4, RUNNING),
        (10.55, COMPLETED),
    ]
    assert (forgotten, virtual.cluster.jobs, virtual.ends) == ([job.id], {}, {job.id: 1})
    assert virtual.passed_s == 360  # 300 s after the end, at the next turn of the purge
    with pytest.raises(UnknownJobError):
        virtual.controller.cancel(job.id)
    virtual.check()


@pytest.mark.parametrize(("person_uid", "uid"), [(1001, 1001), (1001, None)])
def test_cancelling_a_running_job(person_uid: int, uid: int | None) -> None:
    virtual = Virtual()
    job = virtual.submit(model=JobModel(float("inf"), ignores_term=True), ntasks=128)
    virtual.pass_time(1)
    virtual.controller.cancel(job.id, uid)
    ended = virtual.agenda.now_s
    assert (job.state, job.canceller_uid) == (SlurmState.COMPLETING, uid)
    assert virtual.cluster.pool.free[0] == 0
    virtual.check()
    for change in (virtual.controller.cancel, virtual.controller.preempt):
        with pytest.raises(AlreadyEndedError):
            change(job.id)
    virtual.pass_time(6)
    assert (outcome(job), job.end_s) == ("CANCELLED None 0:9", ended)
    assert virtual.cluster.pool.free[0] == 128
    assert virtual.ends == {job.id: 1}


def test_cancelling_a_pending_job_keeps_its_reason() -> None:
    virtual = Virtual()
    virtual.submit(ntasks=512)
    virtual.pass_time(1)
    waiting = virtual.submit(ntasks=512)
    virtual.pass_time(1)
    assert (waiting.state, waiting.reason) == (PENDING, "Resources")
    virtual.controller.cancel(waiting.id, 0)
    assert outcome(waiting) == "CANCELLED Resources 0:0"
    assert waiting.start_s == waiting.end_s == START_S + 2
    assert virtual.launcher.files == {"/slurm-1.out": ""}
    with pytest.raises(AlreadyEndedError):
        virtual.controller.cancel(waiting.id)


def test_first_come_first_served_with_a_blocked_head() -> None:
    virtual = Virtual(scheduler_parameters="bf_interval=0,batch_sched_delay=0")
    first, big, small = (virtual.submit(10, ntasks=ntasks) for ntasks in (500, 512, 1))
    other = virtual.submit(10, partitions=("ampere",))
    assert small.reason == "Priority"
    virtual.pass_time(1)
    assert states(first, big, small, other) == [RUNNING, PENDING, PENDING, RUNNING]
    assert (big.reason, small.reason) == ("Resources", "Priority")
    virtual.pass_time(11)
    assert states(big, small) == [RUNNING, PENDING]
    assert (big.scheduler, small.reason) == ("Main", "Resources")
    virtual.pass_time(11)
    assert small.state is RUNNING


def test_nice_puts_a_job_behind() -> None:
    virtual = Virtual()
    virtual.submit(10, ntasks=512)
    virtual.pass_time(1)
    late, early = virtual.submit(ntasks=512, nice=5), virtual.submit(ntasks=512)
    virtual.pass_time(15)
    assert states(late, early) == [PENDING, RUNNING]


def test_a_queue_out_of_order_may_run_empty() -> None:
    virtual = Virtual()
    jobs = [virtual.submit(nice=nice) for nice in (5, 0)]
    for job in jobs:
        virtual.controller.cancel(job.id)
    virtual.agenda.run()
    assert states(*jobs) == [SlurmState.CANCELLED] * 2


def test_the_second_partition_when_the_first_is_full() -> None:
    virtual = Virtual()
    virtual.submit(100, ntasks=512)
    job = virtual.submit(partitions=("milano", "ampere"))
    assert job.partition == "milano,ampere"
    virtual.pass_time(1)
    assert (job.state, job.partition, job.node_names) == (RUNNING, "ampere", ("sdfampere001",))


@pytest.mark.parametrize(
    ("state", "starts"), [("UP", True), ("DRAIN", True), ("DOWN", False), ("INACTIVE", False)]
)
@pytest.mark.parametrize("parameters", ["bf_interval=0", "bf_interval=1,batch_sched_delay=30"])
def test_where_jobs_may_start(state: str, *, starts: bool, parameters: str) -> None:
    virtual = Virtual(partition_state={"milano": state}, scheduler_parameters=parameters)
    job = virtual.submit(partitions=("milano", "ampere"))
    virtual.pass_time(2)
    assert (job.state, job.partition) == (RUNNING, "milano" if starts else "ampere")


@pytest.mark.parametrize("parameters", ["bf_interval=0", "bf_interval=1,batch_sched_delay=30"])
def test_a_partition_may_go_down_and_come_back(parameters: str) -> None:
    virtual = Virtual(scheduler_parameters=parameters)
    virtual.submit(100, ntasks=512)
    virtual.pass_time(40)
    job = virtual.submit(ntasks=512)
    virtual.controller.nodes.set_partition("milano", "DOWN")
    virtual.check()
    virtual.pass_time(100)
    assert outcome(job) == "PENDING PartitionDown 0:0"
    virtual.controller.nodes.set_partition("milano", "UP")
    virtual.pass_time(40)
    assert virtual.ends == {1: 1, 2: 1}


def test_time_limits_are_enforced_by_a_sweep() -> None:
    virtual = Virtual()
    virtual.pass_time(20)
    job = virtual.submit(model=HANGS, time_limit_min=1)
    virtual.pass_time(69)
    assert job.state is RUNNING  # its minute was over at 80.4; the sweep comes every 30 s
    virtual.pass_time(2)
    assert outcome(job) == "TIMEOUT TimeLimit 0:15"
    assert job.end_s == START_S + 90
    assert virtual.launcher.files["/slurm-1.out"].endswith(" DUE TO TIME LIMIT ***\n")


@pytest.mark.parametrize(
    ("conf", "asked", "limit"),
    [
        ({}, None, 365 * 24 * 60),
        ({"max_time_min": 3}, None, 3),
        ({"max_time_min": 3, "default_time_min": 2}, None, 2),
        ({"max_time_min": 3, "default_time_min": 2}, 1, 1),
        ({}, UNLIMITED_MIN, UNLIMITED_MIN),
    ],
)
def test_the_limit_that_counts(conf: dict[str, object], asked: int | None, limit: int) -> None:
    virtual = Virtual(**conf)
    job = virtual.submit(model=HANGS, time_limit_min=asked)
    virtual.pass_time(1000)
    assert job.time_limit_min == limit
    assert job.state is (SlurmState.TIMEOUT if limit < 10 else RUNNING)


def test_changing_a_time_limit() -> None:
    virtual = Virtual(max_time_min=60)
    job, waiting = virtual.submit(model=HANGS, time_limit_min=1), virtual.submit(time_limit_min=61)
    virtual.pass_time(10)
    virtual.controller.set_time_limit(job.id, 10)
    virtual.controller.set_time_limit(waiting.id, 60)
    virtual.check()
    virtual.pass_time(300)
    assert states(job, waiting) == [RUNNING, COMPLETED]
    virtual.controller.set_time_limit(job.id, 1)
    virtual.pass_time(31)
    assert job.state is SlurmState.TIMEOUT
    with pytest.raises(AlreadyEndedError):
        virtual.controller.set_time_limit(job.id, 5)


def test_a_pending_job_whose_limit_grows_too_long_waits() -> None:
    virtual = Virtual(max_time_min=60)
    job = virtual.submit(time_limit_min=1)
    virtual.controller.set_time_limit(job.id, 61)
    virtual.pass_time(5)
    assert outcome(job) == "PENDING PartitionTimeLimit 0:0"


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("afterok", 0, "COMPLETED None"),
        ("afterok", 1, "PENDING DependencyNeverSatisfied"),
        ("afternotok", 0, "PENDING DependencyNeverSatisfied"),
        ("afternotok", 1, "COMPLETED None"),
        ("afterany", 1, "COMPLETED None"),
        ("after", 1, "COMPLETED None"),
    ],
)
def test_dependencies(kind: str, code: int, expected: str) -> None:
    virtual = Virtual()
    parent = virtual.submit(model=JobModel(20, exit_code=code))
    child = virtual.submit(dependency=f"{kind}:{parent.id}")
    virtual.check()
    assert outcome(child) == "PENDING Dependency 0:0"
    virtual.pass_time(15)
    assert child.state is (COMPLETED if kind == "after" else PENDING)
    virtual.pass_time(20)
    assert outcome(child) == f"{expected} 0:0"


def test_a_dependency_that_failed_stays_so_when_the_other_job_is_forgotten() -> None:
    virtual = Virtual()
    parent = virtual.submit(model=JobModel(5, exit_code=1))
    child = virtual.submit(dependency=f"afterok:{parent.id}")
    virtual.pass_time(600)
    assert parent.id not in virtual.cluster.jobs
    virtual.submit()
    virtual.pass_time(30)
    assert outcome(child) == "PENDING DependencyNeverSatisfied 0:0"  # measured: for ever


def test_more_dependencies() -> None:
    virtual = Virtual()
    unknown = virtual.submit(dependency="afterok:999")  # measured: counts as met
    first = virtual.submit(model=JobModel(10, exit_code=1), name="one")
    second = virtual.submit(100, name="one", dependency="singleton")
    both = virtual.submit(100, dependency=f"afterany:{first.id},afterok:{unknown.id}")
    killed = virtual.submit(dependency=f"afterok:{first.id}", kill_on_invalid_dependency=True)
    virtual.pass_time(2)
    assert states(unknown, second, both, killed) == [RUNNING, PENDING, PENDING, PENDING]
    virtual.pass_time(15)
    assert states(second, both) == [RUNNING, RUNNING]
    assert outcome(killed) == "CANCELLED DependencyNeverSatisfied 0:0"
    assert killed.canceller_uid is None


def test_hold_and_release() -> None:
    virtual = Virtual()
    job = virtual.submit(hold=True)
    virtual.pass_time(60)
    assert (outcome(job), job.priority) == ("PENDING JobHeldUser 0:0", 0)
    virtual.controller.hold(job.id, by="admin")
    assert job.reason == "JobHeldAdmin"
    virtual.controller.hold(job.id, by="")
    virtual.pass_time(1)
    assert job.state is RUNNING
    with pytest.raises(NotPendingError):
        virtual.controller.hold(job.id, by="user")


def test_a_released_job_goes_to_the_end_and_keeps_its_nice_value() -> None:
    virtual = Virtual()
    job, other = virtual.submit(hold=True, nice=7), virtual.submit()
    virtual.controller.hold(job.id, by="")
    assert job.priority == other.priority - 1 - 7


def test_releasing_a_job_that_is_not_held_changes_nothing() -> None:
    virtual = Virtual()
    first, _ = virtual.submit(ntasks=512), virtual.submit(ntasks=512)
    priority = first.priority
    virtual.controller.hold(first.id, by="")
    assert first.priority == priority


@pytest.mark.parametrize(("begin_s", "start_s"), [(0, 0.4), (-1e9, 0.4), (0.5, 0.75), (90.9, 91.4)])
def test_begin_times(begin_s: float, start_s: float) -> None:
    virtual = Virtual()
    job = virtual.submit(begin_s=START_S + begin_s)
    assert job.reason == ("BeginTime" if begin_s > 0 else "None")
    virtual.agenda.run()
    assert job.start_s == pytest.approx(START_S + start_s)


def test_a_begin_time_may_change() -> None:
    virtual = Virtual()
    job = virtual.submit(begin_s=START_S + 9000)
    virtual.controller.set_begin(job.id, START_S + 60)
    virtual.pass_time(59)
    assert outcome(job) == "PENDING BeginTime 0:0"
    virtual.pass_time(2)
    assert job.state is RUNNING
    with pytest.raises(NotPendingError):
        virtual.controller.set_begin(job.id, 0)


@pytest.mark.parametrize("begin", ["node_failed", "requeue", "preempt"])
def test_a_job_on_its_way_back_into_the_queue_can_be_cancelled(begin: str) -> None:
    virtual = Virtual()
    job = virtual.submit(200)
    virtual.pass_time(10)
    argument = 0 if begin == "node_failed" else job.id
    getattr(virtual.controller, begin)(argument)
    assert job.state is SlurmState.COMPLETING
    virtual.controller.cancel(job.id, 1001)
    virtual.agenda.run()
    assert (job.state, job.canceller_uid, job.restarts) == (SlurmState.CANCELLED, 1001, 0)
    assert virtual.ends == {job.id: 1}


def test_requeue() -> None:
    virtual = Virtual()
    job = virtual.submit(200, ntasks=300)
    with pytest.raises(NotPendingError):
        virtual.controller.requeue(job.id)
    virtual.pass_time(10)
    virtual.controller.requeue(job.id)
    assert job.state is SlurmState.COMPLETING
    virtual.pass_time(1)
    virtual.check()
    assert outcome(job) == "PENDING BeginTime 0:0"
    assert (job.restarts, job.start_s, job.end_s, job.node_names, job.num_nodes) == (1, None, None, (), 1)
    virtual.pass_time(119)
    assert job.state is PENDING
    virtual.pass_time(3)
    assert job.state is RUNNING  # measured: about two minutes later, same id
    virtual.agenda.run()
    assert (outcome(job), virtual.ends) == ("COMPLETED None 0:0", {job.id: 1})


def test_requeue_and_hold() -> None:
    virtual = Virtual()
    job = virtual.submit(200)
    virtual.pass_time(10)
    virtual.controller.requeue(job.id, hold=True)
    virtual.pass_time(300)
    assert (job.state, job.hold, job.priority) == (PENDING, "requeued", 0)
    virtual.controller.hold(job.id, by="")
    virtual.pass_time(1)
    assert job.state is RUNNING


@pytest.mark.parametrize(
    ("requeue", "cluster", "expected"),
    [
        (None, True, "PENDING BeginTime"),
        (None, False, "NODE_FAIL NodeDown"),
        (False, True, "NODE_FAIL NodeDown"),
        (True, False, "PENDING BeginTime"),
    ],
)
def test_a_node_that_fails(requeue: bool | None, *, cluster: bool, expected: str) -> None:
    virtual = Virtual(job_requeue=cluster)
    job = virtual.submit(500, ntasks=256, requeue=requeue)
    elsewhere = virtual.submit(500)
    virtual.pass_time(2)
    virtual.set_node(1, admin="DOWN")
    virtual.pass_time(1)
    virtual.check()
    assert f"{job.state} {job.reason}" == expected
    assert elsewhere.state is RUNNING
    assert "DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS" in virtual.launcher.files["/slurm-1.out"]


@pytest.mark.parametrize(("requeue", "expected"), [(True, "PENDING BeginTime"), (False, "PREEMPTED None")])
def test_preemption(*, requeue: bool, expected: str) -> None:
    virtual = Virtual()
    job = virtual.submit(500, requeue=requeue)
    virtual.pass_time(2)
    virtual.controller.preempt(job.id)
    virtual.pass_time(1)
    assert f"{job.state} {job.reason}" == expected
    assert " DUE TO PREEMPTION ***" in virtual.launcher.files["/slurm-1.out"]


def test_a_node_that_is_drained_ends_nothing_and_starts_nothing() -> None:
    virtual = Virtual()
    job = virtual.submit(50, nodelist=("sdfmilan002",))
    virtual.pass_time(2)
    virtual.set_node(1, admin="DRAIN")
    bound, free = virtual.submit(nodelist=("sdfmilan002",), ntasks=2), virtual.submit(ntasks=128)
    virtual.pass_time(2)
    assert states(job, bound, free) == [RUNNING, PENDING, RUNNING]
    assert bound.reason == "ReqNodeNotAvail, UnavailableNodes:sdfmilan002"
    assert free.node_names == ("sdfmilan001",)
    virtual.set_node(1, admin="")
    virtual.pass_time(2)
    assert bound.state is RUNNING


def test_devices_are_counted() -> None:
    virtual = Virtual(node_gres=DEFAULT_GRES)
    jobs = [virtual.submit(60, partitions=("ampere",), gpus_per_node=3) for _ in range(3)]
    virtual.pass_time(2)
    virtual.check()
    assert states(*jobs) == [RUNNING, RUNNING, PENDING]
    assert virtual.cluster.pool.gpus[4:] == [1, 1]
    virtual.agenda.run()
    assert states(*jobs) == [COMPLETED] * 3
    virtual.check()


def test_only_running_jobs_take_signals() -> None:
    virtual = Virtual()
    job = virtual.submit(hold=True)
    with pytest.raises(AlreadyEndedError):
        virtual.controller.send(job.id, 10, script_only=False)


def test_where_and_when_a_job_would_start() -> None:
    virtual = Virtual()
    virtual.submit(model=HANGS, ntasks=500, time_limit_min=2)
    virtual.pass_time(1)
    job, start_s, shares = virtual.controller.test(new_request(ntasks=12))
    assert (job.id, start_s, shares) == (2, START_S + 1, (Share(3, 12, 12, 12),))
    job, start_s, _ = virtual.controller.test(new_request(ntasks=13))
    assert (job.id, start_s) == (3, START_S + 120)
    assert list(virtual.cluster.jobs) == [1]  # an id is used up (measured), nothing else happens
    assert virtual.submit().id == 4


def test_planned_starts() -> None:
    virtual = Virtual()
    virtual.submit(model=HANGS, ntasks=512, time_limit_min=2)
    virtual.pass_time(1)
    jobs = [virtual.submit(ntasks=512, time_limit_min=1) for _ in range(2)]
    held = virtual.submit(hold=True)
    virtual.controller.life.plan()
    assert [job.planned_start_s for job in (*jobs, held)] == [START_S + 120, START_S + 180, None]


def test_a_callback_may_cancel_another_job_during_a_pass() -> None:
    for parameters in ("bf_interval=0", "bf_interval=1,batch_sched_delay=30"):
        virtual = Virtual(scheduler_parameters=parameters)
        jobs = [virtual.submit(ntasks=128) for _ in range(3)]

        def cancel_second(job: Job, virtual: Virtual = virtual, jobs: list[Job] = jobs) -> None:
            if job is jobs[0] and job.state is RUNNING:
                virtual.controller.cancel(jobs[1].id)

        virtual.controller.life.on_change.append(cancel_second)
        virtual.pass_time(2)
        virtual.check()
        assert states(*jobs) == [RUNNING, SlurmState.CANCELLED, RUNNING]


def test_a_cluster_without_latencies() -> None:
    virtual = Virtual(latencies=Latencies(background_s=0, launch_s=0, completion_s=0))
    jobs = [virtual.submit(0, ntasks=512) for _ in range(20)]
    virtual.pass_time(0)
    assert states(*jobs) == [COMPLETED] * 20


def test_a_new_controller_takes_up_what_it_finds() -> None:
    old = Virtual()
    ended, runs = old.submit(1), old.submit(model=HANGS, ntasks=256, time_limit_min=2)
    old.pass_time(5)
    waits, begins = old.submit(ntasks=512), old.submit(begin_s=START_S + 30, time_limit_min=1)
    agenda = Agenda(START_S + 5)
    launcher = ModelLauncher(lambda _: JobModel(5))
    controller = launcher.controller = Controller(old.cluster, agenda, launcher)
    forgotten: list[int] = []
    controller.life.on_forget.append(forgotten.append)
    agenda.advance(START_S + 90)
    assert states(ended, runs, waits, begins) == [COMPLETED, RUNNING, PENDING, COMPLETED]
    controller.ended(runs.id, 0, 0)
    agenda.run()
    assert states(runs, waits) == [COMPLETED, COMPLETED]
    assert forgotten == [ended.id, begins.id, runs.id, waits.id]


def test_final_states_are_final() -> None:
    assert not any(state.is_final for state in TRANSITIONS)
    virtual = Virtual()
    job = virtual.submit()
    virtual.pass_time(60)
    for state in SlurmState:
        with pytest.raises(ForbiddenTransitionError):
            job.move_to(state)
    assert compress(job.node_names) == "sdfmilan001"
    assert where(job) == {0: 1}


def test_a_node_set_down_again_comes_back_only_after_the_second_time() -> None:
    virtual = Virtual()
    node, nodes = virtual.cluster.nodes[0], virtual.controller.nodes
    nodes.down(node, "first")
    virtual.pass_time(1.5)
    nodes.resume(node)
    nodes.down(node, "second")
    virtual.pass_time(1)
    assert node.admin == "DOWN"
    virtual.pass_time(1.5)
    assert node.admin == ""
