"""The managed Tasks: which Executor runs which Task, by the name that workflows use.

Importing this module imports no Task and no Executor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lute.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from lute.execution.executor import Executor, ProgressHook, StatusHook
    from lute.io.config import Config
    from lute.seams import Runtime


@dataclass(frozen=True)
class ManagedTask:
    """A Task together with the Executor that runs it.

    Attributes:
        name: what workflows and the command line call it.
        task: name of the Task.
        is_mpi: True where the Task is parallel by MPI.
    """

    name: str
    task: str
    is_mpi: bool = False

    def executor(
        self,
        config: "Config",
        env: Mapping[str, str],
        *,
        on_status: "StatusHook | None" = None,
        on_progress: "ProgressHook | None" = None,
        runtime: "Runtime | None" = None,
        stdout: int = 1,
    ) -> "Executor":
        """Return a new Executor for this Task; see `lute.execution.executor.Executor`."""
        from lute.execution.executor import Executor
        from lute.execution.mpi import MPIExecutor

        kind = MPIExecutor if self.is_mpi else Executor
        return kind(
            self.task,
            managed_task=self.name,
            config=config,
            env=env,
            on_status=on_status,
            on_progress=on_progress,
            runtime=runtime,
            stdout=stdout,
        )


MANAGED_TASKS = {
    managed.name: managed
    for managed in (
        ManagedTask("Tester", "Test"),
        ManagedTask("BinaryTester", "TestBinary"),
        ManagedTask("BinaryErrTester", "TestBinaryErr"),
        ManagedTask("SocketTester", "TestSocket"),
        ManagedTask("WriteTester", "TestWriteOutput"),
        ManagedTask("ReadTester", "TestReadOutput"),
        ManagedTask("PeakFinderPyAlgos", "FindPeaksPyAlgos", is_mpi=True),
        ManagedTask("CrystFELIndexer", "IndexCrystFEL"),
        ManagedTask("PartialatorMerger", "MergePartialator"),
        ManagedTask("HKLComparer", "CompareHKL"),
    )
}


def managed_task(name: str) -> ManagedTask:
    """Return the managed Task of that name.

    Raises:
        ConfigError: there is none; the message has the closest names.
    """
    if name not in MANAGED_TASKS:
        raise ConfigError(
            f"there is no managed Task '{name}': {did_you_mean(name, MANAGED_TASKS)}",
            next_step="name one of lute/managed_tasks.py",
        )
    return MANAGED_TASKS[name]
