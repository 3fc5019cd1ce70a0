"""The network: carries requests to servers in virtual time and lets faults act on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from simulators.kernel.actors import Actors, Waker
from simulators.kernel.trace import Trace
from simulators.net.exchange import Exchange, Failure
from simulators.net.messages import HttpReply, HttpRequest, Server


@dataclass(frozen=True)
class Latency:
    """How long the ways and the work take, in seconds: each drawn anew between two bounds.

    Attributes:
        way_s: to the server and back, each.
        work_s: of an endpoint's server before its effect; endpoints that are not named take none.
    """

    way_s: tuple[float, float] = (0.002, 0.02)
    work_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Meddler(Protocol):
    """Acts on exchanges: the faults of a plan."""

    def before(self, exchange: Exchange) -> None:
        """Act on a request about to be sent."""

    def after(self, exchange: Exchange) -> None:
        """Act on a reply about to go back; only called if `before` put something into `exchange.faults`."""


class Unreachable(Exception):
    """No reply came.

    Args:
        failure: why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Network:
    """Knows the servers by host name.

    Args:
        draw: random numbers for the latencies.

    Attributes:
        delivering: the client whose request a server is answering right now; empty otherwise.
        meddler: what acts on each exchange before it is sent, and on its reply before it goes back: the
            faults.
    """

    def __init__(
        self,
        actors: Actors,
        trace: Trace,
        draw: Random,
        latency: Latency | None = None,
    ) -> None:
        self.exchanges = 0
        self.delivering = ""
        self.meddler: Meddler | None = None
        self._actors = actors
        self._agenda = actors.agenda
        self._trace = trace
        self._draw = draw
        self._latency = latency or Latency()
        self._work_s = dict(self._latency.work_s)
        self._servers: dict[str, Server] = {}

    def serve(self, host: str, server: Server) -> None:
        """Let `server` answer for `host`."""
        self._servers[host] = server

    def exchange(self, request: HttpRequest, *, host: str, connect_s: float, read_s: float) -> HttpReply:
        """Send a request and wait for its reply.

        Args:
            connect_s, read_s: the client's limits.

        Raises:
            Unreachable: none came.
        """
        actor = self._actors.current
        client = actor.name if actor is not None else "hub"
        server = self._servers.get(host)
        self.exchanges += 1
        if server is None:
            exchange = Exchange(client, f"{host}.?", request, self.exchanges, failure=Failure.REFUSED)
        else:
            exchange = Exchange(client, server.endpoint(request), request, self.exchanges)
            if self.meddler is not None:
                self.meddler.before(exchange)
        sent_s = self._agenda.now_s
        deadline_s = sent_s + connect_s + read_s
        waker = self._actors.waker()
        if exchange.arrives and server is not None and exchange.failure is not Failure.REFUSED:
            work_s = self._work_s.get(exchange.endpoint)
            delay_s = self._way_s() + (self._draw.uniform(*work_s) if work_s else 0.0)
            self._agenda.after(delay_s, lambda: self._arrive(exchange, server, waker, deadline_s))
            if sent_s + delay_s > deadline_s:
                self._wake(exchange, waker, deadline_s, deadline_s)
        else:
            silent = exchange.failure is Failure.TIMEOUT
            answer_s = deadline_s if silent else sent_s + self._way_s() + exchange.delay_s
            self._wake(exchange, waker, answer_s, deadline_s)
        self._actors.wait(waker)
        self._note(exchange, sent_s)
        if exchange.failure is not None or exchange.reply is None:
            raise Unreachable(exchange.failure or Failure.RESET)
        return exchange.reply

    def deliver(self, exchange: Exchange) -> HttpReply:
        """Let a request arrive once more, and return the reply."""
        return self._answer(self._servers[exchange.request.host], exchange)

    def _arrive(self, exchange: Exchange, server: Server, waker: Waker, deadline_s: float) -> None:
        exchange.reply = self._answer(server, exchange)
        if exchange.faults and self.meddler is not None:
            self.meddler.after(exchange)
        if waker.is_awake:
            return  # the client has given up
        delay_s = exchange.reply.took_s + self._way_s() + exchange.delay_s
        silent = exchange.failure is Failure.TIMEOUT
        answer_s = deadline_s if silent else self._agenda.now_s + delay_s
        self._wake(exchange, waker, answer_s, deadline_s)

    def _wake(self, exchange: Exchange, waker: Waker, answer_s: float, deadline_s: float) -> None:
        """Let the client go on with the answer, or at its deadline without one."""
        if answer_s < deadline_s:
            self._agenda.at(answer_s, waker.wake)
            return

        def give_up() -> None:
            exchange.failure = Failure.TIMEOUT
            waker.wake()

        self._agenda.at(max(deadline_s, self._agenda.now_s), give_up)

    def _answer(self, server: Server, exchange: Exchange) -> HttpReply:
        self.delivering = exchange.client
        try:
            return server.handle(exchange.request)
        finally:
            self.delivering = ""

    def _way_s(self) -> float:
        low_s, high_s = self._latency.way_s
        return low_s + (high_s - low_s) * self._draw.random()

    def _note(self, exchange: Exchange, sent_s: float) -> None:
        failed = exchange.failure
        status = exchange.reply.status if exchange.reply is not None and failed is None else None
        self._trace.note(
            self._agenda.now_s,
            exchange.client,
            "http",
            endpoint=exchange.endpoint,
            status=status,
            failure=failed,
            sent_s=round(sent_s, 6),
        )
