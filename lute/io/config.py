"""The configuration that a user writes: a YAML file of two documents.

The first is the header (`lute.io.header`); the second maps names of Tasks to their parameters.
Parameters are substituted (`lute.io.substitution`) when a Task asks for them, so that a section
which no step uses may refer to variables that are not set.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from lute.errors import ConfigError, did_you_mean
from lute.io.header import Header
from lute.io.substitution import HEADER, Fixed, Substitution
from lute.io.yaml_lines import Place, YamlDocument, read_documents


class Config:
    """A configuration that has been read.

    Attributes:
        file: where it was read from.
        header: its header, complete.
    """

    def __init__(self, file: Path, header: Header, tasks: YamlDocument, env: Mapping[str, str]) -> None:
        self.file = file
        self.header = header
        self._tasks = tasks
        self._env = env
        self._sections = _sections(tasks)

    @property
    def section_names(self) -> list[str]:
        """The names of the sections in the file."""
        return list(self._sections)

    def written(self, task: str) -> Mapping[str, object]:
        """Return the parameters of a Task as written; none where the file has no such section."""
        return self._sections.get(task, {})

    def substituted(self, task: str, values: Mapping[str, object]) -> dict[str, object]:
        """Return parameters of a Task with everything between `{{ }}` filled in.

        Args:
            task: name of the Task.
            values: its parameters: as written, or defaults; those of class Fixed stay as they are.

        Raises:
            ConfigError: a substitution is not possible; the message names file and line.
        """
        fields = {name: Fixed(value) for name, value in self.header.model_dump(mode="json").items()}
        sections: dict[str, Mapping[str, object]] = {**self._sections, task: values, HEADER: fields}
        return Substitution(sections, self._env, self._tasks.error).section(task)

    def error(self, what: str, *place: str | int, next_step: str = "") -> ConfigError:
        """Return an error that points at a place below the Tasks: Task, parameter, ..."""
        return self._tasks.error(what, place, next_step=next_step)


def load_config(file: Path, env: Mapping[str, str]) -> Config:
    """Read a configuration.

    Args:
        file: path of the YAML file.
        env: the environment that `{{ $NAME }}` refers to.

    Raises:
        ConfigError: it is missing or malformed, or its header is wrong; the message names file and
            line.
    """
    header, tasks = _two_documents(file)
    return Config(file, _header(header, env), tasks, env)


def check_config(file: Path) -> None:
    """Check what can be told of a configuration without the environment of the jobs that will read it.

    Raises:
        ConfigError: it is missing or malformed; the message names file and line.
    """
    header, tasks = _two_documents(file)
    _written_header(header)
    _sections(tasks)


def _two_documents(file: Path) -> tuple[YamlDocument, YamlDocument]:
    documents = read_documents(file)
    if len(documents) != 2:
        found = "is empty" if not documents else f"has {len(documents)} YAML document(s)"
        third = documents[2].lines[()] if len(documents) > 2 else None
        raise ConfigError(
            f"{found} where a header and the Tasks' parameters must stand, two documents parted by '---'",
            file=file,
            line=third,
        )
    return documents[0], documents[1]


def _written_header(document: YamlDocument) -> dict[str, object]:
    written = document.value
    if not isinstance(written, dict):
        raise document.error("the header, the first document, must map names to values")
    for name in written:
        if name not in Header.model_fields:
            hint = did_you_mean(str(name), Header.model_fields)
            raise document.error(f"unknown header field '{name}': {hint}", (name,))
    return {str(name): value for name, value in written.items()}


def _header(document: YamlDocument, env: Mapping[str, str]) -> Header:
    written = _written_header(document)

    def error(what: str, place: Place) -> ConfigError:
        return document.error(what, place[1:])

    values = Substitution({HEADER: written}, env, error).section(HEADER)
    values["work_dir"] = values.get("work_dir") or env.get("LUTE_WORK_DIR") or "."
    try:
        header = Header.model_validate(values)
    except ValidationError as invalid:
        problem = invalid.errors()[0]
        name = str(problem["loc"][0])
        missing = problem["type"] == "missing"
        what = "is missing" if missing else f"is {values[name]!r}: {problem['msg']}"
        raise document.error(f"the header field '{name}' {what}", (name,)) from invalid
    return header.model_copy(update={"work_dir": header.work_dir.expanduser().absolute()})


def _sections(document: YamlDocument) -> dict[str, dict[str, object]]:
    if document.value is None:
        return {}
    if not isinstance(document.value, dict):
        raise document.error("the second document must map names of Tasks to their parameters")
    sections: dict[str, dict[str, object]] = {}
    for task, parameters in document.value.items():
        if not isinstance(task, str) or not isinstance(parameters, dict | None):
            raise document.error(f"the section '{task}' must map names of parameters to values", (task,))
        for name in parameters or {}:
            if not isinstance(name, str):
                raise document.error(f"'{name}' in the section '{task}' is not a name", (task, name))
        sections[task] = parameters or {}
    return sections
