"""The four seams: the only ways in which production touches the world.

Time, commands, HTTP and identity each go through one small object, so that a simulated world
can stand in for all four. The linter refuses every other use of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lute.seams.clock import Clock, SystemClock
from lute.seams.commands import CommandRunner, SystemCommands
from lute.seams.identity import IdentitySource, SystemIdentity

if TYPE_CHECKING:
    import requests


def new_session() -> "requests.Session":
    """Return a session that talks to the network."""
    import requests  # here, because a Task's process needs the other seams only and starts faster without

    return requests.Session()


@dataclass(frozen=True)
class Runtime:
    """The four seams together, as handed to the code that needs them."""

    clock: Clock = field(default_factory=SystemClock)
    commands: CommandRunner = field(default_factory=SystemCommands)
    new_session: Callable[[], "requests.Session"] = new_session
    identity: IdentitySource = field(default_factory=SystemIdentity)


__all__ = [
    "Clock",
    "CommandRunner",
    "IdentitySource",
    "Runtime",
    "SystemClock",
    "SystemCommands",
    "SystemIdentity",
    "new_session",
]
