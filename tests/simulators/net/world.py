"""A network with one server that notes what reaches it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from simulators.kernel.actors import Actor, Actors
from simulators.kernel.events import Agenda
from simulators.kernel.trace import Trace
from simulators.net.exchange import Exchange
from simulators.net.messages import HttpReply, HttpRequest, json_reply
from simulators.net.network import Latency, Network

HOST = "server.virtual:8446"
URL = f"http://{HOST}/jid/ws"


@dataclass
class Recorder:
    """A server that answers the same to everything."""

    reply: HttpReply = field(default_factory=lambda: json_reply(200, {"success": True}))
    seen: list[HttpRequest] = field(default_factory=list)

    def endpoint(self, request: HttpRequest) -> str:
        return "test.thing"

    def handle(self, request: HttpRequest) -> HttpReply:
        self.seen.append(request)
        return self.reply


class Meddling:
    """Does to every exchange what a test says."""

    def __init__(
        self,
        before: Callable[[Exchange], object] = lambda _: None,
        after: Callable[[Exchange], object] = lambda _: None,
    ) -> None:
        self._before, self._after = before, after

    def before(self, exchange: Exchange) -> None:
        exchange.faults.append(0)
        self._before(exchange)

    def after(self, exchange: Exchange) -> None:
        self._after(exchange)


class Net:
    """One agenda, its network, and the recorder at `HOST`."""

    def __init__(self, latency: Latency | None = None, seed: int = 1) -> None:
        self.agenda = Agenda(1000.0)
        self.actors = Actors(self.agenda)
        self.trace = Trace()
        self.network = Network(self.actors, self.trace, Random(seed), latency)
        self.server = Recorder()
        self.network.serve(HOST, self.server)

    @property
    def passed_s(self) -> float:
        return self.agenda.now_s - 1000.0

    def spawn(self, run: Callable[[], object], name: str = "client") -> Actor:
        return self.actors.spawn(name, run)
