"""What a Task's process says to its Executor.

Every message is one line of JSON. An array travels as the message ArrayHeader followed by the bytes
of a `.npy` file.
"""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from lute.errors import LuteError
from lute.tasks.result import TaskStatus

if TYPE_CHECKING:
    from numpy import ndarray


class MessageError(LuteError):
    """What came is no message."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Started(_Message):
    """The Task begins.

    Attributes:
        reports_result: False where the exit code of the process will be the result.
    """

    kind: Literal["started"] = "started"
    reports_result: bool


class Log(_Message):
    """Something for the user to read."""

    kind: Literal["log"] = "log"
    text: str


class Progress(_Message):
    """How far the Task is, in figures by name."""

    kind: Literal["progress"] = "progress"
    figures: Mapping[str, str | int | float]


class Result(_Message):
    """The Task has ended; see `lute.tasks.result.TaskResult`."""

    kind: Literal["result"] = "result"
    status: TaskStatus
    summary: str | dict[str, str | int | float]
    payload: Mapping[str, JsonValue]


class ArrayHeader(_Message):
    """An array follows."""

    kind: Literal["array"] = "array"
    name: str


Message = Started | Log | Progress | Result | ArrayHeader

_ANY: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode_message(message: Message) -> bytes:
    """Return a message as JSON on one line, without the end of line."""
    return message.model_dump_json().encode()


def decode_message(data: bytes) -> Message:
    """Return the message that `data` is.

    Raises:
        MessageError: it is none.
    """
    try:
        return _ANY.validate_json(data)
    except ValidationError as error:
        raise MessageError(f"not a message of a Task: {data[:80]!r}") from error


def encode_array(array: "ndarray") -> bytes:
    """Return an array as the bytes of a `.npy` file.

    Raises:
        MessageError: it holds Python objects, which only pickle could write.
    """
    import numpy as np  # here, because few Tasks need it

    file = io.BytesIO()
    try:
        np.save(file, array, allow_pickle=False)
    except ValueError as error:
        raise MessageError(f"an array of type {array.dtype} cannot be sent: {error}") from error
    return file.getvalue()


def decode_array(data: bytes) -> "ndarray":
    """Return the array that the bytes of a `.npy` file hold.

    Raises:
        MessageError: they hold none, or one of Python objects.
    """
    import numpy as np

    try:
        array: np.ndarray = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise MessageError(f"not an array: {error}") from error
    return array
