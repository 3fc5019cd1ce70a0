"""Tells of Tasks and their parameters: `python -m lute.help -l`, `python -m lute.help -t NAME`."""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence

from lute.errors import ConfigError, did_you_mean
from lute.managed_tasks import MANAGED_TASKS
from lute.tasks.describe import Described, describe, summary
from lute.tasks.registry import TASKS, RegisteredTask

_WIDTH = 100


def main(argv: Sequence[str] | None = None) -> int:
    """Tell what the arguments ask for, on standard output.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code: 0, or 2 where there is no such Task.
    """
    parser = argparse.ArgumentParser(prog="lute.help", description="Tell of Tasks and their parameters.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("-t", "--taskname", metavar="NAME", help="a Task, or a managed Task")
    what.add_argument("-l", "--list", action="store_true", help="list all Tasks and managed Tasks")
    arguments = parser.parse_args(argv)
    try:
        lines = _all_tasks() if arguments.list else _one_task(_task(arguments.taskname))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except ConfigError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except BrokenPipeError:  # whoever reads has seen enough
        sys.stderr.close()
    return 0


def _task(name: str) -> RegisteredTask:
    if name in MANAGED_TASKS:
        return TASKS[MANAGED_TASKS[name].task]
    if name in TASKS:
        return TASKS[name]
    hint = did_you_mean(name, {*TASKS, *MANAGED_TASKS})
    raise ConfigError(
        f"there is no Task or managed Task '{name}': {hint}", next_step="`python -m lute.help -l` lists all"
    )


def _all_tasks() -> Iterator[str]:
    yield "Task              managed Task"
    for task in TASKS.values():
        managed = " ".join(_managed_names(task))
        first, *rest = textwrap.wrap(summary(task), _WIDTH - 38)
        yield f"{task.name:<17} {managed:<19} {first}"
        yield from (f"{'':38}{line}" for line in rest)


def _one_task(task: RegisteredTask) -> Iterator[str]:
    yield f"{task.name}: {summary(task)}"
    yield from (f"Workflows run it as {name}." for name in _managed_names(task))
    yield f"Its parameters, in the section {task.name} of the configuration:"
    for parameter in describe(task.parameters_class()):
        yield ""
        yield from _parameter(parameter)


def _parameter(parameter: Described) -> Iterator[str]:
    unit = f" in {parameter.unit}" if parameter.unit else ""
    default = "required" if parameter.default == "required" else f"default: {parameter.default}"
    head = f"  {parameter.name} ({parameter.type}{unit}), {default}"
    if len(head) <= _WIDTH:
        yield head
    else:
        yield head.removesuffix(f" {default}")
        yield f"      {default}"
    yield from textwrap.wrap(parameter.meaning, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _managed_names(task: RegisteredTask) -> list[str]:
    return [managed.name for managed in MANAGED_TASKS.values() if managed.task == task.name]


if __name__ == "__main__":
    sys.exit(main())
