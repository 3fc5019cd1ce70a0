"""A private real Slurm on 127.0.0.1: every daemon on this computer, many nodes, nothing left behind."""

from simulators.realslurm.cluster import RealSlurm
from simulators.realslurm.options import RealSlurmOptions
from simulators.realslurm.programs import missing

__all__ = ["RealSlurm", "RealSlurmOptions", "missing"]
