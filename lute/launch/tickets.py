"""The launcher's own Kerberos tickets."""

import contextlib
from collections.abc import Callable, Iterator

from lute.arp.kerberos import TicketCopy
from lute.errors import ConfigError
from lute.launch.process import Process


@contextlib.contextmanager
def own_tickets(process: Process, say: Callable[[str], None]) -> Iterator[TicketCopy | None]:
    """Lend a copy of the user's tickets, None if there are none, and remove it at the end."""
    try:
        copy = process.copy_tickets(process.env, process.runtime)
    except ConfigError as error:  # many workflows need none
        say(f"WARNING: {error}")
        copy = None
    try:
        yield copy
    finally:
        if copy is not None:
            copy.remove()
