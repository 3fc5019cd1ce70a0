"""Starting a run and staying with it."""

import contextlib
from collections.abc import Callable

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState
from lute.arp.counters import Counters
from lute.arp.kerberos import TicketCopy
from lute.arp.renewal import TokenKeeper
from lute.jid.documents import RunConf
from lute.launch.arguments import LaunchArguments
from lute.launch.conf import build_conf, contradictions, dag_run_id, is_restarted
from lute.launch.output import Output
from lute.launch.process import Process
from lute.launch.stay import Stay
from lute.launch.tickets import own_tickets
from lute.launch.watch import RunRef
from lute.launch.workflow import workflow_dag
from lute.seams import Runtime
from lute.settings import Settings


def start(
    arguments: LaunchArguments, process: Process, settings: Settings, airflow: AirflowClient
) -> RunState:
    """Start a run of a workflow and stay until it has ended.

    A launcher that Slurm has started again finds the run of its first life and stays with that one.

    Raises:
        LuteError: the run could not be started, or was lost.
    """
    output = Output(process.runtime.clock, process.write)
    with own_tickets(process, output.news) as tickets, contextlib.ExitStack() as at_end:
        return _start(arguments, process, settings, airflow, output, tickets, at_end)


def _start(
    arguments: LaunchArguments,
    process: Process,
    settings: Settings,
    airflow: AirflowClient,
    output: Output,
    tickets: TicketCopy | None,
    at_end: contextlib.ExitStack,
) -> RunState:
    env, runtime = process.env, process.runtime
    workflow = arguments.workflow
    conf = build_conf(arguments, env, settings, runtime, process.scripts)
    for warning in contradictions(arguments, env):
        output.news(warning)
    run_id = dag_run_id(conf, env, runtime)
    run = RunRef(at_end.enter_context(workflow_dag(arguments, run_id, airflow, process, output)), run_id)
    stay = Stay(
        airflow,
        run,
        process,
        settings,
        workflow=workflow,
        follow=arguments.follow,
        counters=_counters(conf, runtime, lambda: keeper.authorization),
        reports=arguments.reports,
    )
    keeper = TokenKeeper(
        conf.authorization,
        experiment=conf.experiment,
        run_id=run.run_id,
        settings=settings,
        runtime=runtime,
        airflow=airflow,
        tickets=tickets,
        say=stay.output.news,
    )
    stay.chores.append(keeper.keep)

    def begin() -> None:
        if is_restarted(env) and airflow.has_run(run.dag_id, run.run_id):
            keeper.resume()
            stay.output.news(f"Workflow {workflow} attached: DAG run {run.run_id}, of this job's first start")
            return
        keeper.start()
        kerb_file = tickets.name if tickets else conf.kerb_file
        known = conf.model_copy(update={"authorization": keeper.conf_value, "kerb_file": kerb_file})
        airflow.trigger(run.dag_id, run.run_id, known.to_conf())
        stay.output.news(f"Workflow {workflow} launched: DAG run {run.run_id}, experiment {conf.experiment}")

    try:
        return stay.from_start_to_end(begin)
    finally:
        airflow.patience_s = min(airflow.patience_s, settings.timeouts.retry_s)
        keeper.close()


def _counters(conf: RunConf, runtime: Runtime, authorization: Callable[[], str]) -> Counters | None:
    known = {
        "JID_UPDATE_COUNTERS": conf.jid_update_counters or "",
        "ARP_ROOT_JOB_ID": conf.arp_root_job_id,
        "EXPERIMENT": conf.experiment,
        "RUN_NUM": conf.run_id,
    }
    return Counters.from_environment(known, runtime, authorization)
