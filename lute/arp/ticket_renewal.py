"""Keeping the Kerberos ticket of a run valid while the run goes on."""

from collections.abc import Callable

from lute.arp.kerberos import TicketCopy
from lute.arp.lease import Lease, in_words
from lute.errors import ConfigError, LuteError
from lute.seams import Runtime


class TicketKeeper:
    """Renews the ticket in a run's own cache by `kinit -R`, as long as Kerberos allows.

    Args:
        fraction: the ticket is renewed once this fraction of its lifetime has passed.
        say: tells the user something.
    """

    def __init__(
        self, tickets: TicketCopy, runtime: Runtime, fraction: float, say: Callable[[str], None]
    ) -> None:
        self._tickets = tickets
        self._runtime = runtime
        self._fraction = fraction
        self._say = say
        self._has_warned = False
        self._lease: Lease | None = None

    @property
    def cache(self) -> str:
        """The name of the cache, as KRB5CCNAME takes it."""
        return self._tickets.name

    def start(self) -> None:
        """Say for how long tokens can be got with the ticket."""
        ticket = self._tickets.ticket()
        if ticket is None:
            return
        now_s = self._now_s()
        self._renewed(ticket.ends_s)
        until_s = ticket.renewable_until_s if ticket.can_be_renewed_at(now_s) else ticket.ends_s
        if until_s > now_s:
            self._say(f"The Kerberos ticket gives tokens for {in_words(until_s - now_s)} from now")

    def keep(self) -> None:
        """Renew the ticket if it is time. To be called every few seconds; never raises."""
        now_s = self._now_s()
        if self._lease is None or now_s < self._lease.due_s:
            return
        try:
            self._renewed(self._renewal(self._lease, now_s))
        except LuteError as error:
            self._lease.postpone(now_s)
            if not self._has_warned:
                self._say(f"WARNING: {error}")
            self._has_warned = True
        else:
            self._has_warned = False

    def _renewal(self, lease: Lease, now_s: float) -> float:
        """Return when a newer ticket ends: the user may have run kinit for it meanwhile.

        Raises:
            ConfigError: there is none.
        """
        ticket = self._tickets.ticket()
        if ticket is not None and ticket.ends_s > lease.ends_s:
            return ticket.ends_s
        if ticket is not None and ticket.can_be_renewed_at(now_s):
            return self._tickets.renew(self._runtime).ends_s
        left_s = lease.ends_s - now_s
        raise ConfigError(
            "the Kerberos ticket, which gives the tokens, "
            + (f"ends in {in_words(left_s)} and cannot be renewed" if left_s > 0 else "has expired"),
            next_step=f"run `kinit -c {self.cache}` to give this run a new one",
        )

    def _renewed(self, ends_s: float) -> None:
        self._lease = Lease.of(ends_s, self._now_s(), self._fraction)

    def _now_s(self) -> float:
        return self._runtime.clock.now().timestamp()
