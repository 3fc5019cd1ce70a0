"""`lute-sim differ`."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from simulators.workload.mix import Mix, MixRun, random_mix, read_mix, recorded_run


def differ(
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="job mixes; JSON", show_default=False),
    ] = None,
    random: Annotated[int, typer.Option(min=0, help="so many random mixes too")] = 0,
    seed: Annotated[int, typer.Option(help="of the first random mix; each further one adds 1")] = 0,
    recorded: Annotated[
        str, typer.Option(help="compare with this run of the files instead of a real Slurm")
    ] = "",
    at_once: Annotated[int, typer.Option(min=1, help="real Slurms side by side")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="the report as JSON")] = False,
) -> None:
    """Run job mixes on the fake Slurm and on a real one, and tell how far they are from each other.

    Exit code 0 if at least 95 % of all jobs are on the same nodes, the median start error is at most 1 s and
    the median makespan error of the mixes at most 1.7 %; 1 if not.
    """
    from rich.console import Console

    from simulators.workload.compare import compare, summarise
    from simulators.workload.report import as_dict, show
    from simulators.workload.simulate import simulate_like

    if recorded and random:
        raise typer.BadParameter("random mixes have no recorded run", param_hint="--recorded")
    mixes = {file.stem: read_mix(file) for file in files or ()}
    mixes |= {f"seed {number}": random_mix(number) for number in range(seed, seed + random)}
    if not mixes:
        raise typer.BadParameter("name files of job mixes, or ask for --random ones")
    if recorded:
        runs = [recorded_run(mixes[file.stem], recorded, file) for file in files or ()]
    else:
        runs = list(_on_real_slurm(mixes, at_once))
    comparisons = [
        compare(name, run, simulate_like(mix, run))
        for (name, mix), run in zip(mixes.items(), runs, strict=True)
    ]
    summary = summarise(comparisons)
    if as_json:
        typer.echo(json.dumps(as_dict(comparisons, summary)))
    else:
        show(comparisons, summary, Console())
    raise typer.Exit(0 if summary.is_within_limits else 1)


def _on_real_slurm(mixes: Mapping[str, Mix], at_once: int) -> Iterator[MixRun]:
    """Yield the run of each mix on a real Slurm, telling on standard error how it goes."""
    from rich.console import Console

    from simulators.workload.real import run_on_real_slurm

    names = list(mixes)
    with (
        tempfile.TemporaryDirectory(prefix="lute-differ-") as folder,
        Console(stderr=True).status("") as status,
    ):
        for first in range(0, len(names), at_once):
            batch = names[first : first + at_once]
            typer.echo(f"lute-sim: real Slurm runs {', '.join(batch)} ({len(names)} mixes in all)", err=True)
            yield from run_on_real_slurm(
                [mixes[name] for name in batch], Path(folder) / str(first), status.update
            )
