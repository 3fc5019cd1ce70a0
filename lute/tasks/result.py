"""How a Task ended, and what it has to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TaskStatus(StrEnum):
    """The states of a Task. Only COMPLETED is success."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    """Stopped from outside: by the user, by Slurm."""


@dataclass(frozen=True)
class TaskResult:
    """What a Task hands back.

    Attributes:
        status: COMPLETED or FAILED.
        summary: a sentence for the user, or figures of merit by name.
        payload: results by name that later Tasks may ask for, such as the files written.
    """

    status: TaskStatus
    summary: str | Mapping[str, str | int | float] = ""
    payload: Mapping[str, object] = field(default_factory=dict)
