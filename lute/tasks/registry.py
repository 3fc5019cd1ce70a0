"""All Tasks by name: where the code of each lies, and the model of its parameters.

Nothing is imported before it is asked for: looking a name up costs no import of numpy or psana.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lute.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lute.io.header import Header
    from lute.tasks.base import Task
    from lute.tasks.models.base import TaskParameters
    from lute.tasks.result import TaskResult


@dataclass(frozen=True)
class RegisteredTask:
    """A Task's name and where to find it.

    Attributes:
        implementation: `module:class` of the Task, within `lute.tasks`.
        model: `module:class` of its parameters, within `lute.tasks.models`.
        results: `module:function`, within `lute.tasks.results`, that makes the result from the files that
            the Task wrote; empty where there is none.
        inputs: `module:function`, within `lute.tasks`, that looks into what the Task reads before it
            starts; empty where there is none.
    """

    name: str
    implementation: str
    model: str
    results: str = ""
    inputs: str = ""

    def task_class(self) -> "type[Task[Any]]":
        """Import and return the Task's class."""
        found: type[Task[Any]] = _load(f"lute.tasks.{self.implementation}")
        return found

    def parameters_class(self) -> "type[TaskParameters]":
        """Import and return the model of the Task's parameters."""
        found: type[TaskParameters] = _load(f"lute.tasks.models.{self.model}")
        return found

    def results_function(self) -> "Callable[[Any, Header], TaskResult] | None":
        """Import and return the function that makes the Task's result from its files, None if it has none.

        It takes the parameters and the header; see `lute.tasks.results.stream.indexing_result` for what
        it raises.
        """
        if not self.results:
            return None
        found: Callable[[Any, Header], TaskResult] = _load(f"lute.tasks.results.{self.results}")
        return found

    def inputs_function(self) -> "Callable[[Any, Path, Mapping[str, str]], Iterator[tuple[str, str]]] | None":
        """Import and return the function that looks into what the Task reads, None if it has none.

        It takes and gives what `lute.tasks.preflight.preflight_problems` does.
        """
        if not self.inputs:
            return None
        found: Callable[[Any, Path, Mapping[str, str]], Iterator[tuple[str, str]]]
        found = _load(f"lute.tasks.{self.inputs}")
        return found


def _load(where: str) -> Any:
    module, name = where.split(":")
    return getattr(import_module(module), name)


_THIRD_PARTY = "third_party:ThirdPartyTask"

TASKS = {
    task.name: task
    for task in (
        RegisteredTask("Test", "tests:Test", "tests:TestParameters"),
        RegisteredTask("TestSocket", "tests:TestSocket", "tests:TestSocketParameters"),
        RegisteredTask("TestWriteOutput", "tests:TestWriteOutput", "tests:TestWriteOutputParameters"),
        RegisteredTask("TestReadOutput", "tests:TestReadOutput", "tests:TestReadOutputParameters"),
        RegisteredTask("TestBinary", _THIRD_PARTY, "tests:TestBinaryParameters"),
        RegisteredTask("TestBinaryErr", _THIRD_PARTY, "tests:TestBinaryErrParameters"),
        RegisteredTask(
            "FindPeaksPyAlgos", "sfx_find_peaks:FindPeaksPyAlgos", "find_peaks:FindPeaksPyAlgosParameters"
        ),
        RegisteredTask(
            "IndexCrystFEL",
            _THIRD_PARTY,
            "sfx:IndexCrystFELParameters",
            "stream:indexing_result",
            "sfx.indexing_inputs:indexing_problems",
        ),
        RegisteredTask(
            "MergePartialator", _THIRD_PARTY, "sfx:MergePartialatorParameters", "merge:merging_result"
        ),
        RegisteredTask(
            "CompareHKL", _THIRD_PARTY, "sfx:CompareHKLParameters", "comparison:comparison_result"
        ),
    )
}


def registered_task(name: str) -> RegisteredTask:
    """Return the Task of that name.

    Raises:
        ConfigError: there is none; the message has the closest names.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no Task '{name}': {did_you_mean(name, TASKS)}")
    return TASKS[name]
