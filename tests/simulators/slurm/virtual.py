"""A cluster in virtual time whose jobs are models."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields

from lute.slurm.states import SlurmState
from simulators.kernel.events import Agenda
from simulators.slurm.arrays import parse_array
from simulators.slurm.conf import TUNED, SlurmConf
from simulators.slurm.controller import Controller
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel, ModelLauncher
from simulators.slurm.pool import mask_of
from simulators.slurm.request import Geometry, JobRequest, Person
from simulators.slurm.state import new_cluster

START_S = 1_800_000_000.0
"""The first moment; a whole number of minutes."""
PERSON = Person("tester", 1001, "tester", 1001, "/home/tester", "/bin/bash")
_GEOMETRY = {item.name for item in fields(Geometry)}


def new_request(*, array: str = "", **given: object) -> JobRequest:
    """Return a request; the fields of its geometry stand beside its own."""
    shape = {name: value for name, value in given.items() if name in _GEOMETRY}
    rest = {name: value for name, value in given.items() if name not in _GEOMETRY}
    rest.setdefault("name", "job")
    rest.setdefault("person", PERSON)
    rest.setdefault("partitions", ("milano",))
    return JobRequest(
        script="#!/bin/sh\n",
        geometry=Geometry(**shape),  # type: ignore[arg-type]
        array=parse_array(array) if array else None,
        **rest,  # type: ignore[arg-type]
    )


class Virtual:
    """Agenda, cluster, launcher and controller, with what happened to the jobs.

    Attributes:
        jobs: every job ever seen, by id.
        log: moment since the start, job id and state, after each change of a state.
        ends: job id -> how often `on_end` was told.
    """

    def __init__(self, partitions: Mapping[str, Mapping[str, int]] | None = None, **conf: object) -> None:
        conf.setdefault("scheduler_parameters", TUNED)
        if partitions is not None:
            conf["partitions"] = partitions
        self.agenda = Agenda(START_S)
        self.cluster = new_cluster(SlurmConf(**conf))  # type: ignore[arg-type]
        self._models: dict[int, JobModel | Callable[[Job], JobModel]] = {}
        self.launcher = ModelLauncher(self._model_of)
        self.controller = self.launcher.controller = Controller(self.cluster, self.agenda, self.launcher)
        self.jobs: dict[int, Job] = {}
        self.log: list[tuple[float, int, SlurmState]] = []
        self.ends = Counter[int]()
        self._last: dict[int, SlurmState] = {}
        self.controller.life.on_change.append(self._changed)
        self.controller.life.on_end.append(lambda job: self.ends.update([job.id]))

    @property
    def passed_s(self) -> float:
        """Seconds since the start."""
        return self.agenda.now_s - START_S

    def submit(
        self,
        duration_s: float = 10,
        *,
        model: JobModel | Callable[[Job], JobModel] | None = None,
        **given: object,
    ) -> Job:
        """Submit a job that succeeds after `duration_s`, or does what `model` says; see `new_request`."""
        job = self.controller.submit(new_request(**given))  # type: ignore[arg-type]
        self._models[job.id] = model or JobModel(duration_s)
        return job

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass."""
        self.agenda.advance(self.agenda.now_s + seconds)

    def step(self) -> bool:
        """Go on to the next moment at which something happens; False if nothing will."""
        next_s = self.agenda.next_time_s
        if next_s is None:
            return False
        self.agenda.advance(next_s)
        return True

    def set_node(self, index: int, *, admin: str) -> None:
        """Let a node fail (`DOWN`), take it out (`DRAIN`), or bring it back (empty)."""
        node, nodes = self.cluster.nodes[index], self.controller.nodes
        if admin == "DOWN":
            nodes.fail(node)
        elif admin == "DRAIN":
            nodes.drain(node, "test")
        elif node.admin:
            nodes.resume(node)

    def tasks(self, array_id: int) -> list[Job]:
        """Return every record of an array, by id."""
        return [job for job in self.jobs.values() if job.array is not None and job.array.job_id == array_id]

    def check(self) -> None:
        """Assert that the books agree: nodes, pool, the jobs' shares and cores, the controller's indices."""
        cluster = self.cluster
        free = [(1 << node.cpus) - 1 for node in cluster.nodes]
        gpus = [node.gpus for node in cluster.nodes]
        placed = [job for job in cluster.jobs.values() if job.is_placed]
        for job in placed:
            assert job.shares, f"job {job.id} runs nowhere"
            for share, cores in zip(job.shares, job.cores, strict=True):
                assert cores.bit_count() == share.held >= share.cpus >= 1
                assert cores & ~free[share.node] == 0, f"job {job.id} has cores of another, or of no node"
                free[share.node] ^= cores
                gpus[share.node] -= job.request.geometry.gpus_per_node
                assert gpus[share.node] >= 0
            assert job.held_cpus == sum(share.held for share in job.shares)
            assert job.node_mask == mask_of(share.node for share in job.shares)
        assert [node.free_cores for node in cluster.nodes] == free
        counts = [cores.bit_count() for cores in free]
        assert (cluster.pool.free, cluster.pool.gpus) == (counts, gpus)
        assert cluster.available == mask_of(node.index for node in cluster.nodes if not node.admin)
        assert cluster.pool.total(mask_of(range(len(free)))) == sum(counts)
        queue, running = self.controller.life.queue, self.controller.life.running
        assert sorted(job.id for job in running) == sorted(job.id for job in placed)
        ends = [(end_s, job_id) for end_s, job_id, _ in running.entries]
        assert ends == sorted((job.limit_end_s, job.id) for job in placed)
        pending = {job.id for job in cluster.jobs.values() if job.state is SlurmState.PENDING}
        ready = [job.id for job in queue.first()]
        assert len(set(ready)) == len(ready) == len(queue)
        assert set(ready) | set(queue.waiting) == pending
        assert not set(ready) & set(queue.waiting)

    def _model_of(self, job: Job) -> JobModel:
        model = self._models[job.array.job_id if job.array is not None else job.id]
        return model if isinstance(model, JobModel) else model(job)

    def _changed(self, job: Job) -> None:
        self.jobs[job.id] = job
        if self._last.get(job.id) is not job.state:
            self._last[job.id] = job.state
            self.log.append((self.passed_s, job.id, job.state))


def outcome(job: Job) -> str:
    """Return `FAILED NonZeroExitCode 3:0`."""
    return f"{job.state} {job.reason} {job.exit_code}:{job.exit_signal}"


def where(job: Job) -> dict[int, int]:
    """Return node index -> cores that the job holds there."""
    return {share.node: share.held for share in job.shares}
