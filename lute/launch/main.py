"""The launcher, as a function of its arguments."""

import contextlib
import traceback
from collections.abc import Sequence

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState
from lute.errors import LuteError, PermanentError
from lute.launch.arguments import LaunchArguments, parse_launch_arguments
from lute.launch.collect import LogCollector
from lute.launch.conf import build_conf, contradictions, dag_run_id
from lute.launch.output import Output
from lute.launch.process import Interrupted, Process
from lute.launch.watch import RunRef, watch
from lute.launch.workflow import find_workflow
from lute.redact import redact
from lute.seams import Runtime
from lute.settings import load_settings


def main(argv: Sequence[str], process: Process | None = None) -> int:
    """Launch a workflow and stay until it has ended.

    Args:
        process: what surrounds the launcher; this process by default.

    Returns:
        0 the workflow succeeded; 1 it failed, or the launcher lost it; 2 usage or configuration;
        128 + the number of the signal that interrupted it.
    """
    process = process or Process()
    try:
        process.signals.raise_interrupted()
        return _launch(parse_launch_arguments(argv), process)
    except Interrupted as interrupt:
        process.write_error(f"launch_airflow.py: interrupted by {interrupt}")
        return interrupt.exit_code
    except LuteError as error:
        if "--debug" in argv:
            process.write_error(redact(traceback.format_exc()))
        process.write_error(f"launch_airflow.py: error: {redact(str(error))}")
        return error.exit_code
    except OSError as error:
        # Such as a full disk under the log, or a reader of the output that has gone.
        process.abandon_output()
        if "--debug" in argv:
            process.write_error(traceback.format_exc())
        process.write_error(f"launch_airflow.py: error: {error}\n  next: make room where its log lies")
        return 1


def _launch(arguments: LaunchArguments, process: Process) -> int:
    env, runtime = process.env, process.runtime
    settings = load_settings(env, test_instance=arguments.test)
    conf = build_conf(arguments, env, settings, runtime)
    airflow = AirflowClient(settings, runtime)
    run_id = dag_run_id(conf, runtime)
    output = Output(runtime.clock, process.write)

    for warning in contradictions(arguments, env):
        output.news(warning)
    dag_id = find_workflow(airflow, arguments.workflow, output)
    run = RunRef(dag_id, run_id)
    try:
        airflow.trigger(dag_id, run_id, conf.to_conf())
        output.news(f"Workflow {arguments.workflow} launched: DAG run {run_id}, experiment {conf.experiment}")
        airflow.patience_s = settings.timeouts.outage_s
        state = _follow(airflow, run, output, runtime, queued_limit_s=settings.timeouts.queued_s)
    except BaseException:
        _give_up(airflow, run, output, process)
        raise
    output.news(f"Workflow {arguments.workflow}: {state}")
    return 0 if state is RunState.SUCCESS else 1


def _follow(
    airflow: AirflowClient, run: RunRef, output: Output, runtime: Runtime, *, queued_limit_s: float
) -> RunState:
    """Tell what happens until the run has ended and return its final state."""
    collector = LogCollector(airflow, run, output)
    state = RunState.QUEUED
    for now, tasks in watch(airflow, run, runtime.clock, queued_limit_s=queued_limit_s):
        collector.update(tasks)
        state = now
    return state


def _give_up(airflow: AirflowClient, run: RunRef, output: Output, process: Process) -> None:
    """Mark the run failed, so that nothing goes on unwatched. One attempt; never raises."""
    process.signals.ignore()
    airflow.patience_s = 0.0
    try:
        airflow.fail_run(run.dag_id, run.run_id)
    except LuteError as error:
        if isinstance(error, PermanentError) and error.http_status == 404:
            return  # it was never started
        fate = f"DAG run {run.run_id} may go on in Airflow, it could not be marked failed: {error.what}"
    else:
        fate = f"DAG run {run.run_id} was marked failed, which cancels its jobs"
    with contextlib.suppress(OSError):  # the output may be what went wrong
        output.news(fate)
