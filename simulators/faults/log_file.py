"""Logs that cannot be read, or that no database takes."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import Moment, Target, WorldFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("log")
class LogFile(WorldFault):
    """The log of the task's job is missing, empty, huge, not UTF-8, or full of NUL when it ends."""

    places: ClassVar = ("log.file",)
    what: Literal["log"]
    content: Literal["missing", "empty", "huge", "not_utf8", "nul"] = "missing"
    size_mib: float = Field(default=20.0, gt=0)
    after: Moment | None = Moment.JOB_ENDED

    def strike(self, world: "Facility", target: Target) -> str | None:
        """Change the file."""
        path = world.log_path(target.job_id)
        if path is None:
            return None
        files = world.slurm.files
        if self.content == "missing":
            files.pop(path, None)
        elif self.content == "huge":
            line = "a line of a long log\n"
            files[path] = line * int(self.size_mib * 1024 * 1024 / len(line))
        else:
            files[path] = {"empty": "", "not_utf8": "caf\udce9 \udcff\n", "nul": "a\0b\0\n"}[self.content]
        return f"{self.content}: {path}"
