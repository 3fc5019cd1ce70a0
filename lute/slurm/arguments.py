"""The arguments that a user gives for sbatch: parsed, capped and rendered, never edited as text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lute.errors import ConfigError, closest, did_you_mean
from lute.slurm.getopt import Given, Option, OptionError, Takes, scan
from lute.slurm.options import LATER_OPTIONS, SBATCH_OPTIONS

_NOT_FOR_STEPS = {
    "array": "a step is one job with one verdict",
    "help": "no job would be submitted",
    "parsable": "the JID reads the job's id from 'Submitted batch job N'",
    "quiet": "the JID reads the job's id from 'Submitted batch job N'",
    "test-only": "no job would be submitted",
    "usage": "no job would be submitted",
    "version": "no job would be submitted",
    "wait": "the JID gives sbatch 30 s",
    "wrap": "the step has a script of its own",
}

_OPTIONS = SBATCH_OPTIONS + LATER_OPTIONS
_BY_NAME = {option.name: option for option in _OPTIONS}


@dataclass(frozen=True)
class SlurmArguments:
    """Options of sbatch, in the order in which they were given; of repeats only the last, which counts.

    Attributes:
        given: canonical long names and values; None for an option without a value.
    """

    given: tuple[Given, ...] = ()

    def get(self, name: str) -> str | None:
        """Return the value of an option; empty for one that has none; None if it was not given."""
        canonical = _option(name).canonical
        found = [given.value or "" for given in self.given if given.name == canonical]
        return found[-1] if found else None

    def render(self) -> list[str]:
        """Return the tokens for sbatch: `--name=value` or `--flag`."""
        return [
            f"--{given.name}" if given.value is None else f"--{given.name}={given.value}"
            for given in self.given
        ]

    def with_option(self, name: str, value: str | None = None) -> "SlurmArguments":
        """Return these arguments with an option set: in its place if it was given, else at the end."""
        option = _option(name)
        if value is None and option.takes is Takes.VALUE:
            raise ConfigError(f"sbatch option --{option.name} needs a value")
        if value is not None and option.takes is Takes.NOTHING:
            raise ConfigError(f"sbatch option --{option.name} takes no value")
        new = Given(option.canonical, value)
        kept = [new if given.name == new.name else given for given in self.given]
        return _reduced(kept if new in kept else [*kept, new])

    def without(self, name: str) -> "SlurmArguments":
        """Return these arguments without an option."""
        canonical = _option(name).canonical
        return SlurmArguments(tuple(given for given in self.given if given.name != canonical))

    def only(self, names: Iterable[str]) -> "SlurmArguments":
        """Return of these arguments those whose option is in `names`."""
        chosen = {_option(name).canonical for name in names}
        return SlurmArguments(tuple(given for given in self.given if given.name in chosen))

    def capped(
        self, max_cores: int | None = None, max_nodes: int | None = None, partition: str | None = None
    ) -> "SlurmArguments":
        """Return these arguments with a limit on what they ask for.

        Nodes first: `max_nodes` becomes `--nodes=1-N`, or lowers the nodes given; never `0-N`, with which
        Slurm 22.05 blocks whole nodes (measured). Without tasks or nodes given there is nothing to limit.

        Cores next: tasks x cpus-per-task never exceed `max_cores`. A wider task gets `max_cores` CPUs. Where
        the tasks follow from the nodes (so many per node, or one on each) and are too many, `--ntasks` states
        the cap and `--ntasks-per-node` goes. Where both are given, what counts are the tasks rounded up to
        fill the last node, as Slurm does (measured: 10 at 3 per node are 12). What fits is left as it is.
        `--exclusive` still takes whole nodes.

        Args:
            max_cores: most cores, at least 1; None for no limit.
            max_nodes: most nodes, at least 1; None for no limit.
            partition: replaces the partition; None keeps it.

        Raises:
            ConfigError: a count among the arguments is not a number.
        """
        arguments = self if partition is None else self.with_option("partition", partition)
        if max_nodes is not None:
            arguments = _cap_nodes(arguments, _at_least_one("max_nodes", max_nodes))
        if max_cores is not None:
            arguments = _cap_cores(arguments, _at_least_one("max_cores", max_cores))
        return arguments


def parse_arguments(tokens: Sequence[str]) -> SlurmArguments:
    """Read tokens as sbatch does.

    Raises:
        ConfigError: sbatch would not take them, or would take one of them for its script.
    """
    try:
        given, operands = scan(tokens, _OPTIONS, stop_at_operand=True)
    except OptionError as error:
        hint = "" if error.known else closest(error.token.lstrip("-"), _BY_NAME)
        raise ConfigError(
            f"wrong Slurm arguments: {error.text}", next_step=hint or "see `sbatch --help`"
        ) from None
    if operands:
        raise ConfigError(
            f"wrong Slurm arguments: {operands[0]!r} is not an option, sbatch would take it for its script",
            next_step="give only options, such as --partition=milano; put a value with blanks in quotes",
        )
    return _reduced(given)


def parse_step_arguments(tokens: Sequence[str]) -> SlurmArguments:
    """Read the arguments of a step, whose job the JID submits and follows.

    Raises:
        ConfigError: as `parse_arguments`, and for options with which the JID would lose sight of the job.
    """
    arguments = parse_arguments(tokens)
    for given in arguments.given:
        if given.name in _NOT_FOR_STEPS:
            raise ConfigError(
                f"--{given.name} does not go with a workflow: {_NOT_FOR_STEPS[given.name]}",
                next_step="leave it out",
            )
    return arguments


def _reduced(given: Iterable[Given]) -> SlurmArguments:
    """Drop the repeats that a later one overrides."""
    kept: list[Given] = []
    for item in given:
        if not _BY_NAME[item.name].accumulates:
            kept = [other for other in kept if other.name != item.name]
        kept.append(item)
    return SlurmArguments(tuple(kept))


def _option(name: str) -> Option:
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise ConfigError(f"sbatch has no option --{name}", next_step=did_you_mean(name, _BY_NAME))


def _at_least_one(name: str, value: int) -> int:
    if value < 1:
        raise ConfigError(f"{name} must be at least 1, not {value}")
    return value


def _count(arguments: SlurmArguments, name: str) -> int | None:
    text = arguments.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise ConfigError(f"--{name}={text}: not a positive whole number")
    return int(text)


def _nodes(arguments: SlurmArguments) -> tuple[int, int] | None:
    text = arguments.get("nodes")
    if text is None:
        return None
    match = re.fullmatch("([0-9]{1,9})(?:-([0-9]{1,9}))?", text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if high < max(1, low):
        raise ConfigError(f"--nodes={text}: not a number of nodes, such as 2 or 1-4")
    return low, high


def _cap_nodes(arguments: SlurmArguments, max_nodes: int) -> SlurmArguments:
    nodes = _nodes(arguments)
    if nodes is None:
        if arguments.get("ntasks") is None and arguments.get("ntasks-per-node") is None:
            return arguments  # one task on one node: with --nodes=1-N Slurm would make N of it (measured)
        return arguments.with_option("nodes", f"1-{max_nodes}")
    low, high = (min(max(1, count), max_nodes) for count in nodes)
    is_range = "-" in (arguments.get("nodes") or "")
    return arguments.with_option("nodes", f"{low}-{high}" if is_range else f"{high}")


def _cap_cores(arguments: SlurmArguments, max_cores: int) -> SlurmArguments:
    cpus = _count(arguments, "cpus-per-task") or 1
    if cpus > max_cores:
        cpus = max_cores
        arguments = arguments.with_option("cpus-per-task", str(cpus))
    max_tasks = max_cores // cpus
    ntasks, per_node = _count(arguments, "ntasks"), _count(arguments, "ntasks-per-node")
    _, most_nodes = _nodes(arguments) or (1, 1)
    if ntasks is None:
        total = (per_node or 1) * most_nodes
    elif per_node is None:
        total = ntasks
    else:
        total = -(-ntasks // per_node) * per_node
    if total <= max_tasks:
        return arguments
    if ntasks is not None and ntasks > max_tasks:
        ntasks = max_tasks
    if per_node is not None and (ntasks is None or -(-ntasks // per_node) * per_node > max_tasks):
        arguments = arguments.without("ntasks-per-node")
    return arguments.with_option("ntasks", str(max_tasks if ntasks is None else ntasks))
