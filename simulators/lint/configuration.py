"""The parameters of a workflow's Tasks in a YAML file, as far as they can be told before the run."""

import re
from collections.abc import Iterator
from pathlib import Path

from lute.errors import ConfigError
from lute.io.config import Config, load_config
from lute.io.database import Database
from lute.managed_tasks import MANAGED_TASKS
from lute.tasks.parameters import resolve_parameters
from simulators.lint.finding import Finding
from simulators.lint.graph import reachable
from simulators.lint.workflow import Step, Workflow

_LATER = "a value that an earlier step gives"


class AnyVariable(dict[str, str]):
    """An environment in which every variable is set: nobody knows that of the jobs yet."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, _name: str) -> str:
        return "1"


class ComingResults(Database):
    """The results database as a step will find it: with the results of the steps before it."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"))
        self.before: set[str] = set()
        self.parameters: dict[str, object] = {}

    def latest(self, task: str, name: str, *, experiment: str, run: int | str) -> object | None:  # noqa: ARG002
        """Return the value where the file has it, a text in its place where only the run will tell."""
        if task not in self.before:
            return None
        found: object = getattr(self.parameters.get(task), name, None)
        return _LATER if found is None else found


def check_configuration(file: Path, workflow: Workflow) -> Iterator[Finding]:
    """Find what the Tasks of a workflow miss in a configuration, or would refuse of it."""
    try:
        config = load_config(file, AnyVariable())
    except ConfigError as error:
        yield from _findings("LUTE601", file, error)
        return
    results = ComingResults()
    told: set[str] = set()
    for step in _in_order(workflow):
        managed = MANAGED_TASKS.get(step.managed_task)
        if managed is None:
            continue
        results.before = {
            MANAGED_TASKS[other.managed_task].task
            for other in workflow.steps
            if other.managed_task in MANAGED_TASKS and _runs_before(workflow, other, step)
        }
        yield from _task(file, config, managed.task, results, told)


def _task(file: Path, config: Config, task: str, results: ComingResults, told: set[str]) -> Iterator[Finding]:
    if task in told:
        return
    told.add(task)
    try:
        results.parameters[task] = resolve_parameters(task, config, results)
    except ConfigError as error:
        yield from _findings("LUTE602", file, error)


def _findings(code: str, file: Path, error: ConfigError) -> Iterator[Finding]:
    """Yield one finding for each problem that a message tells, at its own line."""
    for text in error.what.split("\n  "):
        place = re.match(rf"{re.escape(str(file))}(?::(\d+))?: ", text)
        line = int(place[1]) if place and place[1] else 1
        instead = error.next_step or "a value that the reference of Tasks and parameters allows"
        yield Finding(code, str(file), line, text[place.end() :] if place else text, instead)


def _in_order(workflow: Workflow) -> list[Step]:
    """Return the steps, each behind all that run before it."""
    links = workflow.links
    if links is None:
        return workflow.steps
    return sorted(workflow.steps, key=lambda step: -len(reachable(links, step.task_id)))


def _runs_before(workflow: Workflow, other: Step, step: Step) -> bool:
    """True where `other` runs before `step`, or where nobody can tell."""
    links = workflow.links
    return other is not step and (links is None or step.task_id in reachable(links, other.task_id))
