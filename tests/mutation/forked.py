"""Doing something in a copy of this process, which may break it, hang or die."""

import contextlib
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import Any

_MEMORY = 6 << 30
"""A mutant that never stops to allocate must not take the machine with it."""


class Died(Exception):
    """The copy did not come to an end of its own."""


def forked(work: Callable[[], Any], limit_s: float) -> Any:
    """Return what `work` returns, which JSON must be able to tell.

    Raises:
        Died: it was killed after `limit_s` seconds, or died, or raised something.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _in_copy(work, write)
    os.close(write)
    text = _read_all(read, time.monotonic() + limit_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # what it has left behind, too
    os.waitpid(pid, 0)
    if not text:
        raise Died
    return json.loads(text)


def _in_copy(work: Callable[[], Any], write: int) -> None:
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        text = json.dumps(work())
        with os.fdopen(write, "w") as pipe:
            pipe.write(text)
    finally:
        os._exit(0)


def _read_all(read: int, end_s: float) -> str:
    """Return what comes until the other side closes, nothing if that takes too long."""
    parts = []
    with os.fdopen(read, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, end_s - time.monotonic()))
            if not ready:
                return ""
            part = pipe.read(1 << 20)
            if not part:
                return b"".join(parts).decode()
            parts.append(part)
