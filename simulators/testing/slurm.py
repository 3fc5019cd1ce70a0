"""The cluster of a test's facility: its jobs, its commands, and shorthands for what goes wrong with it."""

from typing import TYPE_CHECKING

from lute.errors import ConfigError, did_you_mean
from lute.seams.commands import Completed
from simulators.checkers.history import JobFacts, read_history
from simulators.slurm.virtual import VirtualSlurm

if TYPE_CHECKING:
    from simulators.testing.facility import FacilityHandle


class SlurmHandle:
    """What a test sees of Slurm, and does to it. Its faults begin now; before the launch, with it."""

    def __init__(self, facility: "FacilityHandle") -> None:
        self._facility = facility

    def __repr__(self) -> str:
        return f"<slurm of {self._facility!r}>"

    @property
    def cluster(self) -> VirtualSlurm:
        """The simulated cluster itself, for all that has no shorthand here."""
        return self._facility.world.slurm

    def jobs(self, task: str | None = None) -> list[JobFacts]:
        """Return a task's jobs so far, or everybody's; also those that Slurm has forgotten."""
        jobs = read_history(self._facility.world.trace.entries).jobs.values()
        return [job for job in jobs if task in (None, job.task)]

    def queue(self) -> str:
        """Return what `squeue` prints."""
        return self.run("squeue").stdout

    def run(self, *argv: str) -> Completed:
        """Run a command of Slurm as the workflow's user: `slurm.run("scancel", "1")`."""
        return self.cluster.run(argv)

    def log(self, task: str) -> str:
        """Return what a task's last job has printed; empty if it has no job or no file."""
        world = self._facility.world
        return world.slurm.files.get(world.log_path(world.last_job(task)) or "", "")

    def fail_node(self, name: str, *, for_s: float = 600.0) -> None:
        """Let a node die with its jobs, and come back after so many seconds.

        Raises:
            ConfigError: there is no such node.
        """
        if self._facility.is_launched and name not in self.cluster.cluster.index:
            nodes = self.cluster.cluster.index
            raise ConfigError(f"the cluster has no node '{name}': {did_you_mean(name, nodes)}")
        self._facility.inject("node_down", node=name, for_s=for_s)

    def preempt(self, task: str) -> None:
        """Let a more important job take the cores of a task's job."""
        self._facility.inject("preempt", task=task)

    def cancel(self, task: str) -> None:
        """Let an administrator cancel a task's job."""
        self._facility.inject("cancel", task=task)

    def down(self, for_s: float) -> None:
        """Let slurmctld answer nobody for so many seconds; jobs go on."""
        self._facility.inject("controller_down", for_s=for_s)
