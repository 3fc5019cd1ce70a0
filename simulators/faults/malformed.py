"""Replies with status 200 that are no answer."""

from typing import TYPE_CHECKING, ClassVar, Literal

from simulators.faults.connection import EVERYWHERE
from simulators.faults.model import ExchangeFault, fault
from simulators.net.exchange import Exchange
from simulators.net.messages import HttpReply

if TYPE_CHECKING:
    from simulators.facility import Facility

_BODIES = {
    "html": b"<!DOCTYPE html><html><body>Please log in</body></html>",
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "not_utf8": b'{"success": true, "value": "\xff\xfe"}',
    "no_value": b'{"success": true}',
    "wrong_types": b'{"success": "yes", "value": 7}',
}


@fault("malformed")
class Malformed(ExchangeFault):
    """The body is something else than the service's: a log-in page, half a document, nothing."""

    places: ClassVar = EVERYWHERE
    what: Literal["malformed"]
    body: Literal["html", "empty", "null", "list", "not_utf8", "no_value", "wrong_types", "truncated"] = (
        "html"
    )

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Replace the body; the request had its effect."""
        body = exchange.reply.body if exchange.reply is not None else b""
        broken = body[: len(body) // 2] if self.body == "truncated" else _BODIES[self.body]
        kind = "text/html" if self.body == "html" else "application/json"
        exchange.reply = HttpReply(200, broken, kind)
        return True
