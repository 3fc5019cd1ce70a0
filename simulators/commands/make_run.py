"""`lute-sim make-run`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from lute.errors import ConfigError
from simulators.diffraction.made_run import MadeRun, RunOptions

_SHARE_OF_HITS = 0.58


def make_run(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="where: a value for SIT_PSDM_DATA")],
    experiment: Annotated[str, typer.Option(help="name of the experiment")] = "mfxl1013621",
    run: Annotated[int, typer.Option(help="number of the run")] = 12,
    seed: Annotated[int, typer.Option(help="of all that is drawn by chance")] = 0,
    frames: Annotated[int, typer.Option(help="how many frames")] = 100,
    hits: Annotated[
        int | None, typer.Option(help="how many of them show a crystal; default: 58 in 100")
    ] = None,
    blank: Annotated[bool, typer.Option("--blank", help="no frame shows a crystal")] = False,
    no_smalldata: Annotated[
        bool, typer.Option("--no-smalldata", help="leave the file out by which psana finds events")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="write over a run that is there already")] = False,
) -> None:
    """Make a run of simulated diffraction, in psana's own format, with the truth beside it.

    The same options give the same bytes. Needs the extra `sfx`.
    """
    if blank and hits:
        raise typer.BadParameter(f"{hits} hits are not --blank", param_hint="--hits")
    if hits is None:
        hits = 0 if blank else round(_SHARE_OF_HITS * frames)
    options = RunOptions(experiment, run, seed, frames, hits, with_smalldata=not no_smalldata)
    made = MadeRun(folder.absolute(), options)
    for file in (made.truth, made.xtc_file):
        if file.exists() and not force:
            raise ConfigError(
                f"there is a run already: {file}",
                next_step="name another folder, or use --force to write over it",
            )
    _make(made)
    python, data, config = (shlex.quote(str(path)) for path in (sys.executable, made.folder, made.config))
    typer.echo(
        f"run {run} of {experiment}: {frames} frames, {hits} hits, seed {seed}\n"
        f"data           {made.xtc_file}\n"
        f"truth          {made.truth.parent}\n"
        f"configuration  {made.config}\n"
        f"The first step of the analysis, in any directory:\n"
        f"  export SIT_PSDM_DATA={data} EXPERIMENT={experiment} RUN={run}\n"
        f"  {python} -m lute.run_task -c {config} -t PeakFinderPyAlgos"
    )


def _make(run: MadeRun) -> None:
    try:
        from simulators.diffraction.run import make_run as make

        make(run.folder, run.options)
    except ImportError as error:
        raise ConfigError(
            f"gemmi and psana make a run, and cannot be imported: {error}",
            next_step="`pip install lute[sfx]`; psana's parts are compiled against Kerberos: on Debian, "
            "`apt-get install gcc libkrb5-dev` first",
        ) from error
    except OSError as error:
        raise ConfigError(f"the run cannot be written: {error.strerror}", file=error.filename) from error
