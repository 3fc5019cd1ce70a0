"""What a DAG file says about the arguments of its steps, read without running it."""

import ast
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lute.errors import ConfigError
from lute.slurm.arguments import parse_arguments, parse_step_arguments


@dataclass(frozen=True)
class StepCaps:
    """The limits of one step, as the operator's arguments have them."""

    max_cores: int | None = None
    max_nodes: int | None = None
    require_partition: str | None = None
    custom_slurm_params: str = ""

    def arguments(self, launcher_arguments: Sequence[str]) -> list[str]:
        """Return the step's sbatch arguments, as its operator will.

        Raises:
            ConfigError: they are not sbatch's.
        """
        if self.custom_slurm_params:
            try:
                words = shlex.split(self.custom_slurm_params)
            except ValueError as error:
                raise ConfigError(f"custom_slurm_params is no command line: {error}") from error
            return parse_step_arguments(words).render()
        capped = parse_arguments(launcher_arguments).capped(
            max_cores=self.max_cores, max_nodes=self.max_nodes, partition=self.require_partition
        )
        return capped.render()


_NAMES = frozenset(StepCaps.__dataclass_fields__)


def read_caps(file: Path) -> dict[str, StepCaps]:
    """Return the limits of each step of a DAG file by its task id, where they are plainly written.

    What is computed (a loop, a function that makes operators) cannot be told without running the file;
    nothing is returned for a file that is not there or is no Python.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return {}
    found: dict[str, StepCaps] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords if word.arg}
            task_id = _constant(given.get("task_id"))
            written = {name: _constant(value) for name, value in given.items() if name in _NAMES}
            if isinstance(task_id, str) and None not in written.values():
                found[task_id] = StepCaps(**written)  # type: ignore[arg-type]
    return found


def _constant(node: ast.expr | None) -> str | int | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None
