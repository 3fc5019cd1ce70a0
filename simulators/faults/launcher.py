"""What happens to the launcher's own job."""

import signal
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("launcher_signal")
class LauncherSignal(WorldFault):
    """The launcher gets a signal: SIGTERM of scancel, SIGINT of Ctrl-C, SIGKILL of a dying node."""

    places: ClassVar = ("launcher",)
    what: Literal["launcher_signal"]
    signal: Literal["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] = "SIGTERM"

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Send it."""
        launch = world.running_launch
        if launch is None:
            return None
        world.send_signal(launch, signal.Signals[self.signal])
        return f"{self.signal} to {launch.name}"


@fault("launcher_time_limit")
class LauncherTimeLimit(WorldFault):
    """The launcher's job runs out of time: SIGTERM, and SIGKILL after Slurm's KillWait."""

    places: ClassVar = ("launcher",)
    what: Literal["launcher_time_limit"]
    kill_wait_s: float = Field(default=30.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Send both."""
        launch = world.running_launch
        if launch is None:
            return None
        world.send_signal(launch, signal.SIGTERM)
        world.agenda.after(self.kill_wait_s, lambda: world.send_signal(launch, signal.SIGKILL))
        return launch.name


@fault("launcher_attach")
class LauncherAttach(WorldFault):
    """Somebody starts a launcher with `--attach` for the first run, whatever became of its own."""

    places: ClassVar = ("launcher",)
    what: Literal["launcher_attach"]

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Start it."""
        launch = world.attach()
        return None if launch is None else f"{launch.name} attaches"


@fault("launcher_requeue")
class LauncherRequeue(WorldFault):
    """The launcher's node dies, and Slurm starts the launcher's job again on another one."""

    places: ClassVar = ("launcher",)
    what: Literal["launcher_requeue"]
    down_s: float = Field(default=60.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Kill it and start it again later."""
        launch = world.running_launch
        if launch is None:
            return None
        world.send_signal(launch, signal.SIGKILL)
        world.agenda.after(self.down_s, partial(world.restart, launch))
        return f"{launch.name} is started again"
