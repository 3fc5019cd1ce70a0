"""Running Tasks that are parallel by MPI."""

import shutil
import sys
from pathlib import Path

from lute.errors import ConfigError
from lute.execution.executor import Executor

FEWEST_PROCESSES = 3
"""Of psana's processes one reads the events' places, one hands them out; the third is the first to work."""
_ON_THIS_NODE = {"HYDRA_LAUNCHER": "fork", "HYDRA_RMK": "user"}
"""MPICH's mpirun would start processes by srun wherever it finds itself in a job of Slurm."""


class MPIExecutor(Executor):
    """Runs a Task as the processes of one MPI job on this node; the first of them speaks for it.

    Their number is `SLURM_NTASKS` of the environment, 1 where it is not set. With fewer than
    `FEWEST_PROCESSES` the Task runs as a single process, without `mpirun`.
    """

    inherits_pipe = False

    def run(self) -> int:
        """Run the Task; see `Executor.run`.

        Raises:
            ConfigError: also when SLURM_NTASKS is no number, or there is no `mpirun`.
        """
        number = self._number_of_processes()
        if number < FEWEST_PROCESSES:
            self._output.say(
                f"LUTE: {self.task} runs as one process: SLURM_NTASKS asks for {number}, "
                f"and fewer than {FEWEST_PROCESSES} cannot share the work"
            )
        else:
            self._output.say(f"LUTE: {self.task} runs as {number} processes by {self._mpirun()}")
            self.environment = _ON_THIS_NODE | self.environment
        return super().run()

    def command(self, job_file: Path) -> list[str]:
        """Return the command that runs the Task of a job file."""
        number = self._number_of_processes()
        task = super().command(job_file)
        return [self._mpirun(), "-n", str(number), *task] if number >= FEWEST_PROCESSES else task

    def _number_of_processes(self) -> int:
        number = self.environment.get("SLURM_NTASKS", "1")
        if not number.isdecimal() or int(number) < 1:
            raise ConfigError(f"SLURM_NTASKS is '{number}', not the number of processes to start")
        return int(number)

    def _mpirun(self) -> str:
        """Return the `mpirun` beside this Python, whose MPI is the Task's, else that of the PATH."""
        beside = Path(sys.executable).with_name("mpirun")
        found = str(beside) if beside.is_file() else shutil.which("mpirun", path=self.environment.get("PATH"))
        if found is None:
            raise ConfigError(
                f"there is no mpirun beside {sys.executable}, and none in the PATH of {self.task}",
                next_step="install LUTE with its extra 'sfx', load the site's MPI, or ask for one task",
            )
        return found
