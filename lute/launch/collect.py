"""Collecting every step's log into the launcher's own output."""

import json

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import TaskInstance, TaskState
from lute.errors import RemoteError
from lute.launch.output import Output
from lute.launch.watch import RunRef


class LogCollector:
    """Prints what happens to each step, and the log of each try exactly once."""

    def __init__(self, airflow: AirflowClient, run: RunRef, output: Output) -> None:
        self._airflow = airflow
        self._run = run
        self._output = output
        self._told: dict[tuple[str, int], object] = {}
        self._collected: set[tuple[str, int, int]] = set()

    def update(self, tasks: list[TaskInstance]) -> None:
        """Tell what is new in `tasks`."""
        for task in tasks:
            step = (task.task_id, task.map_index)
            news = (task.state, task.try_number)
            if self._told.get(step) == news:
                continue
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
        try:
            job = _read_job(self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "job"))
            log = self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "log")
        except RemoteError as error:
            job, log = {}, f"(the log of {task.label} cannot be had from Airflow: {error})"
        self._output.log(
            f"{task.label}: {task.state} (try {task.try_number}, Slurm job {job.get('tool_id') or 'none'})",
            _no_log(task, job) if log is None else log,
        )


def _read_job(text: str | None) -> dict[str, str | None]:
    """Read what the operator pushed about its Slurm job; empty if it pushed nothing."""
    try:
        job = json.loads(text or "{}")
    except ValueError:
        return {}
    return job if isinstance(job, dict) else {}


def _no_log(task: TaskInstance, job: dict[str, str | None]) -> str:
    if not job.get("tool_id"):
        return f"(no log of {task.label}: its job was not submitted, as far as Airflow tells)"
    return (
        f"(no log of {task.label} came through Airflow; its file: {job.get('log_file_path') or 'not known'})"
    )
