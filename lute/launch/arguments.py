"""The launcher's command line."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from lute.errors import ConfigError, LuteError
from lute.slurm.arguments import parse_arguments, parse_step_arguments

_LAUNCHERS_OWN = ("partition", "account", "qos", "reservation")
"""The sbatch options of the steps that the launcher's own job shares."""


@dataclass(frozen=True)
class LaunchArguments:
    """What the user asked for.

    Attributes:
        config_file: absolute path of the Tasks' configuration.
        slurm_params: sbatch arguments for every step.
    """

    config_file: Path
    workflow: str
    debug: bool
    test: bool
    experiment: str | None
    run: str | None
    slurm_params: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message, next_step=f"{self.prog} --help")


def launch_parser() -> argparse.ArgumentParser:
    """Return the parser of what the launcher itself knows."""
    parser = _Parser(
        prog="launch_airflow.py",
        usage="%(prog)s -c CONFIG -w WORKFLOW [--debug] [--test] [-e EXPERIMENT] [-r RUN] SLURM_ARGS...",
        description="Run a LUTE workflow in Airflow and stay until it has ended, collecting all logs.",
        epilog="All other arguments go to sbatch, for every step: --partition=milano --account=lcls:EXP ...",
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", required=True, help="YAML file with the Tasks' parameters")
    parser.add_argument("-w", "--workflow", required=True, help="as in workflows/airflow/WORKFLOW.py")
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
    from lute.io.config import check_config  # here, so that `main` can tell of missing dependencies

    known, rest = launch_parser().parse_known_args(argv)
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", known.workflow):
        raise ConfigError(f"'{known.workflow}' is not the name of a workflow", next_step="check -w")
    config_file = Path(known.config).absolute()
    check_config(config_file)
    return LaunchArguments(
        config_file=config_file,
        workflow=known.workflow.removeprefix("lute_"),
        debug=known.debug,
        test=known.test,
        experiment=known.experiment,
        run=known.run,
        slurm_params=tuple(parse_step_arguments(rest).render()),
    )


def main(argv: Sequence[str]) -> int:
    """Check a command line; print the launcher's job name and its sbatch arguments, each ended by NUL.

    Whatever would stop the launcher at once is told now, not in the log of its job.
    """
    try:
        arguments = parse_launch_arguments(argv)
        import lute.launch.main  # noqa: F401 - is everything there that the launcher needs?
        from lute.settings import environment, load_settings

        load_settings(environment(), test_instance=arguments.test)
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
