"""`lute-sim bench`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

BENCHES = {
    "slurm": "the fake Slurm: a load of jobs in virtual time",
    "stack": "whole runs of a ten-task workflow in the virtual world",
    "peaks": "the search for peaks of the SFX workflow, beside PyAlgos alone",
    "served": "the fake Slurm's commands as processes: many sbatch in a row, a long squeue",
}

bench = typer.Typer(rich_markup_mode=None, help="The benchmarks; each prints one line of JSON.")


class Policy(StrEnum):
    """In which order jobs start."""

    BACKFILL = "backfill"
    FIFO = "fifo"


@bench.callback(invoke_without_command=True)
def list_benches(context: typer.Context) -> None:
    """List the benchmarks; each prints one line of JSON."""
    if context.invoked_subcommand is None:
        for name, what in BENCHES.items():
            typer.echo(f"{name}  {what}")


@bench.command()
def slurm(
    trace: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="a log in the Standard Workload Format, .gz or not"),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="without a trace: so many random jobs")] = 50_000,
    load: Annotated[float, typer.Option(min=0.01, help="offered load of the random jobs")] = 0.7,
    seed: Annotated[int, typer.Option(help="of the random jobs")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="nodes of the cluster")] = 200,
    cores: Annotated[int, typer.Option(min=1, help="cores of each node")] = 128,
    policy: Annotated[Policy, typer.Option(help="fifo: nobody overtakes")] = Policy.BACKFILL,
    scheduler_parameters: Annotated[
        str, typer.Option(help="as in slurm.conf: bf_max_job_test=100; default: Slurm's own")
    ] = "",
) -> None:
    """Replay a log or a random load on the fake Slurm."""
    from simulators.bench.slurm import Replay
    from simulators.kernel.seeds import Seeds
    from simulators.slurm.conf import parse_scheduler_parameters
    from simulators.workload.generate import random_load
    from simulators.workload.swf import SwfFile

    words = [scheduler_parameters] if scheduler_parameters else []
    if policy is Policy.FIFO:
        words.append("bf_interval=0")
    parameters = ",".join(words)
    try:
        parse_scheduler_parameters(parameters)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scheduler-parameters") from error
    replay = Replay(nodes, cores, parameters)
    if trace is not None:
        log = SwfFile(trace)
        figures = replay.run(log.jobs())
        figures["skipped"] = dict(log.skipped) | dict(replay.skipped)
        figures = {"trace": trace.name} | figures
    else:
        drawn = random_load(Seeds(seed), jobs=jobs, load=load, cpus=nodes * cores, max_procs=cores)
        figures = {"load": load, "seed": seed} | replay.run(drawn)
    typer.echo(json.dumps({"bench": "slurm", "nodes": nodes, "cores": cores} | figures))


@bench.command()
def peaks(
    config: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="configuration, as make-run writes it")
    ],
) -> None:
    """Search the run of SIT_PSDM_DATA, EXPERIMENT and RUN for peaks. Needs the extra `sfx`."""
    from lute.settings import environment
    from simulators.bench.peaks import run_peaks

    typer.echo(json.dumps(run_peaks(config, environment())))


@bench.command()
def served(
    submits: Annotated[int, typer.Option(min=1, help="so many sbatch, one after the other")] = 500,
    queued: Annotated[int, typer.Option(min=0, help="so many jobs for squeue to list")] = 10_000,
) -> None:
    """Run the fake Slurm's commands as processes."""
    from lute.settings import environment
    from simulators.bench.served import run_served

    typer.echo(json.dumps(run_served(environment(), submits, queued)))


@bench.command()
def stack(
    runs: Annotated[int, typer.Option(min=1, help="so many runs, each with another seed")] = 50,
    job_s: Annotated[float, typer.Option(min=0, help="how long each job runs, in seconds")] = 20.0,
    profile: Annotated[int, typer.Option(min=0, help="print the so many costliest functions instead")] = 0,
) -> None:
    """Run launcher, Airflow, JID and Slurm together, in virtual time."""
    from simulators.bench.stack import profile_stack, run_stack

    if profile:
        typer.echo(profile_stack(runs, job_s, profile))
    else:
        typer.echo(json.dumps(run_stack(runs, job_s)))
