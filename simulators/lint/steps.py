"""What a step asks for, and whether it can get it."""

import shlex
from collections.abc import Iterator
from typing import TypeGuard

from lute.errors import ConfigError, did_you_mean
from lute.managed_tasks import MANAGED_TASKS
from lute.slurm.arguments import SlurmArguments, parse_step_arguments
from simulators.lint.finding import Finding
from simulators.lint.source import Source
from simulators.lint.workflow import Step, Workflow

_CAPS = ("max_cores", "max_nodes")


def check_steps(source: Source, workflow: Workflow) -> Iterator[Finding]:
    """Find steps whose job would fail at once, or not be what it seems."""
    seen: dict[str, int] = {}
    for step in workflow.steps:
        if step.task_id in seen:
            said = f"the task_id '{step.task_id}' is used on line {seen[step.task_id]} already"
            yield source.finding(
                "LUTE303", step.line, said, "put one of the two into a TaskGroup, or drop it"
            )
        seen.setdefault(step.task_id, step.line)
        if step.managed_task not in MANAGED_TASKS:
            said = f"there is no managed Task '{step.managed_task}'"
            hint = did_you_mean(step.managed_task, MANAGED_TASKS)
            yield source.finding("LUTE302", step.line_of("task_id"), said, hint)
        yield from _caps(source, step)
        yield from _partition(source, step)
        yield from _custom(source, step)


def _caps(source: Source, step: Step) -> Iterator[Finding]:
    for name in _CAPS:
        cap = step.arguments.get(name)
        if cap is not None and (not _is_count(cap)):
            said = f"{name}={cap!r} is not a whole number of at least 1"
            yield source.finding(
                "LUTE304", step.line_of(name), said, f"{name}=1 or more; leave it out for no cap"
            )
    cores, nodes = _cap(step, "max_cores"), _cap(step, "max_nodes")
    if cores is not None and nodes is not None and cores < nodes:
        said = f"max_nodes={nodes} can never be reached: each node takes a core, and max_cores={cores}"
        yield source.finding(
            "LUTE308", step.line_of("max_nodes"), said, f"max_nodes={cores}, or a larger max_cores"
        )


def _partition(source: Source, step: Step) -> Iterator[Finding]:
    partition = step.arguments.get("require_partition")
    if partition is None:
        return
    if not isinstance(partition, str) or not partition or len(partition.split()) != 1:
        said = f"require_partition={partition!r} is no name of a partition"
        instead = 'require_partition="milano", or leave it out for the launcher\'s partition'
        yield source.finding("LUTE306", step.line_of("require_partition"), said, instead)


def _custom(source: Source, step: Step) -> Iterator[Finding]:
    custom = step.arguments.get("custom_slurm_params")
    if not custom:
        return
    line = step.line_of("custom_slurm_params")
    try:
        if not isinstance(custom, str):
            raise ConfigError("custom_slurm_params is no text")
        arguments = parse_step_arguments(shlex.split(custom))
    except (ConfigError, ValueError) as error:
        what, then = (error.what, error.next_step) if isinstance(error, ConfigError) else (str(error), "")
        instead = then or 'options of sbatch in one text: "--partition=milano --ntasks=4"'
        yield source.finding("LUTE307", line, f"custom_slurm_params: {what}", instead)
        return
    yield from _overruled(source, step, arguments)


def _overruled(source: Source, step: Step, arguments: SlurmArguments) -> Iterator[Finding]:
    line = step.line_of("custom_slurm_params")
    cores, nodes = _cap(step, "max_cores"), _cap(step, "max_nodes")
    partition = step.arguments.get("require_partition")
    required = partition if isinstance(partition, str) else None
    if "partition" not in {given.name for given in arguments.given}:
        required = None
    try:
        within = arguments.capped(max_cores=cores, max_nodes=nodes, partition=required) == arguments
    except ConfigError as error:
        yield source.finding(
            "LUTE307", line, f"custom_slurm_params: {error.what}", error.next_step or "a number"
        )
        return
    idle = [
        f"{name}={value!r}" for name in (*_CAPS, "require_partition") if (value := step.arguments.get(name))
    ]
    if not within:
        said = f"custom_slurm_params asks for something else than {', '.join(idle)}, which do not apply to it"
        yield source.finding("LUTE308", line, said, "the same in both, or only one of them")
    elif idle:
        said = f"{', '.join(idle)}: no effect beside custom_slurm_params"
        yield source.finding(
            "LUTE305", line, said, "put it into custom_slurm_params, or drop custom_slurm_params"
        )


def _cap(step: Step, name: str) -> int | None:
    cap = step.arguments.get(name)
    return cap if _is_count(cap) else None


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
