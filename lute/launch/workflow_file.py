"""Reading a workflow that a user wrote in a YAML file.

    task_name: Tester
    next:
      - task_name: BinaryTester
        max_cores: 8
      - task_name: SocketTester
        trigger_rule: all_done

A step is known by its `task_name`, with its `id` where it has one: named in several places it is one step,
with the settings and the `next` of all of them.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from lute.errors import ConfigError, did_you_mean
from lute.io.yaml_lines import Place, YamlDocument, read_documents
from lute.managed_tasks import MANAGED_TASKS
from lute.slurm.arguments import parse_step_arguments
from lute.workflows.model import TRIGGER_RULES, Step, StepSettings, Workflow, find_circle

_KEYS = ("task_name", "id", "next", *StepSettings.model_fields)


@dataclass
class _Found:
    """What all places of a step say of it.

    Attributes:
        lines: where each of its settings was first given.
    """

    line: int
    settings: dict[str, object] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    next: dict[str, int] = field(default_factory=dict)


def read_workflow(file: Path, slurm_params: Sequence[str]) -> Workflow:
    """Return the workflow of a file.

    Args:
        slurm_params: the launcher's sbatch arguments, which the steps share.

    Raises:
        ConfigError: the file is not to be read, or wrong: the message tells all that is, with the lines.
    """
    documents = read_documents(file)
    if len(documents) != 1:
        found = "is empty" if not documents else f"has {len(documents)} YAML documents"
        raise ConfigError(f"{found} where one must stand, with the workflow's first step", file=file)
    reader = _Reader(documents[0], slurm_params)
    reader.read()
    if reader.problems:
        raise _all_in_one(reader.problems)
    steps = tuple(
        Step(task_id=name, next=tuple(step.next), settings=StepSettings.model_validate(step.settings))
        for name, step in reader.steps.items()
    )
    return Workflow(title=file.name.encode(errors="replace").decode()[:200], steps=steps)


class _Reader:
    """Gathers the steps of a document, and whatever is wrong with them.

    Attributes:
        steps: by task_id, in the order in which they were first named.
    """

    def __init__(self, document: YamlDocument, slurm_params: Sequence[str]) -> None:
        self.steps: dict[str, _Found] = {}
        self.problems: list[ConfigError] = []
        self._document = document
        self._slurm_params = slurm_params

    def read(self) -> None:
        value = self._document.value
        if isinstance(value, list) and value:
            self._read_all(value, ())
        else:
            self._step(value, ())
        if not self.problems:
            self._check_order()
            for name, step in self.steps.items():
                self._check_slurm(name, step)

    def _read_all(self, values: Sequence[object], place: Place) -> list[tuple[str, int]]:
        """Read the steps of a list; return task_id and line of those that have one."""
        found = []
        for position, value in enumerate(values):
            here = (*place, position)
            name = self._step(value, here)
            if name is not None:
                found.append((name, self._line(here)))
        return found

    def _step(self, value: object, place: Place) -> str | None:
        """Read a step with all that is behind it; return its task_id, None where it has none."""
        if not isinstance(value, dict):
            self._problem(f"a step is a mapping with the key task_name, not {_shown(value)}", place)
            return None
        name = self._name(value, place)
        for key in value:
            if key not in _KEYS:
                self._problem(f"unknown key '{key}': {did_you_mean(str(key), _KEYS)}", (*place, key))
        behind = value.get("next")
        if not isinstance(behind, list | None):
            self._problem(f"next is a list of steps, not {_shown(behind)}", (*place, "next"))
            behind = None
        if name is None:
            self._read_all(behind or (), (*place, "next"))
            return None
        step = self.steps.setdefault(name, _Found(self._line(place)))
        self._settings(name, step, value, place)
        for other, line in self._read_all(behind or (), (*place, "next")):
            step.next.setdefault(other, line)
        return name

    def _name(self, value: Mapping[str | int, object], place: Place) -> str | None:
        task, own = value.get("task_name"), value.get("id")
        if not isinstance(task, str):
            what = f"is {_shown(task)}" if "task_name" in value else "is missing"
            self._problem(f"task_name {what}: it names a managed Task", (*place, "task_name"))
            return None
        if task not in MANAGED_TASKS:
            hint = did_you_mean(task, MANAGED_TASKS)
            self._problem(f"there is no managed Task '{task}': {hint}", (*place, "task_name"))
            return None
        if own is None:
            return task
        if not isinstance(own, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,99}", own):
            self._problem(f"id is {_shown(own)}: it is a word of letters, digits, _ and -", (*place, "id"))
            return None
        return f"{own}.{task}"

    def _settings(self, name: str, step: _Found, value: Mapping[str | int, object], place: Place) -> None:
        for key in StepSettings.model_fields:
            if value.get(key) is None:
                continue
            here = (*place, key)
            given, line = value[key], self._line(here)
            if key in step.settings and step.settings[key] != given:
                before = f"{_shown(step.settings[key])} on line {step.lines[key]}"
                self._problem(f"{key} of {name} is {before} and {_shown(given)} here", here)
            step.settings.setdefault(key, given)
            step.lines.setdefault(key, line)
            self._check_setting(key, given, here)

    def _check_setting(self, key: str, given: object, place: Place) -> None:
        if key == "trigger_rule" and given not in TRIGGER_RULES:
            hint = did_you_mean(str(given), TRIGGER_RULES)
            self._problem(f"there is no trigger rule {_shown(given)}: {hint}", place)
            return
        try:
            StepSettings.model_validate({key: given})
        except ValidationError as error:
            self._problem(f"{key} is {_shown(given)}: {error.errors()[0]['msg']}", place)

    def _check_order(self) -> None:
        circle = find_circle({name: tuple(step.next) for name, step in self.steps.items()})
        if circle:
            line = self.steps[circle[-2]].next[circle[-1]]
            what = f"steps wait for each other: {' > '.join(circle)}"
            self.problems.append(ConfigError(what, file=self._document.file, line=line))

    def _check_slurm(self, name: str, step: _Found) -> None:
        settings = StepSettings.model_validate(step.settings)
        line = step.lines.get("slurm_params", step.line)
        caps = [key for key in ("max_cores", "max_nodes", "partition") if key in step.settings]
        try:
            if settings.slurm_params:
                parse_step_arguments(shlex.split(settings.slurm_params))
            else:
                parse_step_arguments(self._slurm_params).capped(
                    max_cores=settings.max_cores,
                    max_nodes=settings.max_nodes,
                    partition=settings.partition,
                )
        except (ConfigError, ValueError) as error:
            what = str(error).replace("\n  next:", ":")
            self.problems.append(
                ConfigError(f"the sbatch arguments of {name}: {what}", file=self._document.file, line=line)
            )
            return
        if settings.slurm_params and caps:
            what = f"{', '.join(caps)} of {name} would have no effect: slurm_params says everything"
            self.problems.append(ConfigError(what, file=self._document.file, line=line))

    def _line(self, place: Place) -> int:
        return self._document.lines[place]

    def _problem(self, what: str, place: Place) -> None:
        self.problems.append(self._document.error(what, place))


def _all_in_one(problems: Sequence[ConfigError]) -> ConfigError:
    """Return one error that tells all, in the file's order and each once."""
    first, *others = sorted(problems, key=lambda problem: problem.line or 0)
    lines = dict.fromkeys(problem.what for problem in (first, *others))
    told = ConfigError("", next_step="correct the workflow's file: see docs/run_time_workflows.md")
    told.what, told.file, told.line = "\n  ".join(lines), first.file, first.line
    return told


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
