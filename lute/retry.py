"""Asking again after transient errors: exponential back-off with jitter, up to a deadline."""

import tenacity

from lute.errors import TransientError
from lute.seams import Runtime

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0


def retrying(runtime: Runtime, limit_s: float) -> tenacity.Retrying:
    """Return a retrier of callables that raise `TransientError`.

    Waits double from 0.5 s to 30 s, each shortened by up to a half so that many clients do not come
    back at the same moment. After `limit_s` seconds the last error is raised.
    """
    started = runtime.clock.monotonic()

    def wait(state: tenacity.RetryCallState) -> float:
        jitter = (runtime.identity.uuid().int % 1000) / 2000
        return float(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (state.attempt_number - 1)) * (1 - jitter))

    def stop(state: tenacity.RetryCallState) -> bool:
        return runtime.clock.monotonic() - started + state.upcoming_sleep > limit_s

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=wait,
        stop=stop,
        sleep=runtime.clock.sleep,
        reraise=True,
    )
