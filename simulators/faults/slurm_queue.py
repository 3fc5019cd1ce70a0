"""What was in Slurm's queue before the workflow."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import SetupFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility

NAME = "earlier"


@fault("earlier_job")
class EarlierJob(SetupFault):
    """The user had a job before: the first of the cluster, so that its id is 1. A dependency may name it."""

    places: ClassVar = ("slurm.queue",)
    what: Literal["earlier_job"]
    duration_s: float = Field(default=1.0, ge=0)
    exit_code: int = Field(default=1, ge=0, le=255)

    def set_up(self, world: "Facility") -> str:
        """Submit it."""
        return world.submit_other(NAME, duration_s=self.duration_s, exit_code=self.exit_code)
