"""What the process of a Task is told when it starts."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from lute.io.header import Header


class Job(BaseModel):
    """One Task to run.

    Attributes:
        task: its name.
        header: the header of the configuration.
        parameters: its parameters, valid.
        address: path of the Executor's socket.
        pipe: file descriptor of the Executor's pipe; None where it is not inherited.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    header: Header
    parameters: dict[str, JsonValue]
    address: Path
    pipe: int | None

    @classmethod
    def read(cls, file: Path) -> "Job":
        """Read a job that `write` wrote."""
        return cls.model_validate_json(file.read_bytes())

    def write(self, file: Path) -> None:
        """Write the job to a file, for the process of the Task."""
        file.write_text(self.model_dump_json(), encoding="utf-8")
