"""Environments of Tasks, as values: nothing here changes the environment of this process."""

from collections.abc import Mapping
from pathlib import Path

from lute.errors import ConfigError
from lute.seams import CommandRunner
from lute.seams.commands import CommandTimeout

SCRIPT_TIMEOUT_S = 120.0
_PRINT = 'source "$1" >&2 && printf "\\0" && exec env -0'


def sourced(env: Mapping[str, str], script: Path, commands: CommandRunner) -> dict[str, str]:
    """Return the environment that a shell has after it sourced a script.

    Args:
        env: the environment to begin with.
        script: path of a bash script.
        commands: runs the shell.

    Raises:
        ConfigError: there is no such script, it fails, or does not end within SCRIPT_TIMEOUT_S.
    """
    argv = ["bash", "-c", _PRINT, "bash", str(script)]
    try:
        done = commands.run(argv, timeout_s=SCRIPT_TIMEOUT_S, env=env)
    except CommandTimeout as error:
        raise ConfigError(str(error), file=script) from error
    if done.exit_code:
        raise ConfigError(
            f"sourcing it ends with {done.exit_code}: {done.stderr.strip()[-500:]}", file=script
        )
    # Before the first NUL lies what the script printed although it should not.
    pairs = done.stdout.split("\0")[1:]
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
