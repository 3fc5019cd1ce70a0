"""Connections that fail: refused, broken, silent."""

from typing import TYPE_CHECKING, ClassVar, Literal

from simulators.faults.model import Direction, ExchangeFault, fault
from simulators.net.exchange import Exchange, Failure

if TYPE_CHECKING:
    from simulators.facility import Facility

EVERYWHERE = ("jid.*", "airflow.*", "elog.*")


@fault("refused")
class Refused(ExchangeFault):
    """Nobody listens: the service is down or restarting. Nothing was sent."""

    places: ClassVar = EVERYWHERE
    what: Literal["refused"]

    def before(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Refuse the connection."""
        exchange.failure, exchange.arrives = Failure.REFUSED, False
        return True


class _Broken(ExchangeFault):
    direction: Direction = Direction.AFTER
    """`after`: the request had its effect, the reply is lost."""
    failure: ClassVar[Failure]

    def before(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Lose the request."""
        if self.direction is Direction.AFTER:
            return False
        exchange.failure, exchange.arrives = self.failure, False
        return True

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Lose the reply."""
        exchange.failure = self.failure
        return True


@fault("reset")
class Reset(_Broken):
    """The connection breaks: a proxy or the service restarts in the middle."""

    places: ClassVar = EVERYWHERE
    what: Literal["reset"]
    failure: ClassVar = Failure.RESET


@fault("timeout")
class Timeout(_Broken):
    """No reply ever comes; the client gives up by its own time limit."""

    places: ClassVar = EVERYWHERE
    what: Literal["timeout"]
    failure: ClassVar = Failure.TIMEOUT


@fault("slow")
class Slow(ExchangeFault):
    """The reply comes late: the service is overloaded, or waits for Slurm."""

    places: ClassVar = EVERYWHERE
    what: Literal["slow"]
    delay_s: float = 20.0

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Delay the reply."""
        exchange.delay_s += self.delay_s
        return True
