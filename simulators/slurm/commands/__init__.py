"""Slurm's commands: arguments in, exit code and text out, in Slurm's own words."""

from simulators.slurm.commands.dispatch import run
from simulators.slurm.commands.exchange import Context, Reply, Request

__all__ = ["Context", "Reply", "Request", "run"]
