"""The four seams: the only ways in which production touches the world.

Time, commands, HTTP and identity each go through one small object, so that a simulated world
can stand in for all four. The linter refuses every other use of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from lute.seams.clock import Clock, SystemClock
from lute.seams.commands import CommandRunner, SystemCommands
from lute.seams.http import new_session
from lute.seams.identity import IdentitySource, SystemIdentity


@dataclass(frozen=True)
class Runtime:
    """The four seams together, as handed to the code that needs them."""

    clock: Clock = field(default_factory=SystemClock)
    commands: CommandRunner = field(default_factory=SystemCommands)
    new_session: Callable[[], requests.Session] = new_session
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
