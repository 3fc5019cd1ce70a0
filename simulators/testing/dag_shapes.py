"""Shapes of workflows, and writing them as DAG files; `strategies.dags` draws them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEAD = '''"""Workflow `{name}`, written by `simulators.testing`."""

from datetime import datetime
from pathlib import Path

{imports}
from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(dag_id=f"lute_{{Path(__file__).stem}}", start_date=datetime(2024, 3, 18), schedule=None)
'''


@dataclass(frozen=True)
class TaskShape:
    """One step.

    Attributes:
        name: of the managed Task.
        upstream: positions of the steps before it, all smaller than its own.
        max_cores: cap of the step, None for none.
        copies: it is mapped over so many elements; 0 for a step that is not mapped.
        group: name of its task group, empty for none.
    """

    name: str
    upstream: tuple[int, ...] = ()
    trigger_rule: str = "all_success"
    retries: int = 0
    max_cores: int | None = None
    copies: int = 0
    group: str = ""

    @property
    def task_id(self) -> str:
        """As in Airflow."""
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def labels(self) -> tuple[str, ...]:
        """As scenarios and results name it: a mapped step has one for each element."""
        return tuple(f"{self.task_id}[{index}]" for index in range(self.copies)) or (self.task_id,)


@dataclass(frozen=True)
class DagShape:
    """One workflow.

    Attributes:
        name: of the workflow and its file.
    """

    tasks: tuple[TaskShape, ...]
    name: str = "drawn"

    @property
    def task_ids(self) -> tuple[str, ...]:
        """As in Airflow."""
        return tuple(task.task_id for task in self.tasks)

    def write(self, folder: Path) -> Path:
        """Write the DAG file into a folder, which is made if need be; return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}.py"
        file.write_text(self.text(), encoding="utf-8")
        return file

    def text(self) -> str:
        """Return the DAG file, for Airflow 2 and 3."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        groups = list(dict.fromkeys(task.group for task in self.tasks if task.group))
        imports = "from airflow import DAG\n"
        if groups:
            imports += "from airflow.providers.common.compat.sdk import TaskGroup\n"
        yield _HEAD.format(name=self.name, imports=imports)
        for group in groups:
            yield f'{group} = TaskGroup("{group}", dag=dag)'
        for number, task in enumerate(self.tasks):
            yield f"step_{number} = {_operator(task)}"
        for number, task in enumerate(self.tasks):
            for before in task.upstream:
                yield f"step_{before} >> step_{number}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        """Show the file, in IPython and in Hypothesis's reports."""
        printer.text(f"\n{self.text()}")


def _operator(task: TaskShape) -> str:
    """Return the call that makes a step's operator."""
    given = [f'task_id="{task.name}"']
    if task.trigger_rule != "all_success":
        given.append(f'trigger_rule="{task.trigger_rule}"')
    if task.retries:
        given.append(f"retries={task.retries}")
    if task.group:
        given.append(f"task_group={task.group}")
    if task.copies:
        # What it is mapped over matters to nobody; a cap is what every workflow may have.
        over = [(task.max_cores or 1) + number for number in range(task.copies)]
        return f"JIDSlurmOperator.partial({', '.join(given)}, dag=dag).expand(max_cores={over})"
    if task.max_cores is not None:
        given.append(f"max_cores={task.max_cores}")
    return f"JIDSlurmOperator({', '.join(given)}, dag=dag)"
