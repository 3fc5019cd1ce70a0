"""The command line `lute-sim`."""

import contextlib
import signal
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from lute.errors import ConfigError, LuteError, did_you_mean
from lute.seams import SystemClock
from lute.settings import environment
from simulators.bench.commands import bench
from simulators.commands.explore import explore
from simulators.commands.lint_dag import lint_dag
from simulators.commands.lists import checkers, scenarios
from simulators.commands.make_run import make_run
from simulators.commands.run import replay, run
from simulators.recording.commands import record
from simulators.stop import Stop
from simulators.workload.commands import differ

if TYPE_CHECKING:
    from simulators.serve.sfx_demo import SfxDemo

app = typer.Typer(
    rich_markup_mode=None,
    help="The simulated facility for LUTE workflows.",
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(bench, name="bench")
for _command in (run, replay, record, explore, lint_dag, make_run, scenarios, checkers, differ):
    app.command()(_command)

_WATCH_INTERVAL_S = 1.0


class Slurm(StrEnum):
    """Which Slurm the stack has."""

    FAKE = "fake"
    REAL = "real"


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


def _say(text: str) -> None:
    typer.echo(f"lute-sim: {text}", err=True)


@app.command()
def serve(
    airflow: Annotated[str, typer.Option(help="none, 2 or 3; default: the installed one")] = "",
    ready_file: Annotated[Path | None, typer.Option(help="where to tell others about the stack")] = None,
    dags: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="folder of DAG files; default: workflows/airflow"),
    ] = None,
    slurm: Annotated[
        Slurm, typer.Option(help="real: the installed Slurm, as a private cluster")
    ] = Slurm.FAKE,
    deferrable: Annotated[
        bool, typer.Option(help="let steps wait in Airflow's triggerer, without a worker slot")
    ] = False,
) -> None:
    """Bring up Airflow, JID and Slurm on 127.0.0.1 and stay; Ctrl-C leaves nothing behind."""
    from simulators.serve.components import StackError
    from simulators.serve.ready import default_ready_file, read_ready_file
    from simulators.serve.stack import DAGS, ServedStack

    ready = ready_file or default_ready_file(environment())
    with contextlib.suppress(StackError):
        raise ConfigError(
            f"a stack is running already (process {read_ready_file(ready).pid})",
            file=ready,
            next_step="stop it, or give this one a --ready-file of its own",
        )
    try:
        with ServedStack(
            environment(),
            airflow=_airflow_major(airflow),
            real_slurm=slurm is Slurm.REAL,
            dags=dags or DAGS,
            deferrable=deferrable,
            say=_say,
        ) as stack:
            stack.info.write(ready)
            try:
                _say(f"Airflow {stack.info.airflow_url or '(none)'}, JID {stack.info.jid_url}")
                _say(f"logs of the stack: {stack.info.log_dir}; of the jobs: {stack.info.work_dir}")
                _say('in another shell: eval "$(lute-sim env)"; here: Ctrl-C ends it all')
                while True:
                    stack.check_alive()
                    SystemClock().sleep(_WATCH_INTERVAL_S)
            finally:
                ready.unlink(missing_ok=True)
    except Stop:
        _say("stopped")


@app.command()
def env(
    ready_file: Annotated[Path | None, typer.Option(help="the ready file that `serve` was given")] = None,
) -> None:
    """Print `export` lines that point a shell at the running stack (a token among them)."""
    from simulators.serve.ready import default_ready_file, read_ready_file

    typer.echo(read_ready_file(ready_file or default_ready_file(environment())).exports())


@app.command()
def demo(
    workflow: Annotated[str, typer.Argument(help="a workflow of workflows/airflow")] = "pyalgos_sfx",
    config: Annotated[
        Path | None,
        typer.Option(help="the Tasks' configuration; default: of a simulated run, or config/test.yaml"),
    ] = None,
    report: Annotated[Path, typer.Option(help="where pyalgos_sfx of a simulated run leaves its page")] = Path(
        "pyalgos_sfx.html"
    ),
    airflow: Annotated[str, typer.Option(help="2 or 3; default: the installed one")] = "",
    slurm: Annotated[
        Slurm, typer.Option(help="real: the installed Slurm, as a private cluster")
    ] = Slurm.FAKE,
    deferrable: Annotated[
        bool, typer.Option(help="let steps wait in Airflow's triggerer, without a worker slot")
    ] = False,
) -> None:
    """Bring up the stack, launch a workflow with the standard script, show how it goes; exit as it does."""
    from simulators.serve.demo import run_demo
    from simulators.serve.stack import DAGS, ServedStack

    if airflow == "none":
        raise typer.BadParameter("the demo needs Airflow", param_hint="--airflow")
    known = sorted(file.stem for file in DAGS.glob("*.py"))
    if workflow not in known:
        raise ConfigError(f"there is no workflow '{workflow}': {did_you_mean(workflow, known)}")
    with contextlib.ExitStack() as exits:
        sfx = None
        if config is None and workflow == "pyalgos_sfx":
            sfx = _sfx_demo(exits, report.absolute())
        tasks_config = sfx.made.config if sfx else config or Path("config/test.yaml")
        if not tasks_config.is_file():
            raise ConfigError("there is no such configuration file", file=tasks_config.absolute())
        env = environment() | (sfx.environment if sfx else {})
        try:
            stack = exits.enter_context(
                ServedStack(
                    env,
                    airflow=_airflow_major(airflow),
                    real_slurm=slurm is Slurm.REAL,
                    deferrable=deferrable,
                    say=_say,
                )
            )
            write_report = sfx.write_report if sfx else None
            exit_code = run_demo(stack, workflow, tasks_config.absolute(), env, write_report)
        except Stop:
            _say("stopped")
            exit_code = 130
    raise typer.Exit(exit_code)


def _sfx_demo(exits: contextlib.ExitStack, html_file: Path) -> "SfxDemo":
    try:
        from simulators.serve.sfx_demo import prepare
    except ImportError as error:
        raise ConfigError(
            f"the demo of pyalgos_sfx needs LUTE's extra 'sfx': {error}",
            next_step="`.venv/bin/tox -e demo` installs it; without it: `lute-sim demo test`",
        ) from error
    folder = exits.enter_context(tempfile.TemporaryDirectory(prefix="lute-run-"))
    demo = prepare(Path(folder), html_file)
    options = demo.made.options
    _say(f"made run {options.run} of {options.experiment}: {options.frames} frames, {options.hits} hits")
    return demo


def _airflow_major(wanted: str) -> int:
    from simulators.serve.airflow import installed_version

    if wanted not in ("", "none", "2", "3"):
        raise typer.BadParameter("none, 2 or 3", param_hint="--airflow")
    if wanted == "none":
        return 0
    return int(wanted) if wanted else installed_version()[0]


def main() -> None:
    """Run the command line; errors are a few lines on standard error."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        app()
    except Stop:
        sys.exit(130)
    except LuteError as error:
        typer.echo(f"lute-sim: error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
