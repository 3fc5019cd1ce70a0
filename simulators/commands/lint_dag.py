"""`lute-sim lint-dag`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lute.errors import ConfigError, did_you_mean
from lute.seams import SystemClock
from simulators.commands.run import CONFIG, JSON


def lint_dag(
    files: Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="DAG files")] = None,
    config: CONFIG = None,
    static: Annotated[bool, typer.Option("--static", help="never run the files, only read them")] = False,
    explain: Annotated[str, typer.Option(metavar="CODE", help="say what a code means")] = "",
    as_json: JSON = False,
) -> None:
    """Tell what in DAG files is old, wrong or unknown, and what to write instead, for both Airflows.

    The files are imported, which runs their code, as Airflow does; --static does not. `# noqa: CODE` on a
    line silences it. Exit code 0: nothing, or warnings only; 1: errors; 2: usage.
    """
    from simulators.lint.codes import CODES
    from simulators.lint.lint import lint_file

    if explain:
        code = CODES.get(explain.upper())
        if code is None:
            raise ConfigError(f"there is no code '{explain}': {did_you_mean(explain.upper(), CODES)}")
        typer.echo(f"{code.name} ({code.severity}): {code.title}\n  {code.why}")
        return
    if not files:
        raise typer.BadParameter("give a DAG file, or --explain CODE", param_hint="FILES")
    now = SystemClock().now()
    found = [finding for file in files for finding in lint_file(file, now=now, static=static, config=config)]
    found = list(dict.fromkeys(found))  # what is wrong with the configuration is so for all files
    errors = sum(finding.is_error for finding in found)
    if as_json:
        plain = {"findings": [finding.to_plain() for finding in found]}
        typer.echo(json.dumps(plain | {"errors": errors, "warnings": len(found) - errors}))
    else:
        for finding in found:
            typer.echo(finding.text())
        typer.echo(f"{errors} errors, {len(found) - errors} warnings" if found else "nothing to say")
    raise typer.Exit(1 if errors else 0)
