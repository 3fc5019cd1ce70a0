"""Keeping the token of a run valid while the run goes on."""

from collections.abc import Callable
from typing import Protocol

from lute.arp.kerberos import TicketCopy
from lute.arp.lease import Lease, in_words
from lute.arp.ticket_renewal import TicketKeeper
from lute.arp.token import fetch_token, token_expiry
from lute.errors import ConfigError, LuteError
from lute.seams import Runtime
from lute.settings import Settings

VARIABLE = "variable:"
"""How a conf's Authorization begins that holds no token, and names an Airflow Variable with one."""


class Variables(Protocol):
    """What the keeper wants of Airflow; see `lute.airflow_api.client.AirflowClient`."""

    def set_variable(self, key: str, value: str) -> None:
        """Create or change a Variable."""

    def delete_variable(self, key: str) -> None:
        """Delete a Variable."""


class TokenKeeper:
    """The token of one run: hands it out, and puts a new one in its place in time.

    With `token_channel = "conf"` the run's conf holds the token, which nothing can change. With `"variable"`
    the conf names an Airflow Variable, which `start` creates, `keep` gives new tokens, `close` removes.

    Args:
        given: `Bearer <token>` from the ARP, empty if there is none.
        run_id: the DAG run's, of which the Variable has its name.
        tickets: the run's own Kerberos tickets; None leaves Kerberos to find the user's.
        say: tells the user something.
    """

    def __init__(
        self,
        given: str,
        *,
        experiment: str,
        run_id: str,
        settings: Settings,
        runtime: Runtime,
        airflow: Variables,
        tickets: TicketCopy | None,
        say: Callable[[str], None],
    ) -> None:
        self._given = self._authorization = given
        self._experiment = experiment
        self._settings = settings
        self._runtime = runtime
        self._airflow = airflow
        self._say = say
        fraction = settings.elog.token_renewal_fraction
        self._tickets = TicketKeeper(tickets, runtime, fraction, say) if tickets else None
        has_variable = settings.jid.token_channel == "variable"  # noqa: S105 - no password
        self._variable = f"lute_token_{run_id}" if has_variable else ""
        self._lease = Lease(0.0, 0.0)
        self._may_be_stored = False
        self._told: set[str] = set()

    @property
    def authorization(self) -> str:
        """`Bearer <token>`, as it is now. Secret."""
        return self._authorization

    @property
    def conf_value(self) -> str:
        """What the run's conf has as Authorization: the token, or `variable:<name>`."""
        return f"{VARIABLE}{self._variable}" if self._variable else self._authorization

    @property
    def remaining_s(self) -> float:
        """How long the token lasts from now, in seconds; negative once it has expired."""
        return self._lease.ends_s - self._now_s()

    def start(self) -> None:
        """Get a token if need be, and store it where the run's operators look for it.

        Raises:
            LuteError: there is no valid token, or Airflow does not take it.
        """
        if self._given:
            self._take(self._given)
        if self._variable or self.remaining_s <= 0:
            self._fetch_first()
        if self._variable:
            self._store(self._authorization)
            if self._tickets is not None:
                self._tickets.start()
        elif token_expiry(self._authorization) is not None:
            self._say(f"The token lasts {in_words(self.remaining_s)}; steps that are not done then fail")

    def resume(self) -> None:
        """Take over the token of a run that goes on already: what fails is told, and `keep` tries again.

        Only a token got just now takes the place of the one there, which may last longer than the one given.
        """
        if not self._variable:
            return
        self._may_be_stored = True
        if self._given:
            self._take(self._given)
        if self._tickets is not None:
            try:
                self._tickets.start()
            except LuteError as error:
                self._warn(error)
        self._renew()

    def keep(self) -> None:
        """Renew what is due. To be called every few seconds; never raises."""
        if not self._variable:
            return
        if self._tickets is not None:
            self._tickets.keep()
        if self._now_s() >= self._lease.due_s:
            self._renew()

    def close(self) -> None:
        """Remove the token from Airflow; never raises."""
        if not self._may_be_stored:
            return
        try:
            self._airflow.delete_variable(self._variable)
        except LuteError as error:
            self._say(f"WARNING: the Variable {self._variable} is still in Airflow, delete it: {error.what}")

    def _fetch_first(self) -> None:
        """Get a token that lasts longer than the one given; whether it works tells whether renewing would."""
        try:
            self._take(self._fetched())
        except LuteError as error:
            if self.remaining_s > 0:
                self._warn(error)
                return
            if not self._given:
                raise
            raise ConfigError(
                f"the token in Authorization has expired, and there is no new one: {error.what}",
                next_step=error.next_step,
            ) from error

    def _renew(self) -> None:
        try:
            authorization = self._fetched()
            self._store(authorization)
        except LuteError as error:
            self._lease.postpone(self._now_s())
            self._warn(error)
            return
        self._take(authorization)
        if self._told:
            self._say(f"The token has been renewed and lasts {in_words(self.remaining_s)}")
        self._told.clear()

    def _warn(self, error: LuteError) -> None:
        """Tell of a failure once, and once more when the token has expired."""
        left_s = self.remaining_s
        fate = f"lasts {in_words(left_s)} more" if left_s > 0 else "has expired, the JID refuses every step"
        if not self._authorization:
            fate = "is the one that the run's launcher before this one left"
        key = fate.partition(" ")[0]
        if key not in self._told:
            self._told.add(key)
            self._say(f"WARNING: the token could not be renewed and {fate}: {error}")

    def _store(self, authorization: str) -> None:
        self._may_be_stored = True  # even if the reply is lost
        self._airflow.set_variable(self._variable, authorization)

    def _fetched(self) -> str:
        cache = self._tickets.cache if self._tickets else None
        return fetch_token(self._experiment, self._settings, self._runtime, cache)

    def _take(self, authorization: str) -> None:
        self._authorization = authorization
        ends_s = token_expiry(authorization)
        if ends_s is None:  # it does not say
            ends_s = self._now_s() + self._settings.elog.token_lifetime_min * 60
        self._lease = Lease.of(ends_s, self._now_s(), self._settings.elog.token_renewal_fraction)

    def _now_s(self) -> float:
        return self._runtime.clock.now().timestamp()
