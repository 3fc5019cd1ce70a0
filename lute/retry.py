"""Asking again after transient errors: exponential back-off with jitter, up to a deadline."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from lute.errors import TransientError
from lute.seams import Runtime

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0

P = ParamSpec("P")
T = TypeVar("T")


def retrying(
    runtime: Runtime,
    limit_s: float | Callable[[TransientError], float],
    ask: Callable[P, T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call `ask` until it raises no `TransientError`, and return what it returns.

    Waits double from 0.5 s to 30 s, each shortened by up to a half so that many clients do not come
    back at the same moment.

    Args:
        limit_s: seconds, or what tells them for an error.

    Raises:
        TransientError: the last one, once the next wait would end after `limit_s` seconds.
    """
    started_s = runtime.clock.monotonic()
    longest_s = _FIRST_WAIT_S
    while True:
        try:
            return ask(*args, **kwargs)
        except TransientError as error:
            patience_s = limit_s(error) if callable(limit_s) else limit_s
            jitter = (runtime.identity.uuid().int % 1000) / 2000
            wait_s = longest_s * (1 - jitter)
            if runtime.clock.monotonic() - started_s + wait_s > patience_s:
                raise
        runtime.clock.sleep(wait_s)
        longest_s = min(_LONGEST_WAIT_S, longest_s * 2)
