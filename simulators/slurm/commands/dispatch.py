"""From a program's name to its code."""

from collections.abc import Callable, Mapping

from simulators.slurm.client import NO_CONTACT, failure
from simulators.slurm.commands import sacct, sbatch, scancel, scontrol, sinfo, squeue
from simulators.slurm.commands.exchange import Context, RefusalError, Reply, Request

COMMANDS: Mapping[str, Callable[[Request, Context], Reply]] = {
    "sacct": sacct.run,
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
    if context.is_down and program != "sacct":  # sacct asks the database
        return Reply(*failure(program, request.argv[1:], NO_CONTACT))
    try:
        return command(request, context)
    except RefusalError as refusal:
        return refusal.reply
