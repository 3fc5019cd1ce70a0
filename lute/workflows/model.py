"""A workflow that a user wrote, as it travels from the launcher to Airflow: JSON in an Airflow Variable."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lute.errors import ConfigError

DAG_PREFIX = "lute_run_time_"
VARIABLE_PREFIX = "lute_workflow_"
"""Before the DAG run's id: the names of the DAG and the Variable of one launch."""
PARENT_DAG = "lute_run_time"
"""The DAG that is always there, in the same file: by it the launcher finds the file."""

TRIGGER_RULES = (
    "all_success",
    "all_failed",
    "all_done",
    "all_skipped",
    "one_success",
    "one_failed",
    "one_done",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "always",
)
"""Those that Airflow 2.11 and 3.3 have in common, but for the one about set-up tasks."""


class StepSettings(BaseModel):
    """What may be said of a step besides its name.

    Attributes:
        slurm_params: sbatch arguments instead of all of the launcher's.
        partition: instead of the launcher's.
        retries: how often a step that fails is tried again; None for what Airflow does by default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    slurm_params: str = ""
    max_cores: int | None = Field(default=None, ge=1)
    max_nodes: int | None = Field(default=None, ge=1)
    partition: str | None = Field(default=None, min_length=1)
    trigger_rule: str = "all_success"
    retries: int | None = Field(default=None, ge=0, le=100)


class Step(BaseModel):
    """One step.

    Attributes:
        task_id: the managed Task's name; with an id of the user's and a dot before it, if there is one.
        next: task_ids of the steps right behind it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_id: str
    next: tuple[str, ...] = ()
    settings: StepSettings = StepSettings()

    @property
    def managed_task(self) -> str:
        """The managed Task's name."""
        return self.task_id.rpartition(".")[2]


class Workflow(BaseModel):
    """The steps of a workflow, each named once, in the order in which the user wrote them.

    Attributes:
        created: when it was given to Airflow; None before that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    created: AwareDatetime | None = None
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_a_graph(self) -> Self:
        links = self.links
        if len(links) < len(self.steps):
            raise ValueError("a step is there twice")
        if unknown := {name for behind in links.values() for name in behind} - set(links):
            raise ValueError(f"no such step: {', '.join(sorted(unknown))}")
        if circle := find_circle(links):
            raise ValueError(f"steps wait for each other: {' > '.join(circle)}")
        return self

    @property
    def links(self) -> dict[str, tuple[str, ...]]:
        """task_id -> the steps right behind it."""
        return {step.task_id: step.next for step in self.steps}

    @property
    def in_order(self) -> list[Step]:
        """The steps, each behind all that run before it."""
        links = self.links
        return sorted(self.steps, key=lambda step: -len(_reached(links, step.task_id)))

    def before(self, task_id: str) -> list[Step]:
        """Return the steps that run before one."""
        links = self.links
        return [step for step in self.steps if task_id in _reached(links, step.task_id)]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def to_json(self) -> str:
        """Return it as text."""
        return self.model_dump_json(exclude_defaults=True)


def parse_workflow(text: str) -> Workflow:
    """Read what `Workflow.to_json` wrote.

    Raises:
        ConfigError: it is nothing of the kind.
    """
    try:
        return Workflow.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(f"no workflow: {problem['msg']}", next_step="launch it again") from error


def _reached(links: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """Return all steps behind one."""
    found: set[str] = set()
    todo = list(links[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += links[name]
    return found


def find_circle(links: Mapping[str, Sequence[str]]) -> list[str]:
    """Return steps that wait for each other, the first one at the end again; empty if there are none."""
    done: set[str] = set()
    for start in links:
        path: list[str] = []
        todo = [(start, iter(links[start]))] if start not in done else []
        while todo:
            name, behind = todo[-1]
            if not path or path[-1] != name:
                path.append(name)
            following = next((other for other in behind if other not in done), None)
            if following is None:
                todo.pop()
                path.pop()
                done.add(name)
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                todo.append((following, iter(links[following])))
    return []
