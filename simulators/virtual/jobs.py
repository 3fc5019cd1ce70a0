"""The jobs of a world: whose they are, what they do, how far they have come."""

from collections.abc import Callable, Mapping
from random import Random

from lute.slurm.states import SlurmState
from simulators.faults.model import Moment
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace
from simulators.scenario.schema import TaskModel
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel


class Jobs:
    """Follows every Slurm job from its submission to its end.

    Args:
        submitter: names the actor whose request is being carried out, which owns a job that appears
            meanwhile.
        try_of: returns the number of the try that a task is at.
        on_moment: called with task, moment and job id.

    Attributes:
        live: ids of the jobs that have not ended.
        by_task: task -> ids of its jobs, in the order of submission.
        others: what jobs do that belong to no task, by their names.
    """

    def __init__(
        self,
        models: Mapping[str, tuple[TaskModel, ...]],
        seeds: Seeds,
        trace: Trace,
        now_s: Callable[[], float],
        submitter: Callable[[], str],
        try_of: Callable[[str], int],
        on_moment: Callable[[str, Moment, int], None],
    ) -> None:
        self.live: set[int] = set()
        self.by_task: dict[str, list[int]] = {}
        self.task_of: dict[int, str] = {}
        self.others: dict[str, TaskModel] = {}
        self.on_end: dict[int, list[Callable[[], None]]] = {}
        self._models = models
        self._seeds = seeds
        self._trace = trace
        self._now_s = now_s
        self._submitter = submitter
        self._try_of = try_of
        self._on_moment = on_moment
        self._shown: dict[int, SlurmState] = {}

    def model_of(self, job: Job) -> JobModel:
        """Return what a job does, drawn from its scenario; the same at each of its starts."""
        task = self.task_of.get(job.id, job.request.name)
        model = self.task_model(job)
        number = self.by_task.get(task, [job.id]).index(job.id)
        draw = self._seeds.stream(f"job.{task}.{number}.{job.restarts}")
        return JobModel(
            duration_s=float("inf") if model.hangs else _drawn(model.duration_s, draw),
            exit_code=model.exit_code,
            exit_signal=model.signal,
            log=model.log.replace("{task}", job.request.name).replace("{job}", str(job.id)),
            on_term=model.on_term,
            ignores_term=model.ignores_term,
            is_out_of_memory=model.out_of_memory,
            fails_to_launch=model.fails_to_launch,
        )

    def task_model(self, job: Job) -> TaskModel:
        """Return what the scenario says of a job."""
        if job.request.name in self.others:
            return self.others[job.request.name]
        task = self.task_of.get(job.id, job.request.name).partition("#")[0]
        models = self._models.get(task) or self._models.get(job.request.name) or self._models.get("*")
        if not models:
            return _DEFAULT
        number = self.by_task.get(self.task_of.get(job.id, task), [job.id]).index(job.id)
        return models[min(number, len(models) - 1)]

    def changed(self, job: Job) -> None:
        """Take note of a change of a job."""
        if job.id not in self.task_of:
            task = self._submitter() or job.request.name
            self.task_of[job.id] = task
            self.by_task.setdefault(task, []).append(job.id)
        if self._shown.get(job.id) is job.state:
            return
        first = job.id not in self._shown
        self._shown[job.id] = job.state
        task = self.task_of[job.id]
        fields: dict[str, object] = {"reason": job.reason}
        if first:
            fields |= {"cpus": job.num_cpus, "task": task, "try": self._try_of(task)}
        if job.state is SlurmState.RUNNING:
            shares = zip(job.node_names, job.shares, strict=True)
            fields["nodes"] = {name: share.held for name, share in shares}
        self._trace.note(
            self._now_s(),
            "slurm",
            "job",
            job=job.id,
            name=job.request.name,
            state=str(job.state),
            **fields,
        )
        if job.state.is_final:
            self.live.discard(job.id)
        else:
            self.live.add(job.id)
        if first:
            self._on_moment(task, Moment.SUBMITTED, job.id)
        elif job.state is SlurmState.RUNNING:
            self._on_moment(task, Moment.JOB_RUNNING, job.id)
        elif job.state.is_final:
            self._on_moment(task, Moment.JOB_ENDED, job.id)
            for call in self.on_end.pop(job.id, ()):
                call()


_DEFAULT = TaskModel()


def _drawn(duration: float | tuple[float, float], draw: Random) -> float:
    return draw.uniform(*duration) if isinstance(duration, tuple) else duration
