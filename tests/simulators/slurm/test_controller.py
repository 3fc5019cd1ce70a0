"""The life of jobs, on a clock that stands still until told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lute.slurm.states import SlurmState
from simulators.slurm.controller import AlreadyEndedError, RejectedError, UnknownJobError
from simulators.slurm.state import TRANSITIONS, ForbiddenTransitionError
from tests.simulators.slurm.world import World


def outcome(world: World, job_id: int) -> tuple[str, str, str]:
    job = world.cluster.jobs[job_id]
    return job.state.value, job.reason, f"{job.exit_code}:{job.exit_signal}"


@pytest.mark.parametrize(
    ("code", "number", "expected"),
    [
        (0, 0, ("COMPLETED", "None", "0:0")),
        (3, 0, ("FAILED", "NonZeroExitCode", "3:0")),
        (255, 0, ("FAILED", "NonZeroExitCode", "255:0")),
        (0, 9, ("FAILED", "JobLaunchFailure", "0:9")),
    ],
)
def test_the_end_of_a_job(code: int, number: int, expected: tuple[str, str, str]) -> None:
    world = World()
    job = world.submit()
    assert job.state is SlurmState.RUNNING
    world.controller.ended(job.id, code, number)
    assert outcome(world, job.id) == expected


@pytest.mark.parametrize("status", [(0, 15), (0, 9), (0, 0)])
def test_cancelling_a_running_job(status: tuple[int, int]) -> None:
    world = World()
    job = world.submit(ntasks=128)
    world.controller.cancel(job.id)
    assert job.state is SlurmState.COMPLETING
    assert world.cluster.free_cpus("sdfmilan001") == 0
    with pytest.raises(AlreadyEndedError):
        world.controller.cancel(job.id)
    ended = job.end_time
    world.time = world.time.replace(minute=59)
    world.controller.ended(job.id, *status)
    assert outcome(world, job.id) == ("CANCELLED", "None", f"{status[0]}:{status[1]}")
    assert job.end_time == ended
    assert world.cluster.free_cpus("sdfmilan001") == 128


def test_cancelling_a_pending_job_keeps_its_reason() -> None:
    world = World()
    world.submit(ntasks=512)
    waiting = world.submit(ntasks=512)
    assert (waiting.state, waiting.reason) == (SlurmState.PENDING, "Resources")
    world.controller.cancel(waiting.id)
    assert outcome(world, waiting.id) == ("CANCELLED", "Resources", "0:0")
    assert ("stop", waiting.id, "") not in world.launcher.calls


def test_first_come_first_served_with_a_blocked_head() -> None:
    world = World()
    first, big, small = world.submit(ntasks=500), world.submit(ntasks=512), world.submit(ntasks=1)
    other = world.submit(partition="ampere", ntasks=1)
    assert (big.reason, small.reason) == ("Resources", "Priority")
    assert (small.state, other.state) == (SlurmState.PENDING, SlurmState.RUNNING)
    world.controller.ended(first.id, 0, 0)
    assert (big.state, small.reason) == (SlurmState.RUNNING, "Resources")
    world.controller.ended(big.id, 0, 0)
    assert small.state is SlurmState.RUNNING


def test_jobs_beyond_the_partition_wait_for_ever_and_block_nobody() -> None:
    world = World(max_time_min=60)
    many, wide = world.submit(ntasks=513), world.submit(min_nodes=5, max_nodes=5)
    long = world.wrap("--time=61")
    normal = world.submit(ntasks=1)
    assert (many.reason, wide.reason) == ("PartitionConfig", "PartitionNodeLimit")
    assert long.reason == "PartitionTimeLimit"
    assert normal.state is SlurmState.RUNNING


def test_a_job_that_fits_no_node_is_refused_and_leaves_a_gap() -> None:
    world = World()
    with pytest.raises(RejectedError, match="Requested node configuration is not available"):
        world.submit(ntasks=129, min_nodes=1, max_nodes=1)
    with pytest.raises(RejectedError) as caught:
        world.submit(ntasks=2, cpus_per_task=129)
    assert caught.value.warning == "CPU count per node can not be satisfied"
    assert world.submit().id == 3


def test_time_limits_are_enforced_by_a_sweep() -> None:
    world = World()
    job = world.wrap("--time=1")
    world.pass_time(59)
    assert job.state is SlurmState.RUNNING
    world.pass_time(30)
    assert job.state is SlurmState.COMPLETING
    assert world.launcher.calls[-1] == ("stop", job.id, " DUE TO TIME LIMIT")
    world.controller.ended(job.id, 0, 15)
    assert outcome(world, job.id) == ("TIMEOUT", "TimeLimit", "0:15")


def test_finished_jobs_are_forgotten() -> None:
    world = World()
    job = world.submit()
    world.controller.ended(job.id, 0, 0)
    world.pass_time(299)
    assert job.id in world.cluster.jobs
    world.pass_time(1)
    with pytest.raises(UnknownJobError):
        world.controller.cancel(job.id)


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("afterok", 0, "RUNNING"),
        ("afterok", 1, "DependencyNeverSatisfied"),
        ("afternotok", 0, "DependencyNeverSatisfied"),
        ("afternotok", 1, "RUNNING"),
        ("afterany", 1, "RUNNING"),
    ],
)
def test_dependencies(kind: str, code: int, expected: str) -> None:
    world = World()
    parent = world.submit()
    child = world.wrap(f"--dependency={kind}:{parent.id}")
    assert (child.state, child.reason) == (SlurmState.PENDING, "Dependency")
    world.controller.ended(parent.id, code, 0)
    assert expected in (child.state.value, child.reason)


def test_more_dependencies() -> None:
    world = World()
    assert (
        world.wrap("--dependency=afterok:999").state is SlurmState.RUNNING
    )  # measured: unknown counts as met
    first = world.wrap("-J", "one")
    second = world.wrap("-J", "one", "-d", "singleton")
    killed = world.wrap("-d", f"afterok:{first.id}", "--kill-on-invalid-dep=yes")
    assert second.state is SlurmState.PENDING
    world.controller.ended(first.id, 1, 0)
    assert second.state is SlurmState.RUNNING
    assert outcome(world, killed.id) == ("CANCELLED", "DependencyNeverSatisfied", "0:0")


def test_hold_and_release() -> None:
    world = World()
    job = world.wrap("--hold")
    assert job.reason == "JobHeldUser"
    assert world.ask("scontrol", "release", str(job.id)).exit_code == 0
    assert job.state is SlurmState.RUNNING


def test_a_failed_launch() -> None:
    world = World()
    job = world.submit()
    world.controller.launch_failed(job.id)
    assert outcome(world, job.id) == ("FAILED", "JobLaunchFailure", "0:53")


def test_final_states_are_final() -> None:
    assert not any(state.is_final for state in TRANSITIONS)
    world = World()
    job = world.submit()
    world.controller.ended(job.id, 0, 0)
    with pytest.raises(ForbiddenTransitionError):
        job.move_to(SlurmState.RUNNING)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["submit", "end", "cancel", "wait"]), st.integers(1, 300), st.integers(1, 9)
        ),
        max_size=40,
    )
)
def test_nodes_are_never_oversubscribed_and_the_queue_drains(steps: list[tuple[str, int, int]]) -> None:
    world = World()
    for action, number, choice in steps:
        jobs = list(world.cluster.jobs.values())
        running = [job for job in jobs if job.is_placed]
        active = [job for job in jobs if not job.state.is_final and job.state is not SlurmState.COMPLETING]
        if action == "submit":
            world.submit(ntasks=number, exclusive=choice == 1)
        elif action == "end" and running:
            world.controller.ended(running[choice % len(running)].id, choice % 2, 0)
        elif action == "cancel" and active:
            world.controller.cancel(active[choice % len(active)].id)
        elif action == "wait":
            world.pass_time(number)
        assert all(world.cluster.free_cpus(name) >= 0 for name in world.cluster.nodes)
    for _ in range(len(steps) + 1):
        for job in list(world.cluster.jobs.values()):
            if job.is_placed:
                world.controller.ended(job.id, 0, 0)
    assert all(job.state.is_final for job in world.cluster.jobs.values())
    assert all(world.cluster.free_cpus(node.name) == node.cpus for node in world.cluster.nodes.values())
