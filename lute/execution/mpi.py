"""Running Tasks that are parallel by MPI."""

from pathlib import Path

from lute.errors import ConfigError
from lute.execution.executor import Executor


class MPIExecutor(Executor):
    """Runs a Task as the processes of one MPI job on this node; the first of them speaks for it.

    Their number is `SLURM_NTASKS` of the environment, 1 where it is not set.
    """

    inherits_pipe = False

    def command(self, job_file: Path) -> list[str]:
        """Return the command that runs the Task of a job file.

        Raises:
            ConfigError: SLURM_NTASKS is no number.
        """
        number = self.environment.get("SLURM_NTASKS", "1")
        if not number.isdecimal() or int(number) < 1:
            raise ConfigError(f"SLURM_NTASKS is '{number}', not the number of processes to start")
        return ["mpirun", "-n", number, *super().command(job_file)]
