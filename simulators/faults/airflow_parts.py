"""Parts of Airflow that die or restart, and DAGs that are not ready to run."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.dagrunner.state import ImportFailure
from simulators.faults.model import SetupFault, Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("worker_killed")
class WorkerKilled(WorldFault):
    """The worker host of the task dies (`host`), or only the task's process (`process`), by SIGKILL."""

    places: ClassVar = ("airflow.worker",)
    what: Literal["worker_killed"]
    whole: Literal["host", "process"] = "host"

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Kill it."""
        found = world.airflow_task(target.task)
        if found is None:
            return None
        executor = world.airflow.executor
        kill = executor.kill_worker if self.whole == "host" else executor.kill_process
        return f"{self.whole} of {found[1].label}" if kill(found[1]) else None


@fault("scheduler_restart")
class SchedulerRestart(WorldFault):
    """No scheduler runs for a while; tries that run go on."""

    places: ClassVar = ("airflow.scheduler",)
    what: Literal["scheduler_restart"]
    for_s: float = Field(default=60.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Stop it, and start it again."""
        world.airflow.scheduler.stop()
        world.agenda.after(self.for_s, world.airflow.scheduler.start)
        return f"down for {self.for_s:g} s"


@fault("triggerer_restart")
class TriggererRestart(WorldFault):
    """No triggerer runs for a while; deferred tasks stay so."""

    places: ClassVar = ("airflow.triggerer",)
    what: Literal["triggerer_restart"]
    for_s: float = Field(default=60.0, gt=0)

    def strike(self, world: "Facility", target: Target) -> str:  # noqa: ARG002
        """Stop it, and start it again."""
        world.airflow.triggerer.stop()
        world.agenda.after(self.for_s, world.airflow.triggerer.start)
        return f"down for {self.for_s:g} s"


@fault("dag_paused")
class DagPaused(SetupFault):
    """The DAG is paused, as every new one is by default: its runs stay queued."""

    places: ClassVar = ("airflow.dag",)
    what: Literal["dag_paused"]

    def set_up(self, world: "Facility") -> str:
        """Pause it."""
        if world.dag_id in world.airflow.state.dags:
            world.airflow.set_paused(world.dag_id, is_paused=True)
        return f"{world.dag_id} is paused"


@fault("dag_import_error")
class DagImportError(SetupFault):
    """Airflow cannot import the DAG file."""

    places: ClassVar = ("airflow.dag",)
    what: Literal["dag_import_error"]
    message: str = "ModuleNotFoundError: No module named 'lute'"

    def set_up(self, world: "Facility") -> str:
        """Take the DAG away and leave the error."""
        entry = world.airflow.state.dags.pop(world.dag_id, None)
        if entry is None:
            return "it is away already"
        text = f"Traceback (most recent call last):\n  File ...\n{self.message}\n"
        world.airflow.state.import_errors.append(ImportFailure(entry.file, text, world.airflow.now()))
        return f"{entry.file}: {self.message}"
