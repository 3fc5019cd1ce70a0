"""What the launcher knows of the steps of its run."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lute.airflow_api.models import TaskInstance, TaskState
from lute.jid.status import JobStatus
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState

_OVER = frozenset(str(status) for status in JobStatus if not status.is_active)


@dataclass(frozen=True)
class StepJob:
    """What an operator tells of its Slurm job.

    Attributes:
        tool_id: the job's number; empty if it was not submitted, as far as Airflow tells.
        status: the JID's word for how it is.
        log_file_path: where its log lies; empty if that is not known.
    """

    tool_id: str = ""
    status: str = ""
    log_file_path: str = ""


@dataclass
class Step:
    """One step and its last try.

    Attributes:
        instance: what Airflow tells of it.
        job: of the last try of which something is known.
        slurm: what Slurm tells of that job; None if it cannot be asked, or has forgotten it.
        has_spoken: whether the operator of the last ended try said how that went.
        last_lines: the end of the log of the last ended try.
    """

    instance: TaskInstance
    job: StepJob = field(default_factory=StepJob)
    slurm: SlurmJob | None = None
    has_spoken: bool = True
    last_lines: str = ""

    @property
    def label(self) -> str:
        """The name a user knows it by."""
        return self.instance.label

    @property
    def state(self) -> TaskState:
        """Airflow's word for how it is."""
        return self.instance.state

    @property
    def is_certain(self) -> bool:
        """Whether nothing of its last ended try can be left in Slurm."""
        is_over = self.job.status in _OVER if self.job.status else not self.job.tool_id
        return self.has_spoken and is_over

    @property
    def has_final_slurm_state(self) -> bool:
        """Whether Slurm has told how its job ended."""
        return self.slurm is not None and self.slurm.state is not None and self.slurm.state.is_final

    @property
    def wait_s(self) -> float | None:
        """How long its job waited in Slurm's queue, in seconds; None if that is not known."""
        return None if self.slurm is None else _between_s(self.slurm.submit_time, self._job_start)

    @property
    def run_s(self) -> float | None:
        """How long its job ran, in seconds, else its last try; None if neither is known."""
        if self.slurm is not None and self.has_final_slurm_state:
            return _between_s(self._job_start, self.slurm.end_time)
        return _between_s(self.instance.started, self.instance.ended)

    @property
    def contradiction(self) -> str:
        """How its job ended, where Airflow calls the step a success and the job is none; else empty."""
        if self.state is not TaskState.SUCCESS:
            return ""
        if self.slurm is not None and self.has_final_slurm_state:
            return "" if self.slurm.state is SlurmState.COMPLETED else str(self.slurm.state)
        return self.job.status if self.job.status in ("FAILED", "EXITED") else ""

    @property
    def _job_start(self) -> datetime | None:
        return None if self.slurm is None else self.slurm.start_time


class Steps:
    """The steps of one run, in Airflow's order."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Step] = {}

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())

    def __len__(self) -> int:
        return len(self._steps)

    def update(self, instances: Sequence[TaskInstance]) -> None:
        """Take note of what Airflow tells now."""
        for instance in instances:
            key = (instance.task_id, instance.map_index)
            if key in self._steps:
                self._steps[key].instance = instance
            else:
                self._steps[key] = Step(instance)
        there = {(instance.task_id, instance.map_index) for instance in instances}
        for key in [key for key in self._steps if key not in there]:
            del self._steps[key]  # such as a mapped task before it was expanded

    def of(self, instance: TaskInstance) -> Step:
        """Return the step of a task instance that `update` has seen."""
        return self._steps[instance.task_id, instance.map_index]


def read_job(text: str | None) -> StepJob:
    """Read what the operator pushed about its Slurm job; empty if it pushed nothing that can be read."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        return StepJob()
    return StepJob(*(str(found.get(key) or "") for key in ("tool_id", "status", "log_file_path")))


def _between_s(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())
