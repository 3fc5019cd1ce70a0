"""From a program's name to its code."""

from collections.abc import Callable, Mapping

from simulators.slurm.commands import sbatch, scancel, scontrol, sinfo, squeue
from simulators.slurm.commands.exchange import Context, RefusalError, Reply, Request


def _sacct(request: Request, context: Context) -> Reply:  # noqa: ARG001
    """Answer as a cluster without accounting does (measured)."""
    return Reply(1, "", "Slurm accounting storage is disabled\n")


COMMANDS: Mapping[str, Callable[[Request, Context], Reply]] = {
    "sacct": _sacct,
    "sbatch": sbatch.run,
    "scancel": scancel.run,
    "scontrol": scontrol.run,
    "sinfo": sinfo.run,
    "squeue": squeue.run,
}


def run(request: Request, context: Context) -> Reply:
    """Run one command to its end."""
    program = request.argv[0] if request.argv else ""
    command = COMMANDS.get(program)
    if command is None:
        return Reply(127, "", f"{program}: error: not simulated\n")
    try:
        return command(request, context)
    except RefusalError as refusal:
        return refusal.reply
