"""One request to the REST API on its way through the service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.dagrunner.rest.routes import Route
from simulators.net.messages import HttpReply, HttpRequest


@dataclass(slots=True)
class Call:
    """A request that may do what it asks for.

    Attributes:
        user: who asks; empty where no login is needed.
        body: what it holds: a JSON object (v1) or a model (v2), None where the call takes none.
    """

    request: HttpRequest
    route: Route
    user: str = ""
    body: Any = None

    @property
    def params(self) -> tuple[str, ...]:
        """What the path names."""
        return self.route.params

    @property
    def map_index(self) -> str | None:
        """The map index in the path of a task instance, None if there is none."""
        return self.route.params[3] if len(self.route.params) > 3 else None


Work = Callable[[Call], HttpReply]
"""What answers one kind of call."""
