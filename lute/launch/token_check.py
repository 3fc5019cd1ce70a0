"""Looking whether a launch would have a token that lasts."""

from collections.abc import Callable

from lute.arp.token import fetch_token, token_experiment, token_expiry
from lute.errors import LuteError
from lute.jid.documents import RunConf
from lute.launch.process import Process
from lute.launch.table import duration
from lute.launch.tickets import own_tickets
from lute.settings import Settings

_SOON_S = 600.0
"""A token that expires within so many seconds is none to start with."""
_SAYS_NOTHING = "does not say when it expires: is it one? The JID will tell"


def check_token(conf: RunConf, process: Process, settings: Settings, say: Callable[[str], None]) -> list[str]:
    """Tell of the token that a launch would have, and return what is wrong with it, each in words.

    Where a launch would ask the eLog for a new one, so does this, with a copy of the user's Kerberos ticket.
    """
    given = conf.authorization
    left_s = _left_s(given, process)
    trouble = _trouble(given, left_s)
    problems = _of_another(given, conf.experiment)
    if not trouble:
        how = f"is good for {duration(left_s)}" if left_s else _SAYS_NOTHING
        say(f"The token {how}")
    is_none = not given or (left_s is not None and left_s <= 0)
    if not is_none and settings.jid.token_channel == "conf":  # noqa: S105 - no password
        return problems + [f"{trouble}: launch from the eLog again, or get a new one"] * bool(trouble)
    try:
        fresh_s = _left_s(_fetched(conf.experiment, process, settings, say), process)
    except LuteError as error:
        if trouble:
            return [*problems, f"{trouble}, and there is no new one: {error}".replace("\n", "\n  ")]
        say(f"WARNING: the token cannot be renewed: {error}")
    else:
        say("Your Kerberos ticket gives a token" + (f", good for {duration(fresh_s)}" if fresh_s else ""))
    return problems


def _trouble(given: str, left_s: float | None) -> str:
    """Return why a token is none to start with; empty if it is one."""
    if not given:
        return "the environment has no token"
    if left_s is None or left_s >= _SOON_S:
        return ""
    return "the token has expired" if left_s <= 0 else f"the token expires in {duration(left_s)}"


def _of_another(given: str, experiment: str) -> list[str]:
    whose = token_experiment(given)
    if whose in (None, experiment):
        return []
    return [f"the token is for experiment {whose}, not {experiment}: the JID will refuse it"]


def _left_s(authorization: str, process: Process) -> float | None:
    """Return how long a token lasts from now, in seconds; None if there is none or it does not say so."""
    expiry_s = token_expiry(authorization)
    return None if expiry_s is None else expiry_s - process.runtime.clock.now().timestamp()


def _fetched(experiment: str, process: Process, settings: Settings, say: Callable[[str], None]) -> str:
    with own_tickets(process, say) as tickets:
        return fetch_token(experiment, settings, process.runtime, tickets.name if tickets else None)
