"""Running Tasks that are parallel by MPI."""

from pathlib import Path

from lute.errors import ConfigError
from lute.execution.executor import Executor


class MPIExecutor(Executor):
    """Runs a Task as the processes of one MPI job on this node; the first of them speaks for it.

    Their number is `SLURM_NTASKS` of the environment, 1 where it is not set.
    """

    inherits_pipe = False

    def run(self) -> int:
        """Run the Task; see `Executor.run`.

        Raises:
            ConfigError: also when SLURM_NTASKS is no number.
        """
        number = self._number_of_processes()
        if not number.isdecimal() or int(number) < 1:
            raise ConfigError(f"SLURM_NTASKS is '{number}', not the number of processes to start")
        return super().run()

    def command(self, job_file: Path) -> list[str]:
        """Return the command that runs the Task of a job file."""
        return ["mpirun", "-n", self._number_of_processes(), *super().command(job_file)]

    def _number_of_processes(self) -> str:
        return self.environment.get("SLURM_NTASKS", "1")
