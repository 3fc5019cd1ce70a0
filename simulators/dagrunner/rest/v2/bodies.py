"""What v2 takes in the bodies of its requests: models that refuse in the words of Airflow 3.3's own."""

import json
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeInt,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from simulators.dagrunner.rest.v2.rows import dump
from simulators.net.messages import HttpReply, HttpRequest

TASK_STATES = (
    "removed", "scheduled", "queued", "running", "success", "restarting", "failed", "up_for_retry",
    "up_for_reschedule", "upstream_failed", "skipped", "deferred", "awaiting_input",
)  # fmt: skip
RUN_STATES = ("queued", "running", "success", "failed")
_MARKS = ["success", "failed", "skipped"]
_Note = Annotated[str, StringConstraints(max_length=1000)]

_TaskStates = Enum("_TaskStates", {state: state for state in TASK_STATES}, type=str)  # type: ignore[misc]


class RefusedError(Exception):
    """The answer is an error."""

    def __init__(self, reply: HttpReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refusal(status: int, detail: Any) -> RefusedError:
    """Return a refusal as FastAPI has it; `detail` is a text, a list or an object."""
    return RefusedError(HttpReply(status, dump({"detail": detail})))


def crash() -> RefusedError:
    """Return what Airflow 3 answers where its own code fails; it closes the connection, too (measured)."""
    return RefusedError(HttpReply(500, b"Internal Server Error", "text/plain; charset=utf-8"))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginBody(_Strict):
    """POST /auth/token."""

    username: str
    password: str


class PatchDag(_Strict):
    """PATCH of a DAG."""

    is_paused: bool


class Trigger(_Strict):
    """POST of a DAG run: logical_date must be there, though it may be null."""

    dag_run_id: str | None = None
    data_interval_start: AwareDatetime | None = None
    data_interval_end: AwareDatetime | None = None
    logical_date: AwareDatetime | None
    run_after: datetime | None = None
    conf: dict[str, Any] | None = None
    note: str | None = None
    partition_key: str | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> "Trigger":
        if (self.data_interval_start is None) != (self.data_interval_end is None):
            raise ValueError(
                "Either both data_interval_start and data_interval_end must be provided or both must be None"
            )
        return self


class _Mark(StrEnum):
    QUEUED = "queued"
    SUCCESS = "success"
    FAILED = "failed"


class PatchRun(_Strict):
    """PATCH of a DAG run."""

    state: _Mark | None = None
    note: _Note | None = None


class PatchTaskInstance(_Strict):
    """PATCH of a task instance. Other runs (include_future, include_past) are not simulated."""

    new_state: _TaskStates | None = None
    note: _Note | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False

    @field_validator("new_state", mode="before")
    @classmethod
    def _is_mark(cls, value: Any) -> str:
        if value is None:
            raise ValueError("'new_state' should not be empty")
        word = str(value).lower()
        if word not in _MARKS:
            raise ValueError(f"'{word}' is not one of {_MARKS}")
        return word


class Clear(_Strict):
    """POST of clearTaskInstances. A span of dates and other runs are not simulated."""

    dry_run: bool = True
    start_date: AwareDatetime | None = None
    end_date: AwareDatetime | None = None
    only_failed: bool = True
    only_running: bool = False
    reset_dag_runs: bool = True
    task_ids: list[str | tuple[str, int]] | None = None
    dag_run_id: str | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False
    run_on_latest_version: bool | None = None
    prevent_running_task: bool = False
    note: _Note | None = None

    @model_validator(mode="before")
    @classmethod
    def _fits_together(cls, data: Any) -> Any:
        if isinstance(data, dict):
            if data.get("only_failed") and data.get("only_running"):
                raise ValueError("only_failed and only_running both are set to True")
            if data.get("task_ids") == []:
                raise ValueError("task_ids list should have at least 1 element.")
        return data


class ClearRun(_Strict):
    """POST of a run's clear."""

    dry_run: bool = True
    only_failed: bool = False
    only_new: bool = False
    run_on_latest_version: bool | None = None
    note: _Note | None = None


class ListBatch(_Strict):
    """POST of taskInstances/list; what it can filter by beyond this is not simulated."""

    dag_ids: list[str] | None = None
    dag_run_ids: list[str] | None = None
    task_ids: list[str] | None = None
    state: list[_TaskStates | None] | None = None
    pool: list[str] | None = None
    queue: list[str] | None = None
    page_offset: NonNegativeInt = 0
    page_limit: NonNegativeInt = 100


class Variable(_Strict):
    """POST and PATCH of a variable; a value that is no text is kept as JSON."""

    key: str = Field(max_length=250)
    value: JsonValue
    description: str | None = None
    team_name: str | None = Field(max_length=50, default=None)

    @property
    def text(self) -> str:
        """The value as it is kept."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, indent=2)


MODELS: dict[str, type[BaseModel]] = {
    "trigger": Trigger,
    "patch_dag": PatchDag,
    "patch_run": PatchRun,
    "patch_task_instance": PatchTaskInstance,
    "clear": Clear,
    "clear_run": ClearRun,
    "list_batch": ListBatch,
    "post_variable": Variable,
    "patch_variable": Variable,
}


def read_json(request: HttpRequest) -> Any:
    """Return what the body holds: JSON if it says so, else its text; None if it is empty.

    Raises:
        RefusedError: it is no JSON. FastAPI finds that out before it looks at the login (measured).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body:
        return None
    if kind != "application/json" and not kind.endswith("+json"):
        return request.body.decode(errors="replace")
    try:
        return json.loads(request.body)
    except json.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ["body", error.pos], "msg": "JSON decode error"}
        raise refusal(422, [wrong | {"input": {}, "ctx": {"error": error.msg}}]) from error
    except (ValueError, RecursionError) as error:
        raise refusal(400, "There was an error parsing the body") from error


def check(model: type[BaseModel], value: Any) -> BaseModel:
    """Return the body as a model.

    Raises:
        RefusedError: with HTTP 422 and all that is wrong with it.
    """
    if value is None:
        missing = {"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}
        raise refusal(422, [missing])
    try:
        return model.model_validate(value, from_attributes=True)
    except ValidationError as error:
        raise refusal(422, [_told(dict(wrong)) for wrong in error.errors(include_url=False)]) from error


def _told(wrong: dict[str, Any]) -> dict[str, Any]:
    told = wrong | {"loc": ["body", *wrong["loc"]]}
    if "ctx" in wrong:
        told["ctx"] = {
            name: {} if isinstance(value, Exception) else value for name, value in wrong["ctx"].items()
        }
    return told


def parameter_error(
    name: str, value: str, kind: str, message: str, where: str = "query", **ctx: Any
) -> RefusedError:
    """Return the refusal of a value in the query or path."""
    wrong: dict[str, Any] = {"type": kind, "loc": [where, name], "msg": message, "input": value}
    return refusal(422, [wrong | ({"ctx": ctx} if ctx else {})])
