"""Finding the DAG of a workflow, or giving Airflow one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lute.airflow_api.client import AirflowClient
from lute.errors import ConfigError, did_you_mean
from lute.launch.arguments import LaunchArguments
from lute.launch.output import Output
from lute.launch.process import Process


@contextlib.contextmanager
def workflow_dag(
    arguments: LaunchArguments, run_id: str, airflow: AirflowClient, process: Process, output: Output
) -> Iterator[str]:
    """Yield the id of the DAG that is to be run, ready to run.

    Args:
        run_id: of the DAG run that is to be.

    Raises:
        ConfigError: there is no such workflow, or it and the configuration do not go together.
        RemoteError: Airflow refused or is out of reach.
    """
    if arguments.run_time is None:
        yield find_workflow(airflow, arguments.workflow, output)
        return
    from lute.launch.run_time import check_workflow, published  # here: few launches need it

    assert arguments.config_file is not None  # noqa: S101 - nothing is started without
    check_workflow(arguments.run_time, arguments.config_file, process.env)
    output.news(f"Workflow of {arguments.run_time.title}: giving it to Airflow")
    with published(airflow, arguments.run_time, run_id, process, output.news) as dag_id:
        yield dag_id


def find_workflow(
    airflow: AirflowClient, workflow: str, output: Output, *, changes_nothing: bool = False
) -> str:
    """Return the id of a workflow's DAG, ready to run.

    Args:
        changes_nothing: leave a paused one as it is, and say so.

    Raises:
        ConfigError: there is no such workflow; the message has the closest names and the import errors.
        RemoteError: Airflow refused or is out of reach.
    """
    airflow.check_health()
    dag_id = f"lute_{workflow}"
    dag = airflow.dag(dag_id)
    if dag is None:
        raise _no_such_workflow(airflow, workflow)
    if dag.is_paused and changes_nothing:
        output.news(f"Workflow {workflow} is paused in Airflow: a launch unpauses it")
    elif dag.is_paused:
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
