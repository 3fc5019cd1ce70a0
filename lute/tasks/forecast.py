"""The parameters of a workflow's Tasks, as far as they can be told before it runs."""

from collections.abc import Collection, Mapping
from pathlib import Path

from lute.errors import ConfigError
from lute.io.config import load_config
from lute.io.database import Database
from lute.tasks.parameters import resolve_parameters

_LATER = "a value that an earlier step gives"


def check_parameters(file: Path, env: Mapping[str, str], before: Mapping[str, Collection[str]]) -> None:
    """Check what a configuration says of the Tasks of a workflow.

    Args:
        env: the environment as far as it is known; the jobs may have more.
        before: each Task, behind those that run before it -> the names of these.

    Raises:
        ConfigError: parameters are unknown, missing or wrong, of all Tasks in one message.
    """
    variables = _Variables(env)
    config = load_config(file, variables)
    results = _ComingResults()
    problems: list[ConfigError] = []
    for task, earlier in before.items():
        results.earlier = earlier
        variables.guessed = False
        try:
            results.parameters[task] = resolve_parameters(task, config, results)
        except ConfigError as error:
            if not variables.guessed:  # else it may be the guess that is wrong
                problems.append(error)
    if problems:
        problems[0].what = "\n  ".join(problem.what for problem in problems)
        raise problems[0]


class _Variables(dict[str, str]):
    """An environment in which every variable is set: nobody knows yet what the jobs will have.

    Attributes:
        guessed: whether a value was asked for that is not known.
    """

    guessed = False

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, _name: str) -> str:
        self.guessed = True
        return "1"


class _ComingResults(Database):
    """The results as a step will find them: with those of the steps before it."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"))
        self.earlier: Collection[str] = ()
        self.parameters: dict[str, object] = {}

    def latest(self, task: str, name: str, *, experiment: str, run: int | str) -> object | None:  # noqa: ARG002
        """Return the value where the file has it, a text in its place where only the run will tell."""
        if task not in self.earlier:
            return None
        found: object = getattr(self.parameters.get(task), name, None)
        return _LATER if found is None else found
