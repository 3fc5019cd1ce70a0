import subprocess
import sys

import pytest

from lute.managed_tasks import MANAGED_TASKS, managed_task
from lute.tasks.base import Task
from lute.tasks.models.base import TaskParameters, ThirdPartyParameters
from lute.tasks.models.markers import FromTask, marker
from lute.tasks.registry import TASKS
from lute.tasks.third_party import ThirdPartyTask


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_code_and_described_parameters(name: str) -> None:
    registered = TASKS[name]
    task, model = registered.task_class(), registered.parameters_class()
    assert issubclass(task, Task)
    assert issubclass(model, TaskParameters)
    assert issubclass(task, ThirdPartyTask) == issubclass(model, ThirdPartyParameters)
    for parameter, field in model.model_fields.items():
        assert field.description, parameter
        if source := marker(field, FromTask):
            other = TASKS[source.task].parameters_class()
            assert source.name in other.model_fields or source.name == "out_file"


def test_every_task_has_one_managed_task() -> None:
    assert sorted(managed.task for managed in MANAGED_TASKS.values()) == sorted(TASKS)
    assert managed_task("Tester").task == "Test"


def test_names_cost_no_import() -> None:
    code = (
        "import sys, lute.managed_tasks, lute.tasks.registry; "
        "print([name for name in ('numpy', 'pydantic', 'yaml', 'requests') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
