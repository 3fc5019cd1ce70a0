"""The controller under everything that users, administrators and failures may do, in any order."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lute.slurm.states import SlurmState
from simulators.slurm.admission import RejectedError
from simulators.slurm.arrays import parse_array
from simulators.slurm.conf import TUNED
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.willrun import ever_runs
from tests.properties.slurm_loads import GRES, PARTITIONS, shapes
from tests.simulators.slurm.virtual import Virtual

ALLOWED = {
    None: "PENDING",
    "PENDING": "RUNNING CANCELLED",
    "RUNNING": "COMPLETING COMPLETED FAILED OUT_OF_MEMORY",
    "COMPLETING": "PENDING CANCELLED TIMEOUT PREEMPTED NODE_FAIL",
}
"""What may follow each state; nothing follows any other one."""
ARRAYS = {"1-3": 3, "0-6:2%1": 1, "1-5%2": 2, "7": 1}
"""Value of --array, and how many of its tasks may run at once."""
ANY = st.integers(0, 10_000)
MODELS = st.one_of(
    st.builds(JobModel, st.sampled_from([0, 1, 10, 55, 70, 200]), st.sampled_from([0, 0, 3])),
    st.builds(
        JobModel,
        st.sampled_from([20, float("inf")]),
        exit_signal=st.sampled_from([0, 9]),
        on_term=st.sampled_from([None, 0]),
        ignores_term=st.booleans(),
        is_out_of_memory=st.booleans(),
        fails_to_launch=st.sampled_from([False, False, True]),
    ),
)


class SlurmMachine(RuleBasedStateMachine):
    """A small cluster of odd nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = Virtual(PARTITIONS)
        self.states: dict[int, str] = {}
        self.last_s = 0.0

    @initialize(
        parameters=st.sampled_from([TUNED, "", "bf_interval=0", "bf_interval=1,bf_max_job_test=2"]),
        depth=st.sampled_from([1, 100]),
        requeue=st.booleans(),
        max_time_min=st.sampled_from([None, 3]),
    )
    def begin(self, parameters: str, depth: int, requeue: bool, max_time_min: int | None) -> None:
        words = f"{parameters},default_queue_depth={depth},sched_interval=20"
        self.virtual = Virtual(
            PARTITIONS,
            node_gres=GRES,
            scheduler_parameters=words.lstrip(","),
            job_requeue=requeue,
            max_time_min=max_time_min,
            min_job_age_s=100,
        )
        self.virtual.controller.life.on_change.append(self.changed)

    def changed(self, job: Job) -> None:
        first = None if job.array is None else "PENDING"  # tasks are first heard of when they start
        before, after = self.states.get(job.id, first), job.state.value
        if before != after:
            assert after in ALLOWED.get(before, "").split(), f"job {job.id}: {before} -> {after}"
        self.states[job.id] = after
        if job.state is SlurmState.RUNNING:
            assert self.virtual.ends[job.id] == 0

    def submit(self, model: JobModel, **request: object) -> None:
        try:
            self.virtual.submit(model=model, **request)  # type: ignore[arg-type]
        except RejectedError as error:
            assert error.text == "Requested node configuration is not available"

    def pick(self, number: int, fits: Callable[[Job], bool]) -> Job | None:
        found = [job for job in self.virtual.cluster.jobs.values() if fits(job)]
        return found[number % len(found)] if found else None

    @rule(
        model=MODELS,
        shape=shapes(),
        limit=st.sampled_from([1, 1, 2, 3, 5]),
        partitions=st.sampled_from([("milano",), ("milano",), ("ampere", "milano"), ("ampere",)]),
        nice=st.sampled_from([0, 0, 0, 1, -3, 2_000_000_000]),
        requeue=st.sampled_from([None, True, False]),
    )
    def submit_plain(self, model: JobModel, shape: dict[str, Any], limit: int, **request: object) -> None:
        self.submit(model, time_limit_min=limit, **shape, **request)

    @rule(model=MODELS, text=st.sampled_from(sorted(ARRAYS)), ntasks=st.integers(1, 6), hold=st.booleans())
    def submit_array(self, model: JobModel, text: str, ntasks: int, hold: bool) -> None:
        self.submit(model, array=text, ntasks=ntasks, hold=hold, time_limit_min=2)

    @rule(model=MODELS, gpus=st.integers(1, 3), ntasks=st.integers(1, 4))
    def submit_devices(self, model: JobModel, gpus: int, ntasks: int) -> None:
        self.submit(model, partitions=("ampere",), gpus_per_node=gpus, ntasks=ntasks, time_limit_min=1)

    @rule(
        model=MODELS,
        kind=st.sampled_from(["after", "afterok", "afterany", "afternotok"]),
        number=ANY,
        kill=st.booleans(),
    )
    def submit_dependent(self, model: JobModel, kind: str, number: int, kill: bool) -> None:
        ahead = self.virtual.cluster.next_id + 1  # its own id, an unknown one, or any other
        text = f"{kind}:{number % ahead + 1}"
        self.submit(model, dependency=text, kill_on_invalid_dependency=kill, time_limit_min=1)

    @rule(model=MODELS, name=st.sampled_from("ab"), begin=st.sampled_from([-1e9, 0, 0.4, 30, 200]))
    def submit_later(self, model: JobModel, name: str, begin: float) -> None:
        begin_s = self.virtual.agenda.now_s + begin
        self.submit(model, name=name, dependency="singleton", begin_s=begin_s, time_limit_min=1)

    @rule(
        duration_s=st.sampled_from([0, 40, 400]),
        limit=st.sampled_from([None, UNLIMITED_MIN]),
        hold=st.booleans(),
    )
    def submit_without_limit(self, duration_s: float, limit: int | None, hold: bool) -> None:
        self.submit(JobModel(duration_s), time_limit_min=limit, hold=hold, nodelist=("b",), ntasks=2)

    @rule(number=ANY)
    def cancel(self, number: int) -> None:
        job = self.pick(number, lambda job: job.state in (SlurmState.PENDING, SlurmState.RUNNING))
        if job is not None:
            self.virtual.controller.cancel(job.id, 1001)

    @rule(number=ANY)
    def cancel_one_task(self, number: int) -> None:
        job = self.pick(number, lambda job: bool(job.array and job.array.waiting) and not job.state.is_final)
        if job is not None and job.array is not None:
            task_id = job.array.waiting[number % len(job.array.waiting)]
            self.virtual.controller.cancel(self.virtual.controller.split_task(job, task_id).id)

    @rule(number=ANY, by=st.sampled_from(["user", "admin", "", ""]))
    def hold(self, number: int, by: str) -> None:
        job = self.pick(number, lambda job: job.state is SlurmState.PENDING)
        if job is not None:
            self.virtual.controller.hold(job.id, by=by)

    @rule(number=ANY, begin=st.sampled_from([-50.0, 0.0, 33.3]))
    def set_begin(self, number: int, begin: float) -> None:
        job = self.pick(number, lambda job: job.state is SlurmState.PENDING)
        if job is not None:
            self.virtual.controller.set_begin(job.id, self.virtual.agenda.now_s + begin)

    @rule(number=ANY, minutes=st.integers(1, 4))
    def set_time_limit(self, number: int, minutes: int) -> None:
        job = self.pick(number, lambda job: not job.state.is_final)
        if job is not None:
            self.virtual.controller.set_time_limit(job.id, minutes)

    @rule(number=ANY, hold=st.booleans())
    def requeue(self, number: int, hold: bool) -> None:
        job = self.pick(number, lambda job: job.state is SlurmState.RUNNING)
        if job is not None:
            self.virtual.controller.requeue(job.id, hold=hold)

    @rule(number=ANY)
    def preempt(self, number: int) -> None:
        job = self.pick(number, lambda job: job.state is SlurmState.RUNNING)
        if job is not None:
            self.virtual.controller.preempt(job.id)

    @rule(index=st.integers(0, 4), admin=st.sampled_from(["DOWN", "DRAIN", "", ""]))
    def node(self, index: int, admin: str) -> None:
        self.virtual.set_node(index, admin=admin)

    @rule(index=st.integers(0, 4))
    def node_down_for_a_moment(self, index: int) -> None:
        self.virtual.controller.nodes.down(self.virtual.cluster.nodes[index], "test")

    @rule(name=st.sampled_from(sorted(PARTITIONS)), state=st.sampled_from(["UP", "DOWN"]))
    def partition(self, name: str, state: str) -> None:
        self.virtual.controller.nodes.set_partition(name, state)

    @rule()
    def plan(self) -> None:
        self.virtual.controller.life.plan()

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0, 31.0, 130.0]))
    def pass_time(self, seconds: float) -> None:
        until_s = self.virtual.agenda.now_s + seconds
        while (next_s := self.virtual.agenda.next_time_s) is not None and next_s <= until_s:
            self.virtual.step()
            self.agrees()
        self.virtual.agenda.advance(until_s)

    @invariant()
    def agrees(self) -> None:
        virtual = self.virtual
        virtual.check()
        assert virtual.agenda.now_s >= self.last_s
        self.last_s = virtual.agenda.now_s
        for job in virtual.jobs.values():
            assert virtual.ends[job.id] == int(job.state.is_final), f"job {job.id}: {job.state}"
            assert job.id in virtual.cluster.jobs or job.state.is_final, f"job {job.id} is lost"
            assert self.states[job.id] == job.state.value, f"nobody was told of job {job.id}"
        assert set(virtual.cluster.jobs) <= set(virtual.jobs)
        for text, most in ARRAYS.items():
            running: dict[int, int] = {}
            for job in virtual.cluster.jobs.values():
                if job.is_placed and job.array is not None and job.request.array == parse_array(text):
                    running[job.array.job_id] = running.get(job.array.job_id, 0) + 1
            assert max(running.values(), default=0) <= most

    @precondition(lambda self: self.virtual.jobs)
    @rule()
    def drain(self) -> None:
        self.finish()

    def teardown(self) -> None:
        self.finish()

    def finish(self) -> None:
        """Let everything end that can."""
        virtual, controller = self.virtual, self.virtual.controller
        for name in PARTITIONS:
            controller.nodes.set_partition(name, "UP")
        for index in range(len(virtual.cluster.nodes)):
            virtual.set_node(index, admin="")
        virtual.pass_time(10)  # who is being requeued waits then
        for job in list(virtual.cluster.jobs.values()):
            if job.hold and job.state is SlurmState.PENDING:
                controller.hold(job.id, by="")
        virtual.agenda.run()
        self.agrees()
        left = virtual.cluster.jobs
        assert all(node.is_available for node in virtual.cluster.nodes)
        for job in left.values():
            assert job.state is SlurmState.PENDING
            assert self.never_runs(job), f"job {job.id} waits for nothing: {job.reason}"

    def never_runs(self, job: Job) -> bool:
        geometry = job.request.geometry
        if job.reason == "DependencyNeverSatisfied":
            return job.request.dependency.startswith("after")
        if job.reason == "Dependency":  # on one that never runs, itself among them
            kind, _, number = job.request.dependency.partition(":")
            return kind == "singleton" or any(
                int(number) in (other.id, other.array.job_id if other.array else 0)
                for other in self.virtual.cluster.jobs.values()
            )
        parts = [self.virtual.cluster.partitions[name] for name in job.request.partitions]
        if (
            job.reason == "BadConstraints"
        ):  # let in for a limit that it exceeded then, or in another partition
            return not any(ever_runs(self.virtual.cluster, job, part.mask, 0) for part in parts)
        if job.reason == "PartitionTimeLimit":
            longest, limit = self.virtual.cluster.conf.max_time_min, job.time_limit_min
            return longest is not None and limit is not None and limit > longest
        if job.reason == "PartitionNodeLimit":
            return any((geometry.min_nodes or 1) > len(part.nodes) for part in parts)
        return job.reason == "PartitionConfig" and any(geometry.min_cpus > part.total_cpus for part in parts)


TestSlurm = SlurmMachine.TestCase
TestSlurm.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
