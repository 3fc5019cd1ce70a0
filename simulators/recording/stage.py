"""What the two recorded services share: the names, the clock, what went wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from simulators.net.exchange import Exchange as NetExchange
from simulators.net.exchange import Failure
from simulators.net.messages import HttpReply, HttpRequest
from simulators.recording.body import decode_body, encode_body
from simulators.recording.divergence import Diverged, Divergence
from simulators.recording.forms import Form, form_of
from simulators.recording.ledger import Ledger
from simulators.recording.model import Exchange, Service
from simulators.recording.names import Names
from simulators.recording.reader import Recording
from simulators.recording.scrub import Scrubber
from simulators.recording.walk import map_strings

_FAILURES = {
    # The proxy had taken the request by the time that it was refused: the client saw a broken connection.
    "refused": Failure.RESET,
    "reset": Failure.RESET,
    "timeout": Failure.TIMEOUT,
}


@dataclass
class Stage:
    """The state of a play. It acts on the network as a fault does: it breaks what was broken then.

    Attributes:
        now_s: tells the virtual time.
        divergences: where the run has left the recording.
        failure: what the client gets instead of the reply that was given last.
    """

    now_s: Callable[[], float]
    names: Names = field(default_factory=Names)
    scrub: Scrubber = field(default_factory=Scrubber)
    divergences: list[Divergence] = field(default_factory=list)
    failure: Failure | None = None

    def before(self, exchange: NetExchange) -> None:
        """Ask to be called again with the reply."""
        exchange.faults.append(0)

    def after(self, exchange: NetExchange) -> None:
        """Break the connection instead of sending the reply, if that was recorded."""
        exchange.failure = self.failure


class RecordedService(ABC):
    """Answers from a recording; see `simulators.net.messages.Server`.

    Args:
        base: the path of the service's address.
    """

    def __init__(self, service: Service, recording: Recording, stage: Stage, base: str) -> None:
        self._service = service
        self._base = base
        self.stage = stage
        self.ledger = Ledger(recording.file, recording.of(service), stage.names.of_recorded)

    @abstractmethod
    def endpoint(self, request: HttpRequest) -> str:
        """Return the name of what is asked."""

    @abstractmethod
    def answer(self, request: HttpRequest, body: Any) -> HttpReply:
        """Answer a request.

        Args:
            body: the JSON of its body, without secrets.

        Raises:
            Diverged: the recording has no answer to it.
        """

    def handle(self, request: HttpRequest) -> HttpReply:
        """Answer; what the recording has no answer to ends the play."""
        self.stage.failure = None
        scrub = self.stage.scrub
        scrub.learn_from_headers(request.headers.items())
        body = encode_body(request.body, scrub) or {}
        try:
            return self.answer(request, body.get("json", body.get("text")))
        except Diverged as diverged:
            self.stage.divergences.append(diverged.divergence)
            return HttpReply(500, b"not in the recording", "text/plain")

    def path_of(self, request: HttpRequest) -> str:
        """Return the path below the service's address, with the query, without secrets."""
        parts = urlsplit(request.url)
        query = f"?{parts.query}" if parts.query else ""
        return self.stage.scrub.text(parts.path.removeprefix(self._base) + query)

    def form(self, request: HttpRequest, body: Any) -> Form:
        """Return the form of a request of the present run."""
        given = request.headers.get("authorization")
        authorization = self.stage.scrub.authorization(given) if given else ""
        named = self.stage.names.of_present
        return form_of(self._service, request.method, self.path_of(request), authorization, body, named)

    def reply(self, exchange: Exchange) -> HttpReply:
        """Return a recorded reply with the present names, or what failed instead of it.

        Raises:
            Diverged: it was too large to be recorded.
        """
        self.stage.failure = _FAILURES.get(exchange.failure or "")
        if exchange.reply and "omitted" in exchange.reply:
            what = "its reply was too large to be recorded"
            raise Diverged(Divergence(self.ledger.file, exchange.line, what))
        body = exchange.reply
        if body and "base64" not in body:
            body = map_strings(body, self.stage.names.to_present)
        headers = dict(exchange.reply_headers)
        return HttpReply(
            exchange.status or 0,
            decode_body(body),
            headers.pop("content-type", ""),
            headers,
            took_s=max(0.0, exchange.replied_s - exchange.sent_s),
        )


def same_reply(one: Exchange, other: Exchange) -> bool:
    """Return whether two exchanges ended the same way."""
    return (one.status, one.failure, one.reply) == (other.status, other.failure, other.reply)
