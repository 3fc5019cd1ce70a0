"""Finding the DAG of a workflow."""

from pathlib import Path

from lute.airflow_api.client import AirflowClient
from lute.errors import ConfigError, did_you_mean
from lute.launch.output import Output


def find_workflow(airflow: AirflowClient, workflow: str, output: Output) -> str:
    """Return the id of a workflow's DAG, ready to run.

    Raises:
        ConfigError: there is no such workflow; the message has the closest names and the import errors.
        RemoteError: Airflow refused or is out of reach.
    """
    airflow.check_health()
    dag_id = f"lute_{workflow}"
    dag = airflow.dag(dag_id)
    if dag is None:
        raise _no_such_workflow(airflow, workflow)
    if dag.is_paused:
        output.news(f"Workflow {workflow} was paused in Airflow: unpausing it, or its run would stay queued")
        airflow.unpause(dag_id)
    return dag_id


def _no_such_workflow(airflow: AirflowClient, workflow: str) -> ConfigError:
    failed = airflow.import_errors()
    own = [report for report in failed if Path(report.filename).stem == workflow]
    if own:
        return ConfigError(
            f"Airflow could not import {own[0].filename}: {own[0].reason}", next_step="repair the DAG file"
        )
    names = [dag_id.removeprefix("lute_") for dag_id in airflow.dag_ids() if dag_id.startswith("lute_")]
    lines = [f"there is no workflow '{workflow}': {did_you_mean(workflow, names)}"]
    lines += [f"  Airflow could not import {report.filename}: {report.reason}" for report in failed]
    return ConfigError("\n".join(lines), next_step="check -w, or repair the DAG file")
