"""The Tasks that try LUTE itself."""

from pathlib import Path

from lute.errors import TaskFailed
from lute.tasks.base import Task
from lute.tasks.models.tests import (
    TestParameters,
    TestReadOutputParameters,
    TestSocketParameters,
    TestWriteOutputParameters,
)
from lute.tasks.result import TaskResult, TaskStatus


class Test(Task[TestParameters]):
    """Prints, waits, sends messages, and fails on demand."""

    def run(self) -> TaskResult:
        """Do so."""
        print(f"float_var {self.parameters.float_var}, compound_var {self.parameters.compound_var}")  # noqa: T201
        for number in range(1, self.parameters.num_messages + 1):
            self.messenger.log(f"test message {number}")
        self.runtime.clock.sleep(self.parameters.sleep_s)
        if self.parameters.throw_error:
            raise TaskFailed("failing on purpose", next_step="set throw_error to False")
        return TaskResult(TaskStatus.COMPLETED, f"test finished: {self.parameters.str_var}")


class TestSocket(Task[TestSocketParameters]):
    """Sends arrays."""

    def run(self) -> TaskResult:
        """Send arrays that hold their own number everywhere."""
        import numpy as np  # here, because only this Task needs it

        for number in range(self.parameters.num_arrays):
            self.messenger.send_array(f"array {number}", np.full(self.parameters.array_size, float(number)))
        return TaskResult(TaskStatus.COMPLETED, {"arrays sent": self.parameters.num_arrays})


class TestWriteOutput(Task[TestWriteOutputParameters]):
    """Writes numbers to a file."""

    def run(self) -> TaskResult:
        """Write one number a line."""
        path = Path(self.header.work_dir) / self.parameters.outfile_name
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{number}\n" for number in range(self.parameters.num_vals))
        return TaskResult(
            TaskStatus.COMPLETED, f"wrote {self.parameters.num_vals} values", {"out_file": str(path)}
        )


class TestReadOutput(Task[TestReadOutputParameters]):
    """Reads numbers from a file."""

    def run(self) -> TaskResult:
        """Read one number a line and sum them up."""
        with Path(self.parameters.in_file).open(encoding="utf-8") as file:
            values = [int(line) for line in file]
        return TaskResult(TaskStatus.COMPLETED, {"values": len(values), "sum": sum(values)})
