"""Collecting every step's log into the launcher's own output."""

from typing import Protocol

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import TaskInstance, TaskState
from lute.errors import RemoteError
from lute.jid.log_text import clean_log
from lute.launch.jobs import JobLookup
from lute.launch.log_files import LogFiles
from lute.launch.output import Output
from lute.launch.steps import Step, StepJob, Steps, read_job
from lute.launch.watch import RunRef
from lute.redact import redact

LAST_LINES = 15
"""So many lines of a failed step's log are shown again at the end."""
_LONGEST_LINE = 1000
_LOOKED_AT = 4 * LAST_LINES * _LONGEST_LINE


class Follower(Protocol):
    """Who may have printed logs before their ends."""

    def rest(self, step: Step, log: str | None) -> str | None:
        """Return what of the log of a try that has ended is not printed yet."""


class LogCollector:
    """Prints what happens to each step, and the log of each try exactly once.

    Args:
        files: where logs may be that do not come through Airflow.
        max_kib: most of a file that is printed, in KiB.
        follower: None where nobody prints logs live.
    """

    def __init__(
        self,
        airflow: AirflowClient,
        run: RunRef,
        output: Output,
        steps: Steps,
        jobs: JobLookup,
        files: LogFiles,
        max_kib: int,
        follower: Follower | None = None,
    ) -> None:
        self._airflow = airflow
        self._run = run
        self._output = output
        self._steps = steps
        self._jobs = jobs
        self._files = files
        self._max_kib = max_kib
        self._follower = follower
        self._told: dict[tuple[str, int], object] = {}
        self._collected: set[tuple[str, int, int]] = set()

    def update(self, tasks: list[TaskInstance]) -> None:
        """Tell what is new in `tasks`."""
        self._steps.update(tasks)
        for task in tasks:
            self.tell(task)

    def tell(self, task: TaskInstance) -> None:
        """Tell what is new of a task that `update` has seen."""
        step = (task.task_id, task.map_index)
        news = (task.state, task.try_number)
        if self._told.get(step) == news:
            return
        self._told[step] = news
        if task.state.has_log:
            self._collect(task)
        elif task.state.is_final or task.state is TaskState.RUNNING:
            self._output.news(f"{task.label}: {task.state}")

    def _collect(self, task: TaskInstance) -> None:
        attempt = (task.task_id, task.map_index, task.try_number)
        if attempt in self._collected:
            return
        self._collected.add(attempt)
        step = self._steps.of(task)
        try:
            step.job = read_job(self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "job"))
            log = self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "log")
        except RemoteError as error:
            step.job, log = StepJob(), f"(the log of {task.label} cannot be had from Airflow: {error})"
        step.slurm = self._jobs.job(step.job.tool_id)
        step.has_spoken = log is not None
        if log is None:
            log = self._from_file(step.job)
        step.last_lines = _end_of(log or "")
        shown = log if self._follower is None else self._follower.rest(step, log)
        self._output.log(
            f"{task.label}: {task.state} (try {task.try_number}, Slurm job {step.job.tool_id or 'none'})",
            _no_log(step) if shown is None else shown,
        )

    def _from_file(self, job: StepJob) -> str | None:
        """Return the end of a job's log, whose operator did not live to fetch it; None if it is not seen."""
        size = self._files.size(job.log_file_path) if job.log_file_path else None
        if size is None:
            return None
        length = self._max_kib * 1024
        text = self._files.read(job.log_file_path, max(0, size - length), length).decode(errors="replace")
        cut = f"[... {size - length} earlier bytes cut; all of it: {job.log_file_path} ...]\n"
        return (cut if size > length else "") + clean_log(text, max_kib=self._max_kib, where=None)


def _end_of(log: str) -> str:
    # A token that is cut is not known for one any more.
    lines = redact(log.rstrip()[-_LOOKED_AT:])[-LAST_LINES * _LONGEST_LINE :].splitlines()[-LAST_LINES:]
    return "\n".join(line[-_LONGEST_LINE:] for line in lines)


def _no_log(step: Step) -> str:
    if not step.job.tool_id:
        return f"(no log of {step.label}: its job was not submitted, as far as Airflow tells)"
    where = step.job.log_file_path or "not known"
    return f"(no log of {step.label} came through Airflow; its file: {where})"
