"""Runs one managed Task: `python -m lute.run_task -c CONFIG -t NAME`.

The last line of standard output is the verdict (`lute.execution.verdict`), whatever happens. Exit
codes: 0 the Task completed, 1 it failed or was cancelled, 2 a usage or configuration error.
"""

import argparse
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lute.errors import ConfigError, LuteError
from lute.execution.memory_events import oom_kills
from lute.execution.output import Output
from lute.execution.verdict import Verdict
from lute.io.config import load_config
from lute.managed_tasks import MANAGED_TASKS, managed_task
from lute.seams import Runtime
from lute.settings import environment
from lute.tasks.result import TaskStatus

if TYPE_CHECKING:
    from lute.arp.counters import Counters


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message, next_step=self.format_usage().strip())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the managed Task that the arguments name.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code.
    """
    arguments = argparse.Namespace(taskname="", debug=False, exit_code_file=None)
    exit_code = _run(argv, arguments)
    if arguments.exit_code_file is not None:
        _leave_exit_code(arguments.exit_code_file, exit_code)
    return exit_code


def _run(argv: Sequence[str] | None, arguments: argparse.Namespace) -> int:
    try:
        _parser().parse_args(argv, arguments)
        managed = managed_task(arguments.taskname)
        env = _with_run(environment())
        config = load_config(arguments.config, env)
        _warn_of_another_run(config.header.run, env)
        counters = _counters(env)
        if counters is None:
            return managed.executor(config, env).run()
        reports = _Reports(counters)
        return managed.executor(config, env, on_status=reports.status, on_progress=reports.figures).run()
    except LuteError as error:
        _report(error, arguments)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a fault of ours: the verdict must be the last line even then
        traceback.print_exception(error)
        _report(LuteError(f"internal error: {type(error).__name__}: {error}"), arguments)
        return 1


def _parser() -> _Parser:
    parser = _Parser(prog="lute.run_task", description="Run one managed Task.")
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        required=True,
        metavar="YAML",
        help="configuration: header and parameters",
    )
    parser.add_argument("-t", "--taskname", required=True, metavar="NAME", help="name of the managed Task")
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    parser.add_argument(
        "--exit-code-file", type=Path, metavar="FILE", help="leave the exit code there at the end"
    )
    return parser


def _leave_exit_code(file: Path, exit_code: int) -> None:
    """Leave the exit code for whoever asks after Slurm has forgotten the job. Whole, or not at all.

    Slurm calls a job of which something was killed for memory failed, whatever its exit code: nothing is left
    of one, so that nobody takes it for a success.
    """
    if oom_kills():
        return
    draft = file.with_name(f".{file.name}")
    try:
        draft.write_text(f"{exit_code}\n", encoding="ascii")
        draft.replace(file)
    except OSError as error:
        sys.stderr.write(f"WARNING: {file} cannot be written: {error.strerror}\n")
        sys.stderr.flush()


def _counters(env: Mapping[str, str]) -> "Counters | None":
    """Return the counters of the eLog, None where the ARP set no address of them."""
    if not (env.get("JID_UPDATE_COUNTERS") or env.get("ARP_UPDATE_COUNTERS")):
        return None
    from lute.arp.counters import Counters  # here, because it takes longer than the rest to import

    return Counters.from_environment(env, Runtime())


class _Reports:
    """Posts what becomes of a Task as counters of the eLog, each row by the Task's name."""

    def __init__(self, counters: "Counters") -> None:
        self._counters = counters

    def status(self, task: str, status: str) -> None:
        """Post a new status."""
        self._counters.update({f"{task} status": status})

    def figures(self, task: str, figures: Mapping[str, str | int | float]) -> None:
        """Post figures by name."""
        self._counters.update({f"{task} {name}": str(value) for name, value in figures.items()})


def _with_run(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` with RUN set: where only RUN_NUM is, its run, the part before the first "_"."""
    if env.get("RUN") or not env.get("RUN_NUM"):
        return dict(env)
    return {**env, "RUN": env["RUN_NUM"].partition("_")[0]}


def _warn_of_another_run(run: int | str, env: Mapping[str, str]) -> None:
    """Say so where a configuration names another run than the one that was launched."""
    launched = env.get("RUN", "")
    if launched.isdecimal() and isinstance(run, int) and int(launched) != run:
        sys.stderr.write(
            f"WARNING: the configuration is for run {run}, this job was launched for run {launched}:"
            ' write run: "{{ $RUN }}" in its header\n'
        )
        sys.stderr.flush()


def _report(error: LuteError, arguments: argparse.Namespace) -> None:
    if arguments.debug:
        traceback.print_exception(error)
    else:
        sys.stderr.write(f"error: {error}\n")
    sys.stderr.flush()
    sys.stdout.flush()
    name = arguments.taskname
    task = MANAGED_TASKS[name].task if name in MANAGED_TASKS else ""
    verdict = Verdict(task, name, TaskStatus.FAILED, error.exit_code, 0.0, error.what)
    Output(1).say(verdict.line())


if __name__ == "__main__":
    sys.exit(main())
