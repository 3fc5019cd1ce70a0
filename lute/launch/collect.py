"""Collecting every step's log into the launcher's own output."""

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import TaskInstance, TaskState
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
        job = self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "job")
        log = self._airflow.xcom(self._run.dag_id, self._run.run_id, task, "log")
        slurm_job = job.get("tool_id") if isinstance(job, dict) else None
        self._output.log(
            f"{task.label}: {task.state} (try {task.try_number}, Slurm job {slurm_job or 'none'})",
            log if isinstance(log, str) else self._no_log(task, job),
        )

    @staticmethod
    def _no_log(task: TaskInstance, job: object) -> str:
        where = job.get("log_file_path") if isinstance(job, dict) else None
        return (
            f"(no log of {task.label} came through Airflow"
            f"{f'; its file: {where}' if where else ': its job was never submitted'};"
            f" why is in Airflow's own log of the task)"
        )
