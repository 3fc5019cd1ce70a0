"""The launcher's command line."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lute.errors import ConfigError, LuteError, closest
from lute.slurm.arguments import parse_arguments, parse_step_arguments

if TYPE_CHECKING:
    from lute.workflows.model import Workflow

RUN_TIME = "run_time"
"""The name that all workflows share which come from files of their users."""
_LAUNCHERS_OWN = ("partition", "account", "qos", "reservation")
"""The sbatch options of the steps that the launcher's own job shares."""
_OWN_OPTIONS = (
    "--attach", "--config", "--debug", "--dry-run", "--experiment", "--follow", "--help", "--report", "--run",
    "--test", "--workflow", "--workflow-file",
)  # fmt: skip


@dataclass(frozen=True)
class LaunchArguments:
    """What the user asked for.

    Attributes:
        run_time: a workflow of the user's own; None for the one named.
        config_file: absolute path of the Tasks' configuration; None where a run that exists is followed.
        slurm_params: sbatch arguments for every step.
        attach: id of a DAG run that exists, to be followed; None to start one.
        follow: whether logs are printed while the steps run.
        dry_run: whether everything is checked and nothing started.
        reports: absolute paths of files that take a report at the end.
    """

    config_file: Path | None
    workflow: str
    debug: bool
    test: bool
    experiment: str | None
    run: str | None
    slurm_params: tuple[str, ...]
    attach: str | None = None
    follow: bool = False
    dry_run: bool = False
    reports: tuple[Path, ...] = ()
    run_time: "Workflow | None" = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message, next_step=f"{self.prog} --help")


def launch_parser() -> argparse.ArgumentParser:
    """Return the parser of what the launcher itself knows."""
    parser = _Parser(
        prog="launch_airflow.py",
        usage=(
            "%(prog)s -c CONFIG {-w WORKFLOW | -W FILE} [-e EXPERIMENT] [-r RUN] [--follow] [--report FILE]\n"
            "                         [--dry-run] [--test] [--debug] SLURM_ARGS...\n"
            "       %(prog)s --attach RUN_ID -w WORKFLOW [--follow] [--report FILE] [--test] [--debug]"
        ),
        description="Run a LUTE workflow in Airflow and stay until it has ended, collecting all logs.",
        epilog="All other arguments go to sbatch, for every step: --partition=milano --account=lcls:EXP ...",
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", help="YAML file with the Tasks' parameters")
    parser.add_argument("-w", "--workflow", help="as in workflows/airflow/WORKFLOW.py")
    parser.add_argument(
        "-W", "--workflow-file", metavar="FILE", help="YAML file with a workflow of your own, instead of -w"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="print the logs of running steps live, where their files are seen",
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FILE",
        help="write a report at the end: FILE.json, or FILE.xml like JUnit's; may be repeated",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, show what would be submitted, start nothing"
    )
    parser.add_argument(
        "--attach",
        metavar="RUN_ID",
        help="follow a DAG run that exists, as if launched from here: an interruption ends it, too",
    )
    parser.add_argument("--debug", action="store_true", help="more messages; tracebacks of errors")
    parser.add_argument("--test", action="store_true", help="use the site's test instance of Airflow")
    parser.add_argument("-e", "--experiment", help="experiment, where the environment has no EXPERIMENT")
    parser.add_argument("-r", "--run", help="run number, where the environment has no RUN_NUM")
    return parser


def parse_launch_arguments(argv: Sequence[str]) -> LaunchArguments:
    """Read the launcher's command line; whatever it does not know goes to Slurm.

    Raises:
        ConfigError: an argument is missing or wrong, for the launcher or for sbatch.
    """
    known, rest = launch_parser().parse_known_args(argv)
    workflow = _workflow(known)
    reports = tuple(Path(name).absolute() for name in known.report)
    for report in reports:
        _check_report(report)
    slurm_params = _slurm_params(rest)
    return LaunchArguments(
        config_file=_config_file(known, rest),
        workflow=workflow,
        debug=known.debug,
        test=known.test,
        experiment=known.experiment,
        run=known.run,
        slurm_params=slurm_params,
        attach=known.attach,
        follow=known.follow,
        dry_run=known.dry_run,
        reports=reports,
        run_time=_run_time(known.workflow_file, slurm_params),
    )


def _slurm_params(rest: Sequence[str]) -> tuple[str, ...]:
    """Return the sbatch arguments among what the launcher does not know, checked."""
    try:
        return tuple(parse_step_arguments(rest).render())
    except ConfigError:
        for word in rest:
            if hint := closest(word.partition("=")[0], _OWN_OPTIONS, cutoff=0.8):
                raise ConfigError(f"unrecognized option '{word}'", next_step=hint) from None
        raise


def _workflow(known: argparse.Namespace) -> str:
    """Return the name of the workflow, without `lute_`."""
    if bool(known.workflow) == bool(known.workflow_file):
        given = "both are" if known.workflow else "none of them is"
        raise ConfigError(
            f"which workflow? -w/--workflow or -W/--workflow-file, and {given} given",
            next_step="launch_airflow.py --help",
        )
    workflow = str(known.workflow or RUN_TIME).removeprefix("lute_")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", workflow):
        raise ConfigError(f"'{workflow}' is not the name of a workflow", next_step="check -w")
    if known.workflow and workflow == RUN_TIME and known.attach is None:
        raise ConfigError(f"the workflow {RUN_TIME} has no steps of its own", next_step="give -W FILE")
    return workflow


def _run_time(file: str | None, slurm_params: Sequence[str]) -> "Workflow | None":
    if not file:
        return None
    from lute.launch.workflow_file import read_workflow  # here: few launches need it

    return read_workflow(Path(file).absolute(), slurm_params)


def _config_file(known: argparse.Namespace, rest: Sequence[str]) -> Path | None:
    """Return the configuration's path, checked, or None for a launch that needs none."""
    from lute.io.config import check_config  # here, so that `main` can tell of missing dependencies

    if known.attach is not None:
        useless = (
            ["-c"] * bool(known.config)
            + ["-W"] * bool(known.workflow_file)
            + ["--dry-run"] * known.dry_run
            + list(rest)
        )
        if useless or not known.attach:
            raise ConfigError(
                f"--attach starts nothing: {' '.join(useless) or 'and needs a run'}",
                next_step="give --attach RUN_ID -w WORKFLOW alone",
            )
        return None
    if not known.config:
        raise ConfigError(
            "the following arguments are required: -c/--config", next_step="launch_airflow.py --help"
        )
    file = Path(known.config).absolute()
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise ConfigError(
            "its path is not UTF-8, which Airflow and the JID need", file=file, next_step="rename it"
        ) from None
    check_config(file)
    return file


def _check_report(file: Path) -> None:
    if file.suffix not in (".json", ".xml"):
        raise ConfigError("a report is JSON or XML", file=file, next_step="give a name in .json or .xml")
    if not file.parent.is_dir():
        raise ConfigError(
            "its folder is not there", file=file, next_step="make the folder, or check --report"
        )


def main(argv: Sequence[str]) -> int:
    """Check a command line; print the launcher's job name and its sbatch arguments, each ended by NUL.

    Whatever would stop the launcher at once is told now, not in the log of its job.
    """
    try:
        arguments = parse_launch_arguments(argv)
        import lute.launch.main
        import lute.launch.run_time  # is everything there that the launcher needs?
        from lute.settings import environment, load_settings

        load_settings(environment(), test_instance=arguments.test)
        if arguments.run_time is not None and arguments.config_file is not None:
            lute.launch.run_time.check_workflow(arguments.run_time, arguments.config_file, environment())
    except ModuleNotFoundError as error:
        print(
            f"submit_launch_airflow.sh: error: {sys.executable} has no module {error.name}\n"
            "  next: set LUTE_PYTHON to a Python that has LUTE's dependencies (pip install the clone)",
            file=sys.stderr,
        )
        return ConfigError.exit_code
    except LuteError as error:
        print(f"submit_launch_airflow.sh: error: {error}", file=sys.stderr)
        return error.exit_code
    own = parse_arguments(arguments.slurm_params).only(_LAUNCHERS_OWN).render()
    words = "".join(f"{word}\0" for word in (f"launch_{arguments.workflow}", *own))
    sys.stdout.buffer.write(words.encode("utf-8", "surrogateescape"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
