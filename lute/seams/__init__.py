"""The four seams: the only ways in which production touches the world.

Time, commands, HTTP and identity each go through one small object, so that a simulated world
can stand in for all four. The linter refuses every other use of them.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lute.seams.clock import Clock, SystemClock
from lute.seams.commands import CommandRunner, SystemCommands
from lute.seams.identity import IdentitySource, SystemIdentity
from lute.seams.kerberos import negotiate

if TYPE_CHECKING:
    import requests


def new_session() -> "requests.Session":
    """Return a session that talks to the network."""
    import requests  # here, because a Task's process needs the other seams only and starts faster without

    return requests.Session()


@dataclass(frozen=True)
class Runtime:
    """The four seams together, as handed to the code that needs them.

    Attributes:
        negotiate: a part of HTTP: the header that shows a server who the user is, by his Kerberos ticket.
    """

    clock: Clock = field(default_factory=SystemClock)
    commands: CommandRunner = field(default_factory=SystemCommands)
    new_session: Callable[[], "requests.Session"] = new_session
    identity: IdentitySource = field(default_factory=SystemIdentity)
    negotiate: Callable[[str, str | None], str] = negotiate


_new_runtime: Callable[[], Runtime] = Runtime


def current_runtime() -> Runtime:
    """Return the seams of the world that this process lives in: the real one, unless `installed` says so."""
    return _new_runtime()


@contextlib.contextmanager
def installed(new_runtime: Callable[[], Runtime]) -> Iterator[None]:
    """Let `current_runtime` return what `new_runtime` makes: a simulated world's seams."""
    global _new_runtime
    before, _new_runtime = _new_runtime, new_runtime
    try:
        yield
    finally:
        _new_runtime = before


__all__ = [
    "Clock",
    "CommandRunner",
    "IdentitySource",
    "Runtime",
    "SystemClock",
    "SystemCommands",
    "SystemIdentity",
    "current_runtime",
    "installed",
    "negotiate",
    "new_session",
]
