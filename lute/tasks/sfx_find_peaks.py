"""Peak finding for serial crystallography."""

from lute.errors import LuteError
from lute.settings import environment
from lute.tasks.base import Task
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.result import TaskResult


class FindPeaksPyAlgos(Task[FindPeaksPyAlgosParameters]):
    """Finds the frames that show a crystal and the peaks in them, by psana's PyAlgos.

    It may run as several processes of one MPI job.
    """

    def run(self) -> TaskResult:
        """Do so.

        Raises:
            LuteError: psana is not there, or see `lute.tasks.sfx.find_peaks.find_peaks`.
        """
        try:
            import h5py  # noqa: F401 - here, because other Tasks run where these are not installed
            import psana  # noqa: F401
        except (ImportError, RuntimeError) as error:  # RuntimeError: mpi4py finds no MPI
            raise LuteError(
                f"FindPeaksPyAlgos needs psana, MPI and h5py: {error}",
                next_step="install LUTE with its extra 'sfx', or load the site's psana",
            ) from error
        from lute.tasks.sfx.find_peaks import find_peaks

        return find_peaks(self.parameters, self.header, self.messenger, self.runtime.clock, environment())
