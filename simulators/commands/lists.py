"""`lute-sim scenarios` and `lute-sim checkers`."""

import json

import typer

from simulators.commands.run import JSON


def scenarios(as_json: JSON = False) -> None:
    """List the scenarios of the library, one line each, with a mark where production does not survive it."""
    from simulators.scenario.catalogue import catalogue_lines, library

    if as_json:
        plain = [
            {"name": name, "about": found.about, "xfail": found.xfail} for name, found in library().items()
        ]
        typer.echo(json.dumps(plain))
        return
    for line in catalogue_lines():
        typer.echo(line)


def checkers(as_json: JSON = False) -> None:
    """List what must hold in every run, one line each."""
    from simulators.checkers.all import CHECKERS

    if as_json:
        typer.echo(json.dumps([{"name": found.name, "about": found.about} for found in CHECKERS.values()]))
        return
    width = max(len(name) for name in CHECKERS)
    for found in CHECKERS.values():
        typer.echo(f"{found.name:{width}}  {found.about}")
