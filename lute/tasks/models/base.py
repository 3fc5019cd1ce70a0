"""What the parameters of all Tasks have in common."""

from pydantic import BaseModel, ConfigDict, Field

from lute.tasks.models.markers import OutFile, marker


class ParameterGroup(BaseModel):
    """Parameters that belong together. One that no field names is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskParameters(ParameterGroup):
    """Parameters of a first-party Task."""

    def out_files(self) -> dict[str, str]:
        """Return the paths of the files that the Task writes, by parameter."""
        names = [name for name, field in type(self).model_fields.items() if marker(field, OutFile)]
        return {name: getattr(self, name) for name in names}


class ThirdPartyParameters(TaskParameters):
    """Parameters of a program that is not LUTE's: each is passed on its command line."""

    executable: str = Field(
        min_length=1, description="The program: a path, or a name that is looked up in PATH."
    )
