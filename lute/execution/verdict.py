"""The last line that LUTE prints about a Task: how it ended, for programs to read."""

import json
from dataclasses import dataclass

from lute.redact import redact
from lute.tasks.result import TaskStatus

PREFIX = "LUTE-VERDICT "
MAX_MESSAGE = 2000
"""Longest message, in characters: the whole line must fit into the tail of a log."""


@dataclass(frozen=True)
class Verdict:
    """How a Task ended.

    Attributes:
        task: name of the Task.
        managed_task: name of the managed Task.
        status: COMPLETED, FAILED or CANCELLED.
        return_code: of the Task's process; minus the signal's number where one ended it; the exit
            code of LUTE itself where the Task never started.
        run_time_s: how long the Task ran, in seconds.
        message: one sentence for the user.
    """

    task: str
    managed_task: str
    status: TaskStatus
    return_code: int
    run_time_s: float
    message: str

    @property
    def exit_code(self) -> int:
        """0 for success, 1 for everything else."""
        return 0 if self.status is TaskStatus.COMPLETED else 1

    def line(self) -> str:
        """Return the verdict as one line of ASCII, without the end of line."""
        fields = {
            "task": self.task,
            "managed_task": self.managed_task,
            "status": self.status.value,
            "return_code": self.return_code,
            "run_time_s": round(self.run_time_s, 3),
            "message": redact(self.message)[:MAX_MESSAGE],
        }
        return PREFIX + json.dumps(fields)


def failure_message(log: str) -> str:
    """Return what the verdict in a log says of a Task that did not complete; empty where there is none."""
    for line in reversed(log.splitlines()):
        if line.startswith(PREFIX):
            try:
                fields = json.loads(line.removeprefix(PREFIX))
            except ValueError:  # cut off, or printed by something else
                return ""
            is_failure = isinstance(fields, dict) and fields.get("status") != TaskStatus.COMPLETED.value
            message = fields.get("message") if is_failure else ""
            return message if isinstance(message, str) else ""
    return ""
