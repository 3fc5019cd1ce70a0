"""Staying with a run that exists already."""

import contextlib
import re

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState
from lute.arp.kerberos import TicketCopy
from lute.arp.renewal import TokenKeeper
from lute.errors import ConfigError
from lute.launch.arguments import RUN_TIME, LaunchArguments
from lute.launch.output import Output
from lute.launch.process import Process
from lute.launch.run_time import withdrawn_at_end
from lute.launch.stay import Stay
from lute.launch.tickets import own_tickets
from lute.launch.watch import RunRef
from lute.settings import Settings
from lute.workflows.model import DAG_PREFIX


def attach(
    arguments: LaunchArguments, process: Process, settings: Settings, airflow: AirflowClient
) -> RunState:
    """Stay with a run until it has ended, as if it had been started here.

    Raises:
        ConfigError: there is no such run.
        LuteError: the run was lost.
    """
    output = Output(process.runtime.clock, process.write)
    with own_tickets(process, output.news) as tickets, contextlib.ExitStack() as at_end:
        return _attach(arguments, process, settings, airflow, output, tickets, at_end)


def _attach(
    arguments: LaunchArguments,
    process: Process,
    settings: Settings,
    airflow: AirflowClient,
    output: Output,
    tickets: TicketCopy | None,
    at_end: contextlib.ExitStack,
) -> RunState:
    run_id = arguments.attach or ""
    is_run_time = arguments.workflow == RUN_TIME
    run = RunRef(DAG_PREFIX + run_id if is_run_time else f"lute_{arguments.workflow}", run_id)
    if not airflow.has_run(run.dag_id, run.run_id):
        raise ConfigError(
            f"workflow {arguments.workflow} has no run '{run.run_id}'",
            next_step="check -w (run_time for a file's), and the id: the launcher prints it as 'DAG run'",
        )
    if is_run_time:
        at_end.enter_context(withdrawn_at_end(airflow, run_id, process, output.news))
    stay = Stay(
        airflow,
        run,
        process,
        settings,
        workflow=arguments.workflow,
        follow=arguments.follow,
        reports=arguments.reports,
    )
    named = process.env.get("EXPERIMENT") or arguments.experiment
    experiment = _experiment(run.run_id) or named or ""
    keeper = TokenKeeper(
        (process.env.get("Authorization") or "") if named in (None, "", experiment) else "",
        experiment=experiment,
        run_id=run.run_id,
        settings=settings,
        runtime=process.runtime,
        airflow=airflow,
        tickets=tickets,
        say=stay.output.news,
    )
    stay.chores.append(keeper.keep)

    def begin() -> None:
        keeper.resume()
        stay.output.news(f"Workflow {arguments.workflow} attached: DAG run {run.run_id}")

    try:
        return stay.from_start_to_end(begin)
    finally:
        airflow.patience_s = min(airflow.patience_s, settings.timeouts.retry_s)
        keeper.close()


def _experiment(run_id: str) -> str:
    """Return the experiment that is in a DAG run's id, as the launcher makes them."""
    found = re.match("(.+?)_r[0-9]+_", run_id)
    return found[1] if found else ""
