"""What the steps of a run found, from the results database."""

from collections.abc import Mapping

from lute.execution.judgement import figures_text
from lute.io.database import Database, TaskRun


def latest_runs(database: Database, experiment: str, run: int) -> dict[str, TaskRun]:
    """Return the latest row of each Task, by its name."""
    return {row.task: row for row in database.runs(experiment=experiment, run=run)}


def step_results(runs: Mapping[str, TaskRun]) -> dict[str, str]:
    """Return what each step found, in words, by the name of the managed Task."""
    return {
        run.managed_task: figures_text(run.summary) if isinstance(run.summary, Mapping) else str(run.summary)
        for run in runs.values()
    }
