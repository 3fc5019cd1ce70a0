"""Reading scenario files, writing them, and finding those of the library.

    scenario = find_scenario("jid-down-5-min")

Whatever is wrong in a file is one `ConfigError` with file, line and the closest valid name.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lute.errors import ConfigError, did_you_mean
from lute.io.yaml_lines import YamlDocument, read_documents
from simulators.scenario.problems import first_problem
from simulators.scenario.schema import Scenario

LIBRARY = Path(__file__).parent / "library"
_LIST_THEM = "`lute-sim scenarios` lists them"


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; a scenario without a name is called as its file.

    Raises:
        ConfigError: it cannot be read, or is no scenario.
    """
    document = _document(path)
    value = document.value
    if not isinstance(value, dict):
        raise document.error("a scenario is a mapping, such as `workflow: test`")
    try:
        return Scenario.model_validate({"name": path.stem, **value})
    except ValidationError as error:
        raise first_problem(error, document) from None


def dump_scenario(scenario: Scenario) -> str:
    """Return a scenario as the text of a file from which `load_scenario` reads the same one again."""
    plain: dict[str, Any] = {"name": scenario.name, **scenario.to_plain()}
    if "tasks" in plain:
        plain["tasks"] = {
            name: models[0] if len(models) == 1 else models for name, models in plain["tasks"].items()
        }
    return yaml.safe_dump(plain, sort_keys=False, width=100)


def scenario_names() -> list[str]:
    """Return the names of the library's scenarios."""
    return sorted(file.stem for file in LIBRARY.glob("*.yaml"))


def scenario_file(name_or_path: str) -> Path:
    """Return the file of a scenario, given by its name in the library or by a path.

    Raises:
        ConfigError: the library has no scenario of this name.
    """
    names = scenario_names()
    name = name_or_path.replace("-", "_")
    if name in names:
        return LIBRARY / f"{name}.yaml"
    if "/" in name_or_path or Path(name_or_path).suffix in (".yaml", ".yml"):
        return Path(name_or_path)
    raise ConfigError(
        f"there is no scenario '{name_or_path}': {did_you_mean(name, names)}",
        next_step=f"{_LIST_THEM}; a file is given by its path, with its suffix",
    )


def find_scenario(name_or_path: str) -> Scenario:
    """Return a scenario of the library, by its name with hyphens or underscores, or of a file, by its path.

    Raises:
        ConfigError: there is none, or it is no scenario.
    """
    return load_scenario(scenario_file(name_or_path))


def check_tasks(scenario: Scenario, task_ids: Iterable[str], file: Path | None = None) -> None:
    """Check every task that a scenario names against the tasks of its workflow.

    Args:
        task_ids: as in the DAG; the index of a mapped task (`Tester[2]`) and the number of a second run
            (`Tester#2`) are no part of them.
        file: where the scenario was read, to name the line.

    Raises:
        ConfigError: the workflow has no such task.
    """
    if scenario.user_workflow:
        return  # it names the tasks itself
    known = set(task_ids)
    for place, label in _named_tasks(scenario):
        task_id = re.sub(r"(\[\d+\])?(#\d+)?$", "", label)
        # A model may be given by the managed Task, the last part of the id of a task in a group.
        short = {name.rpartition(".")[2] for name in known} | {"*"} if place[0] == "tasks" else set()
        if task_id in known | short:
            continue
        what = f"workflow {scenario.workflow} has no task '{label}': {did_you_mean(task_id, known)}"
        raise ConfigError(what) if file is None else _document(file).error(what, place)


def _named_tasks(scenario: Scenario) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every name of a task with its place in the file."""
    for label in scenario.tasks:
        yield ("tasks", label), label
    for index, fault in enumerate(scenario.faults):
        if fault.task is not None:
            yield ("faults", index, "task"), fault.task
    for label in scenario.expect.tasks:
        yield ("expect", "tasks", label), label
    for label in scenario.expect.jobs:
        yield ("expect", "jobs", label), label


def _document(path: Path) -> YamlDocument:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path, next_step=_LIST_THEM) from error
    documents = read_documents(path)
    if not documents or documents[0].value is None:
        raise ConfigError("is empty: a scenario needs at least `workflow: NAME`", file=path)
    if len(documents) > 1:
        raise documents[1].error(f"holds {len(documents)} documents, a scenario is one")
    return documents[0]
