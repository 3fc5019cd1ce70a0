"""What a user does to tasks and runs in Airflow while they run."""

from typing import TYPE_CHECKING, ClassVar, Literal

from lute.airflow_api.models import RunState, TaskState
from simulators.faults.model import Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("mark_task")
class MarkTask(WorldFault):
    """Somebody marks the task failed, or a success, on Airflow's page."""

    places: ClassVar = ("airflow.task",)
    what: Literal["mark_task"]
    state: Literal["failed", "success"] = "failed"

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Set the state."""
        found = world.airflow_task(target.task)
        if found is None or found[1].state.is_final:
            return None
        run, record = found
        world.airflow.set_task_state(run, [record], TaskState(self.state))
        return f"{record.label} marked {self.state}"


@fault("clear_task")
class ClearTask(WorldFault):
    """Somebody clears the task, so that it runs again."""

    places: ClassVar = ("airflow.task",)
    what: Literal["clear_task"]

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Clear it."""
        found = world.airflow_task(target.task)
        if found is None:
            return None
        run, record = found
        world.airflow.clear(run, [record])
        if run.state.is_final:  # as the page asks for, unless told otherwise
            world.airflow.set_run_state(run, RunState.QUEUED)
        return f"{record.label} cleared"


@fault("mark_run")
class MarkRun(WorldFault):
    """Somebody marks the whole run failed."""

    places: ClassVar = ("airflow.run",)
    what: Literal["mark_run"]

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Set the state."""
        for run in list(world.airflow.state.runs.values()):
            if not run.state.is_final:
                world.airflow.set_run_state(run, RunState.FAILED)
                return f"{run.run_id} marked failed"
        return None


@fault("delete_run")
class DeleteRun(WorldFault):
    """Somebody deletes the run."""

    places: ClassVar = ("airflow.run",)
    what: Literal["delete_run"]

    def strike(self, world: "Facility", target: Target) -> str | None:  # noqa: ARG002
        """Delete it."""
        for run in list(world.airflow.state.runs.values()):
            world.airflow.delete_run(run)
            return f"{run.run_id} deleted"
        return None
