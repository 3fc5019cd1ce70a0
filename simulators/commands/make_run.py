"""`lute-sim make-run`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from lute.errors import ConfigError


def make_run(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="where: a value for SIT_PSDM_DATA")],
    experiment: Annotated[str, typer.Option(help="name of the experiment")] = "mfxl1013621",
    run: Annotated[int, typer.Option(min=1, max=9999, help="number of the run")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="of all that is drawn by chance")] = 0,
    frames: Annotated[int, typer.Option(min=1, help="how many frames")] = 100,
    hits: Annotated[int, typer.Option(min=0, help="how many of them show a crystal")] = 58,
    no_smalldata: Annotated[
        bool, typer.Option("--no-smalldata", help="leave the file out by which psana finds events")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="write a run anew that is there already")] = False,
) -> None:
    """Make a run of simulated diffraction, in psana's own format, with the truth beside it.

    The same options give the same bytes. Needs the extra `sfx`.
    """
    from simulators.diffraction.run import MadeRun, RunOptions, make_run

    if len(experiment) < 4 or not experiment.isalnum() or not experiment.isascii():
        raise typer.BadParameter(
            "letters and digits, the hutch first, as in mfxl1013621", param_hint="--experiment"
        )
    options = RunOptions(experiment, run, seed, frames, hits, with_smalldata=not no_smalldata)
    planned = MadeRun(folder.absolute(), options).xtc_file
    if planned.exists() and not force:
        raise ConfigError(
            f"there is a run {run} of {experiment} already: {planned}",
            next_step="name another folder, or use --force to write it anew",
        )
    made = make_run(folder, options)
    python = shlex.quote(sys.executable)
    typer.echo(
        f"run {run} of {experiment}: {frames} frames, {hits} hits, seed {seed}\n"
        f"data           {made.xtc_file}\n"
        f"truth          {made.truth.parent}\n"
        f"configuration  {made.config}\n"
        f"The steps one by one, in any directory:\n"
        f"  export SIT_PSDM_DATA={shlex.quote(str(made.folder))} EXPERIMENT={experiment} RUN={run}\n"
        f"  {python} -m lute.run_task -c {shlex.quote(str(made.config))} -t PeakFinderPyAlgos"
    )
