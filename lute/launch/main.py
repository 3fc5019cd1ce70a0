"""The launcher, as a function of its arguments."""

import errno
import traceback
from collections.abc import Sequence
from pathlib import Path

from lute.errors import ConfigError, LuteError
from lute.launch.arguments import LaunchArguments, launch_parser, parse_launch_arguments
from lute.launch.process import SCRIPTS, Interrupted, Process
from lute.redact import redact


def main(argv: Sequence[str], process: Process | None = None, *, scripts: Path = SCRIPTS) -> int:
    """Launch a workflow and stay until it has ended.

    Args:
        process: what surrounds the launcher; this process by default.
        scripts: the folder of the script that calls this, if it gives no `process`.

    Returns:
        0 the workflow succeeded; 1 it failed, or the launcher lost it; 2 usage or configuration;
        128 + the number of the signal that interrupted it.
    """
    if not {"-h", "--help"}.isdisjoint(argv):
        launch_parser().parse_args(["--help"])  # and ends; at once, before the site's settings are read
    process = process or Process(scripts=scripts)
    process.write_anything()
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
        process.write_error(f"launch_airflow.py: error: {error}\n  next: {_next_step(error)}")
        return 1


def _next_step(error: OSError) -> str:
    if isinstance(error, BrokenPipeError):
        return "let its output be read to the end"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room where its log lies"
    return "see whether the folder it was started in is still there"


def _launch(arguments: LaunchArguments, process: Process) -> int:
    # Here, so that `--help` and mistakes in the arguments are told at once.
    from lute.airflow_api.client import AirflowClient
    from lute.airflow_api.models import RunState
    from lute.launch.attach import attach
    from lute.launch.start import start
    from lute.settings import load_settings

    settings = load_settings(process.env, test_instance=arguments.test)
    airflow = AirflowClient(settings, process.runtime)
    if arguments.dry_run:
        from lute.launch.dry_run import dry_run

        return 0 if dry_run(arguments, process, settings, airflow) else ConfigError.exit_code
    go = start if arguments.attach is None else attach
    return 0 if go(arguments, process, settings, airflow) is RunState.SUCCESS else 1
