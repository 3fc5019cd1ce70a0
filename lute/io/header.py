"""The header of a configuration: what is common to all its Tasks."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_NAME = r"^[A-Za-z0-9][\w.-]*$"
"""Names become parts of file names."""
_RUN = re.compile(r"(\d{1,9})(_.*)?", re.DOTALL)


def _run_number(run: Any) -> Any:
    """Turn "12" and "12_2026-11-22T10:00:00", as the eLog's workflows call a run, into 12."""
    found = _RUN.fullmatch(run.strip()) if isinstance(run, str) else None
    return int(found[1]) if found else run


def _text(value: Any) -> Any:
    """Take the date or number that YAML made of a text back."""
    return str(value) if isinstance(value, date | int | float) and not isinstance(value, bool) else value


class Header(BaseModel):
    """The first document of a configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field("", description="What this configuration is for, in the user's words.")
    experiment: str = Field(pattern=_NAME, description="Name of the experiment, such as mfxl1013621.")
    run: Annotated[int | Annotated[str, Field(pattern=_NAME)], BeforeValidator(_run_number)] = Field(
        union_mode="left_to_right", description="Run number, or a name where there is no number."
    )
    date: Annotated[str, BeforeValidator(_text)] = Field("", description="When this was written.")
    lute_version: Annotated[str, BeforeValidator(_text)] = Field(
        "", description="Version of LUTE that this was written for."
    )
    task_timeout: float = Field(
        600.0, gt=0, allow_inf_nan=False, description="A Task is stopped after so many seconds."
    )
    work_dir: Path = Field(
        description="Directory that Tasks run in and that holds the results database. When empty: "
        "LUTE_WORK_DIR of the environment, else the current directory."
    )
