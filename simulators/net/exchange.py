"""One request on its way through the network."""

from dataclasses import dataclass, field
from enum import StrEnum

from simulators.net.messages import HttpReply, HttpRequest


class Failure(StrEnum):
    """How an exchange can fail below HTTP."""

    REFUSED = "refused"
    """Nobody listens: nothing was sent."""
    RESET = "reset"
    """The connection broke before a reply came."""
    TIMEOUT = "timeout"
    """No reply comes in time."""


@dataclass(slots=True)
class Exchange:
    """What becomes of one request; faults change it on its way.

    Attributes:
        client: name of the actor that asks; for an operator the task's label.
        number: of the exchanges of this world, from 1.
        arrives: whether the request reaches the server and has its effect.
        reply: the server's, once it has answered.
        failure: what the client gets instead of the reply.
        delay_s: by how much the reply comes later.
        faults: which faults of the plan act on it.
    """

    client: str
    endpoint: str
    request: HttpRequest
    number: int
    arrives: bool = True
    reply: HttpReply | None = None
    failure: Failure | None = None
    delay_s: float = 0.0
    faults: list[int] = field(default_factory=list)
