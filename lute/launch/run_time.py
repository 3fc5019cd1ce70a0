"""Workflows that users write at run time: each launch gives Airflow one, and takes it away at the end.

The workflow goes into an Airflow Variable of its own, of which the DAG file `run_time.py` makes a DAG of its
own. So any number of users do not see each other's.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from lute.airflow_api.client import AirflowClient
from lute.errors import ConfigError, LuteError, PermanentError
from lute.launch.process import Process
from lute.launch.sweep import ANSWER_S
from lute.managed_tasks import MANAGED_TASKS
from lute.seams import Clock
from lute.tasks.forecast import check_parameters
from lute.workflows.model import DAG_PREFIX, PARENT_DAG, VARIABLE_PREFIX, Workflow, parse_workflow

_PATIENCE_S = 300.0
_POLL_S = 1.0
_ASK_AGAIN_S = 15.0
_KEPT = timedelta(days=14)
"""No run takes longer."""


def check_workflow(workflow: Workflow, config_file: Path, env: Mapping[str, str]) -> None:
    """Check a configuration against the Tasks of a workflow.

    Raises:
        ConfigError: parameters are unknown, missing or wrong.
    """
    before: dict[str, set[str]] = {}
    for step in workflow.in_order:
        task = MANAGED_TASKS[step.managed_task].task
        earlier = {MANAGED_TASKS[other.managed_task].task for other in workflow.before(step.task_id)}
        before.setdefault(task, set()).update(earlier)
    check_parameters(config_file, env, before)


@contextlib.contextmanager
def published(
    airflow: AirflowClient, workflow: Workflow, run_id: str, process: Process, tell: Callable[[str], None]
) -> Iterator[str]:
    """Give Airflow a workflow, and take it away at the end.

    Its DAG goes with it, but the record of its run stays. What launchers that were killed have left is
    removed, too.

    Args:
        run_id: of the DAG run that is to be.

    Returns:
        The id of its DAG, ready to run.

    Raises:
        ConfigError: this Airflow has not the DAG file for it.
        RemoteError: Airflow refused, was out of reach, or has made no DAG in time.
    """
    check_deployed(airflow)
    clock = process.runtime.clock
    text = workflow.model_copy(update={"created": clock.now()}).to_json()
    dag_id = DAG_PREFIX + run_id
    with contextlib.ExitStack() as at_end:
        try:
            airflow.set_variable(VARIABLE_PREFIX + run_id, text)
        except PermanentError:
            raise  # it was refused: there is nothing to take away
        except BaseException:
            at_end.enter_context(withdrawn_at_end(airflow, run_id, process, tell))
            raise
        at_end.enter_context(withdrawn_at_end(airflow, run_id, process, tell))
        _remove_forgotten(airflow, clock, tell)
        _wait(airflow, dag_id, workflow, clock)
        yield dag_id


@contextlib.contextmanager
def withdrawn_at_end(
    airflow: AirflowClient, run_id: str, process: Process, tell: Callable[[str], None]
) -> Iterator[None]:
    """Take a workflow away once its run has ended, or its launcher gives up."""
    try:
        yield
    except BaseException:
        airflow.hurry(ANSWER_S)  # the launcher may have been asked to end
        raise
    finally:
        process.signals.ignore()
        key = VARIABLE_PREFIX + run_id
        try:
            airflow.delete_variable(key)
        except LuteError as error:
            tell(f"WARNING: Airflow keeps the Variable {key}, it could not be removed: {error.what}")


def _wait(airflow: AirflowClient, dag_id: str, workflow: Workflow, clock: Clock) -> None:
    """Wait until Airflow shows the DAG with exactly the workflow's steps, and lets it run."""
    started_s = clock.monotonic()
    ask_at_s = started_s
    while not _is_there(airflow, dag_id, workflow):
        now_s = clock.monotonic()
        if now_s - started_s >= _PATIENCE_S:
            raise PermanentError(
                f"Airflow has not made a DAG of the workflow within {_PATIENCE_S:.0f} s",
                endpoint=dag_id,
                next_step="ask its administrators to look for run_time.py in the log of the DAG processor",
            )
        if now_s >= ask_at_s:
            airflow.parse_dag_file(PARENT_DAG)
            ask_at_s = now_s + _ASK_AGAIN_S
        clock.sleep(_POLL_S)


def _is_there(airflow: AirflowClient, dag_id: str, workflow: Workflow) -> bool:
    dag = airflow.dag(dag_id)
    if dag is None:
        return False
    try:
        found = airflow.downstream(dag_id)
    except PermanentError as error:
        if error.http_status == 404:  # it is known, its tasks are not yet
            return False
        raise
    if {name: set(behind) for name, behind in found.items()} != {
        name: set(behind) for name, behind in workflow.links.items()
    }:
        return False
    if dag.is_paused:
        airflow.unpause(dag_id)
    return True


def check_deployed(airflow: AirflowClient) -> None:
    """Check that this Airflow works and takes workflows of its users.

    Raises:
        ConfigError: it has not the DAG file for them.
        RemoteError: it refused, is out of reach or is not healthy.
    """
    airflow.check_health()
    if airflow.dag(PARENT_DAG) is not None:
        return
    reasons = [report.reason for report in airflow.import_errors() if report.filename.endswith("run_time.py")]
    what = f"could not import run_time.py: {reasons[0]}" if reasons else f"has no DAG {PARENT_DAG}"
    raise ConfigError(
        f"this Airflow takes no workflow files: it {what}",
        next_step="ask its administrators to deploy workflows/airflow/run_time.py: scripts/deploy_dags.sh",
    )


def _remove_forgotten(airflow: AirflowClient, clock: Clock, tell: Callable[[str], None]) -> None:
    """Remove what launchers that were killed have left. If that fails it is no fault of this launch."""
    try:
        for key, text in airflow.variables(VARIABLE_PREFIX).items():
            with contextlib.suppress(ConfigError):  # it is somebody else's
                created = parse_workflow(text).created
                if created is not None and clock.now() - created > _KEPT:
                    airflow.delete_variable(key)
                    tell(f"Removed what a launcher that was killed has left in Airflow: {key}")
    except LuteError as error:
        tell(f"WARNING: forgotten workflows could not be looked for: {error.what}")
