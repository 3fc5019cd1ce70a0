"""Peak finding for serial crystallography."""

from lute.errors import LuteError
from lute.tasks.base import Task
from lute.tasks.models.sfx import FindPeaksPyAlgosParameters
from lute.tasks.result import TaskResult


class FindPeaksPyAlgos(Task[FindPeaksPyAlgosParameters]):
    """Finds the frames that show a crystal and the peaks in them, by psana's PyAlgos."""

    def run(self) -> TaskResult:
        """Refuse.

        Raises:
            LuteError: always; psana, which reads the detector's data, is not wired in.
        """
        raise LuteError(
            "FindPeaksPyAlgos needs psana to read the detector's data, and this LUTE does not use it yet",
            next_step="give IndexCrystFEL the list of files of another peak finder as 'in_file'",
        )
