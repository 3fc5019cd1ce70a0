"""What every Task is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from lute.io.header import Header
from lute.seams import Runtime
from lute.tasks.models.base import TaskParameters
from lute.tasks.result import TaskResult

if TYPE_CHECKING:
    from numpy import ndarray

P = TypeVar("P", bound=TaskParameters)


class Messenger(Protocol):
    """Carries what a Task says to the Executor that runs it. No call waits for an answer."""

    def log(self, text: str) -> None:
        """Say something to the user."""

    def progress(self, figures: Mapping[str, str | int | float]) -> None:
        """Tell how far the Task is, in figures by name."""

    def send_array(self, name: str, array: "ndarray") -> None:
        """Send a numpy array of any type but object."""


class Task(ABC, Generic[P]):
    """One piece of analysis code. It runs in a process of its own, in the working directory.

    Args:
        parameters: its parameters, complete and valid.
        header: what is common to all Tasks of the configuration.
        messenger: the way to the Executor.
        runtime: time, commands and identity.
    """

    reports_result: ClassVar[bool] = True
    """False where the exit code of the process is the result."""

    def __init__(self, parameters: P, header: Header, messenger: Messenger, runtime: Runtime) -> None:
        self.parameters = parameters
        self.header = header
        self.messenger = messenger
        self.runtime = runtime

    @abstractmethod
    def run(self) -> TaskResult:
        """Do the work.

        Returns:
            The result. An exception counts as a failure and its text as the cause.
        """
