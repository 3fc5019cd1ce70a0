"""Nodes that die."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("node_down")
class NodeDown(WorldFault):
    """A node dies, the one named or the one of the task's job; it comes back after `for_s` seconds."""

    places: ClassVar = ("slurm.node",)
    what: Literal["node_down"]
    node: str | None = None
    for_s: float = Field(default=600.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Fail the node, and bring it back later."""
        job = world.job(target.job_id)
        name = self.node or (job.node_names[0] if job is not None and job.node_names else "")
        if name not in world.slurm.cluster.index or world.slurm.node(name).admin:
            return None
        world.slurm.fail_node(name)
        world.agenda.after(self.for_s, lambda: world.slurm.resume_node(name))
        return name
