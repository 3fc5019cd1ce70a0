"""Workflows that users write at run time: one DAG for each, from an Airflow Variable of its own.

The launcher stores a workflow in the Variable `lute_workflow_RUN` and runs the DAG `lute_run_time_RUN`, RUN
being the id of its DAG run; at the end it removes the Variable, and with it the DAG.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from lute.operators._compat import DAG, parsed_dag_id, variable, variable_keys
from lute.operators.jidoperators import JIDSlurmOperator
from lute.workflows.model import DAG_PREFIX, VARIABLE_PREFIX, Workflow, parse_workflow

_log = logging.getLogger(__name__)


def run_time_dags() -> dict[str, DAG]:
    """Return the DAGs of all workflows that there are now, by id.

    A worker that runs a step of one gets that one alone.

    Raises:
        LuteError: the Variable of that one is not to be read.
    """
    wanted = parsed_dag_id()
    if wanted is not None:
        if not wanted.startswith(DAG_PREFIX):
            return {}
        text = variable(VARIABLE_PREFIX + wanted.removeprefix(DAG_PREFIX))
        return {} if text is None else {wanted: dag_of(wanted, parse_workflow(text))}
    found = {}
    for key in variable_keys(VARIABLE_PREFIX):
        dag_id = DAG_PREFIX + key.removeprefix(VARIABLE_PREFIX)
        try:
            text = variable(key)
            if text is not None:  # its run has not ended meanwhile
                found[dag_id] = dag_of(dag_id, parse_workflow(text))
        except Exception as error:  # noqa: BLE001 - one odd Variable must not hide all other workflows
            _log.warning("The Variable %s makes no workflow: %s", key, error)
    return found


def dag_of(dag_id: str, workflow: Workflow) -> DAG:
    """Return the DAG of a workflow."""
    dag = DAG(
        dag_id=dag_id,
        start_date=datetime(2024, 3, 18, tzinfo=UTC),
        schedule=None,
        description=workflow.title,
        is_paused_upon_creation=False,
        tags=["lute", "run time"],
    )
    steps = {}
    for step in workflow.steps:
        settings = step.settings
        retries: dict[str, Any] = {} if settings.retries is None else {"retries": settings.retries}
        steps[step.task_id] = JIDSlurmOperator(
            task_id=step.task_id,
            dag=dag,
            max_cores=settings.max_cores,
            max_nodes=settings.max_nodes,
            require_partition=settings.partition,
            custom_slurm_params=settings.slurm_params,
            trigger_rule=settings.trigger_rule,
            **retries,
        )
    for step in workflow.steps:
        for behind in step.next:
            steps[step.task_id] >> steps[behind]
    return dag
