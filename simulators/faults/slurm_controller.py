"""A controller that does not answer, submissions whose reply is lost, partitions that are down."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("controller_down")
class ControllerDown(WorldFault):
    """slurmctld answers nobody for a while: a restart or a failover. Jobs go on."""

    places: ClassVar = ("slurm.controller",)
    what: Literal["controller_down"]
    for_s: float = Field(default=120.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Let it not answer."""
        world.slurm.is_down = True
        world.note_controller("down")

        def up() -> None:
            world.slurm.is_down = False
            world.note_controller("up")

        world.agenda.after(self.for_s, up)
        return f"for {self.for_s:g} s"


@fault("socket_timeout")
class SocketTimeout(WorldFault):
    """The next submissions get no reply from slurmctld in time; it may have accepted them."""

    places: ClassVar = ("slurm.sbatch",)
    what: Literal["socket_timeout"]
    submits: int = Field(default=1, ge=1)
    accepted: bool = True

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Let the next submissions time out."""
        world.slurm.socket_timeout_submits += self.submits
        world.slurm.socket_timeout_accepts = self.accepted
        return f"the next {self.submits}, {'accepted' if self.accepted else 'lost'}"


@fault("partition_down")
class PartitionDown(WorldFault):
    """A partition starts no jobs for a while: maintenance."""

    places: ClassVar = ("slurm.partition",)
    what: Literal["partition_down"]
    partition: str = "milano"
    for_s: float | None = Field(default=None, gt=0)

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Set it DOWN, and UP again after `for_s` seconds."""
        nodes = world.slurm.controller.nodes
        nodes.set_partition(self.partition, "DOWN")
        if self.for_s is not None:
            world.agenda.after(self.for_s, lambda: nodes.set_partition(self.partition, "UP"))
        return self.partition


@fault("disk_full")
class DiskFull(WorldFault):
    """The disk under the jobs' output is full for a while: logs stay empty or are cut."""

    places: ClassVar = ("log.disk",)
    what: Literal["disk_full"]
    for_s: float | None = Field(default=None, gt=0)

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Refuse all writes."""
        world.slurm.refuse_writes = True
        if self.for_s is not None:
            world.agenda.after(self.for_s, lambda: setattr(world.slurm, "refuse_writes", False))
        return "no space left on device"
