"""Free ports of 127.0.0.1."""

import random
import socket

from simulators.serve.components import StackError

_PORTS = range(10_000, 32_000)
"""Below what Linux gives to outgoing connections, which could otherwise take the port of a stopped daemon."""
_TRIES = 1000


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses; drawn, so that two clusters that start together hardly ever meet.

    Raises:
        StackError: there are not that many.
    """
    draw = random.SystemRandom()
    found: list[int] = []
    for _ in range(_TRIES):
        if len(found) == count:
            return found
        port = draw.choice(_PORTS)
        if port not in found and _is_free(port):
            found.append(port)
    raise StackError(f"there are no {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
