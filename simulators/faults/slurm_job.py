"""What Slurm, or an administrator, does to a job."""

import contextlib
from typing import TYPE_CHECKING, ClassVar, Literal

from lute.slurm.states import SlurmState
from simulators.faults.model import Target, WorldFault, fault
from simulators.slurm.controller import AlreadyEndedError

if TYPE_CHECKING:
    from simulators.facility import Facility

_ADMIN_UID = 0


@fault("preempt")
class Preempt(WorldFault):
    """A more important job takes the cores; the job is requeued if it may be."""

    places: ClassVar = ("slurm.job",)
    what: Literal["preempt"]

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Preempt it."""
        job = world.job(target.job_id)
        if job is None or job.state is not SlurmState.RUNNING:
            return None
        world.slurm.preempt(job.id)
        return f"job {job.id}"


@fault("cancel")
class Cancel(WorldFault):
    """An administrator cancels the job."""

    places: ClassVar = ("slurm.job",)
    what: Literal["cancel"]

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Run scancel as root."""
        job = world.job(target.job_id)
        if job is None:
            return None
        try:
            world.slurm.controller.cancel(job.id, _ADMIN_UID)
        except AlreadyEndedError:
            return None
        return f"job {job.id}"


@fault("vanish")
class Vanish(WorldFault):
    """Slurm forgets the job: at once if it has ended, else it is killed unseen (a lost state file)."""

    places: ClassVar = ("slurm.job",)
    what: Literal["vanish"]

    def strike(self, world: "Facility", target: Target) -> str | None:
        """End it, and forget it."""
        job = world.job(target.job_id)
        if job is None:
            return None
        with contextlib.suppress(AlreadyEndedError):
            world.slurm.controller.cancel(job.id, _ADMIN_UID)

        def forget() -> None:
            if world.job(job.id) is not None:  # another such fault may have been faster
                world.slurm.purge(job.id)

        if job.state.is_final:
            forget()
        else:
            world.when_job_ends(job.id, forget)
        return f"job {job.id}"
