"""Replies of the JID that are well-formed and wrong: unknown words, empty lists, old news."""

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from simulators.faults.model import Direction, ExchangeFault, fault
from simulators.net.exchange import Exchange
from simulators.net.messages import HttpReply, json_reply

if TYPE_CHECKING:
    from simulators.facility import Facility

_STATUSES = ("jid.job_statuses",)


def _changed(exchange: Exchange, change: dict[str, Any]) -> bool:
    """Overwrite fields of every document in a reply."""
    reply = exchange.reply
    if reply is None or reply.status != 200:
        return False
    try:
        answer = json.loads(reply.body)
    except ValueError:  # another fault has been at it
        return False
    if not isinstance(answer, dict):
        return False
    value = answer.get("value")
    for document in value if isinstance(value, list) else [value]:
        if isinstance(document, dict):
            document.update(change)
    exchange.reply = json_reply(200, answer, took_s=reply.took_s)
    return True


@fault("status_word")
class StatusWord(ExchangeFault):
    """The status is a word that no client knows, such as one of Slurm's own."""

    places: ClassVar = _STATUSES
    what: Literal["status_word"]
    word: str = "PENDING"

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Replace the status."""
        return _changed(exchange, {"status": self.word})


@fault("empty_list")
class EmptyList(ExchangeFault):
    """The JID knows nothing of the job: an empty list where its status should be."""

    places: ClassVar = _STATUSES
    what: Literal["empty_list"]

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Empty the list."""
        exchange.reply = json_reply(200, {"success": True, "value": []})
        return True


@fault("stale_status")
class StaleStatus(ExchangeFault):
    """The status is an old one: SUBMITTED, as right after the submission, whatever the job does."""

    places: ClassVar = _STATUSES
    what: Literal["stale_status"]

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Say SUBMITTED."""
        return _changed(exchange, {"status": "SUBMITTED"})


@fault("refusal")
class Refusal(ExchangeFault):
    """The JID says `success: false`, as while Slurm does not answer it."""

    places: ClassVar = ("jid.*",)
    what: Literal["refusal"]
    message: str = "Slurm does not answer: Socket timed out on send/recv operation"
    direction: Direction = Direction.BEFORE
    """`after`: the request had its effect all the same."""

    def before(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Answer without doing anything."""
        if self.direction is Direction.AFTER:
            return False
        exchange.arrives, exchange.reply = False, self._reply()
        return True

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Replace the service's reply."""
        exchange.reply = self._reply()
        return True

    def _reply(self) -> HttpReply:
        return json_reply(200, {"success": False, "errormsg": self.message, "value": None})


@fault("duplicate")
class Duplicate(ExchangeFault):
    """The request arrives twice: a proxy repeats it after a broken connection."""

    places: ClassVar = ("jid.*", "airflow.*")
    what: Literal["duplicate"]

    def after(self, exchange: Exchange, world: "Facility") -> bool:
        """Deliver it once more; the client sees the second reply."""
        exchange.reply = world.network.deliver(exchange)
        return True
