"""The errors of LUTE: each says whose fault it is and what to do next.

Callers decide on the class, never on the text of a message.
"""

import difflib
import os
from collections.abc import Iterable


class LuteError(Exception):
    """Root of all errors that a user may see.

    Args:
        what: what went wrong, in one sentence that names the thing concerned.
        next_step: what the user can do about it.
    """

    exit_code = 1
    """Exit code of a command that ends with this error."""

    def __init__(self, what: str, *, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\n  next: {self.next_step}" if self.next_step else self.what


class ConfigError(LuteError):
    """A file, an argument or a variable that the user wrote is wrong.

    Args:
        file: the file concerned, if there is one.
        line: line number in it, counted from 1.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        file: str | os.PathLike[str] | None = None,
        line: int | None = None,
        next_step: str = "",
    ) -> None:
        where = f"{os.fspath(file)}{f':{line}' if line else ''}: " if file is not None else ""
        super().__init__(f"{where}{what}", next_step=next_step)
        self.file = file
        self.line = line


class RemoteError(LuteError):
    """Another service did not do what was asked.

    Args:
        endpoint: the address asked, without secrets.
        http_status: its HTTP status, None where no reply came.

    Attributes:
        reason: what went wrong, without the endpoint.
    """

    def __init__(
        self, what: str, *, endpoint: str, http_status: int | None = None, next_step: str = ""
    ) -> None:
        super().__init__(f"{what} [{endpoint}]", next_step=next_step)
        self.reason = what
        self.endpoint = endpoint
        self.http_status = http_status


class TransientError(RemoteError):
    """Nothing happened there and asking again may help: not reachable, overloaded, restarting."""


class PermanentError(RemoteError):
    """The service understood and refused: asking again gives the same answer."""


class AmbiguousError(RemoteError):
    """No reply to a request that may have had its effect: look before asking again."""


class TaskFailed(LuteError):
    """A Task ran and did not succeed."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint with the valid names closest to `name`, or with all of them if none is close."""
    names = sorted(valid)
    return closest(name, names) or (f"valid: {', '.join(names)}" if names else "there is none")


def closest(name: str, valid: Iterable[str], cutoff: float = 0.5) -> str:
    """Return a hint with the valid names closest to `name`; empty if none is as alike as `cutoff`, 0 to 1."""
    close = difflib.get_close_matches(name, sorted(valid), n=3, cutoff=cutoff)
    return f"did you mean {' or '.join(close)}?" if close else ""
