"""What must be there before a Task starts: its program and the files it reads."""

import difflib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from pydantic.fields import FieldInfo

from lute.io.config import Config
from lute.tasks.models.base import TaskParameters, ThirdPartyParameters
from lute.tasks.models.markers import FileList, InFile, OutFile, marker
from lute.tasks.registry import registered_task


def check_preflight(task: str, parameters: TaskParameters, config: Config, env: Mapping[str, str]) -> None:
    """Check that a Task finds what its parameters name.

    Args:
        task: its name.
        parameters: its parameters, valid.
        config: where they were written, for the lines in the message.
        env: the environment of the Task.

    Raises:
        ConfigError: something is missing; all of it in one message.
    """
    work_dir = config.header.work_dir
    found = list(preflight_problems(parameters, work_dir, env))
    look = registered_task(task).inputs_function()
    if not found and look is not None:
        found = list(look(parameters, work_dir, env))
    problems = [config.error(f"'{task}.{name}': {what}", task, name) for name, what in found]
    if problems:
        problems[0].what = "\n  ".join(problem.what for problem in problems)
        raise problems[0]


def preflight_problems(
    parameters: TaskParameters, work_dir: Path, env: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give (parameter, what is wrong) for each thing that a Task would not find.

    Args:
        work_dir: the directory that it runs in, from which relative paths go.
        env: its environment.
    """
    if isinstance(parameters, ThirdPartyParameters) and (
        what := _program_problem(parameters.executable, work_dir, env)
    ):
        yield "executable", what
    for name, field in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        check = _check(field, parameters, work_dir)
        if check is None or value is None:
            continue
        for text in [value] if isinstance(value, str) else value:
            if what := check(work_dir / text):
                yield name, what


def _check(field: FieldInfo, parameters: TaskParameters, work_dir: Path) -> Callable[[Path], str] | None:
    """Return what says what is wrong with the path in a parameter; None where it holds none to check."""
    if marker(field, InFile):
        return _file_problem
    if listing := marker(field, FileList):
        is_plain = not any(getattr(parameters, other) for other in listing.unless)
        return partial(_list_problem, work_dir=work_dir, is_plain=is_plain)
    # Tasks of ours make the directories that they write to; programs do not.
    if marker(field, OutFile) and isinstance(parameters, ThirdPartyParameters):
        return _directory_problem
    return None


def _program_problem(program: str, work_dir: Path, env: Mapping[str, str]) -> str:
    if "/" in program:
        path = work_dir / program
        return _file_problem(path) or ("" if os.access(path, os.X_OK) else f"{path} may not be executed")
    search = env.get("PATH", os.defpath)
    if shutil.which(program, path=search):
        return ""
    names = {name for folder in search.split(os.pathsep) for name in _names_in(Path(folder))}
    return f"there is no program '{program}' in the PATH of the Task{_closest(program, names)}"


def _file_problem(path: Path) -> str:
    try:
        if path.exists():
            return (
                "" if path.is_file() and os.access(path, os.R_OK) else f"{path} is no file that may be read"
            )
        missing = path
        while not missing.parent.exists():
            missing = missing.parent
    except OSError as error:  # a name too long, a directory that may not be entered
        return f"{path} cannot be found: {error.strerror}"
    what = str(path) if missing == path else f"directory {missing}"
    return f"there is no {what}{_closest(missing.name, _names_in(missing.parent))}"


def _directory_problem(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no directory {path.parent} to write to"
    return "" if os.access(path.parent, os.W_OK) else f"the directory {path.parent} may not be written to"


def _list_problem(path: Path, *, work_dir: Path, is_plain: bool) -> str:
    if problem := _file_problem(path):
        return problem
    names = listed_files(path)
    if not names:
        return f"{path} lists no files"
    missing = [name for name in names if is_plain and _file_problem(work_dir / name)]
    if missing:
        return f"{path}: {len(missing)} of {len(names)} files: {_file_problem(work_dir / missing[0])}"
    return ""


def listed_files(path: Path) -> list[str]:
    """Return the names in a list of files, each once, without what follows them: an event such as `//3`.

    Raises:
        OSError: it cannot be read.
    """
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return list(dict.fromkeys(_without_event(line.strip()) for line in lines if line.strip()))


def _without_event(line: str) -> str:
    name, _, event = line.rpartition(" ")
    return name.rstrip() if name and "//" in event else line


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _closest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else ""
