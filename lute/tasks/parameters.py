"""From a configuration to the valid parameters of one Task."""

import difflib

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from lute.errors import ConfigError, did_you_mean
from lute.io.config import Config
from lute.io.database import Database
from lute.io.substitution import Fixed
from lute.tasks.models.base import TaskParameters
from lute.tasks.models.markers import FromTask, Template, marker
from lute.tasks.registry import TASKS, registered_task


def resolve_parameters(task: str, config: Config, database: Database) -> TaskParameters:
    """Return the parameters of a Task: what the user wrote, completed by the model's defaults.

    A parameter with a default that is found elsewhere (`FromTask`, `Template`) counts as not written
    when it is written as empty.

    Args:
        task: name of the Task.
        config: what the user wrote.
        database: where defaults that are results of other Tasks are found.

    Raises:
        ConfigError: unknown or missing parameters, or values of the wrong type: all of them in one
            message, with the lines they stand on.
        LuteError: the database could not be read.
    """
    model = registered_task(task).parameters_class()
    _refuse_misspelt_section(task, config)
    values = dict(config.written(task))
    for name, field in model.model_fields.items():
        if values.get(name) in ("", None) and _is_found_elsewhere(field):
            values.pop(name, None)
        if name not in values:
            values |= _default(name, field, config, database)
    try:
        return model.model_validate(config.substituted(task, values))
    except ValidationError as error:
        raise _all_problems(error, task, model, config) from error


def _refuse_misspelt_section(task: str, config: Config) -> None:
    """Refuse a section of no known Task whose name is close to `task`, which has none itself.

    Other unknown sections are left alone: a configuration may serve other programs too.
    """
    if task not in config.section_names:
        unknown = [name for name in config.section_names if name not in TASKS]
        if close := difflib.get_close_matches(task, unknown, n=1, cutoff=0.7):
            raise config.error(f"there is no Task '{close[0]}': did you mean {task}?", close[0])


def _is_found_elsewhere(field: FieldInfo) -> bool:
    return marker(field, FromTask) is not None or marker(field, Template) is not None


def _default(name: str, field: FieldInfo, config: Config, database: Database) -> dict[str, object]:
    """Return the default of one parameter by its name; nothing where it has none."""
    if source := marker(field, FromTask):
        header = config.header
        found = database.latest(source.task, source.name, experiment=header.experiment, run=header.run)
        if found is not None:
            return {name: Fixed(source.value(found))}
    if template := marker(field, Template):
        return {name: template.text}
    if field.is_required():
        return {}
    default = field.get_default(call_default_factory=True)
    # As plain values, which a `{{ parameter.part }}` can look into.
    return {name: Fixed(default.model_dump() if isinstance(default, BaseModel) else default)}


def _all_problems(
    error: ValidationError, task: str, model: type[TaskParameters], config: Config
) -> ConfigError:
    """Return one error that tells all problems, each with its place in the file, in the file's order."""
    problems = [
        config.error(_problem(problem, task, model), task, *problem["loc"]) for problem in error.errors()
    ]
    problems.sort(key=lambda problem: problem.line or 0)
    problems[0].what = "\n  ".join(problem.what for problem in problems)
    return problems[0]


def _problem(problem: ErrorDetails, task: str, model: type[TaskParameters]) -> str:
    what = problem["msg"].removeprefix("Value error, ")  # so pydantic begins what a model of ours says
    if not problem["loc"]:
        return f"{task}: {what}"
    name, *inside = problem["loc"]
    full_name = ".".join([task, *map(str, problem["loc"])])
    if problem["type"] == "extra_forbidden":
        if inside:
            return f"unknown parameter '{full_name}'"
        return f"unknown parameter '{full_name}': {did_you_mean(str(name), model.model_fields)}"
    if problem["type"] == "missing":
        source = None if inside else marker(model.model_fields[str(name)], FromTask)
        hint = f"; {source.task} would give it, but has not succeeded for this run" if source else ""
        return f"the parameter '{full_name}' is missing{hint}"
    value = repr(problem["input"])
    return f"'{full_name}' is {value if len(value) <= 80 else value[:77] + '...'}: {what}"
