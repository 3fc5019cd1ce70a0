"""HTTP errors: of the service itself, or of a proxy before it."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.connection import EVERYWHERE
from simulators.faults.model import Direction, ExchangeFault, fault
from simulators.net.exchange import Exchange
from simulators.net.messages import HttpReply

if TYPE_CHECKING:
    from simulators.facility import Facility

_PAGE = b"<html><head><title>%d</title></head><body><center><h1>%d %s</h1></center></body></html>"


@fault("http_error")
class HttpError(ExchangeFault):
    """A reply with an error status; its body is a proxy's page of HTML, JSON, or nothing."""

    places: ClassVar = EVERYWHERE
    what: Literal["http_error"]
    status: int = Field(default=502, ge=300, le=599)
    body: Literal["html", "json", "empty"] = "html"
    direction: Direction = Direction.BEFORE
    """`after`: the request had its effect all the same."""

    def before(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Answer in the service's place."""
        if self.direction is Direction.AFTER:
            return False
        exchange.arrives, exchange.reply = False, self._reply()
        return True

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Replace the service's reply."""
        exchange.reply = self._reply()
        return True

    def _reply(self) -> HttpReply:
        if self.body == "html":
            return HttpReply(self.status, _PAGE % (self.status, self.status, b"Error"), "text/html")
        body = b'{"error": "simulated"}' if self.body == "json" else b""
        return HttpReply(self.status, body)
