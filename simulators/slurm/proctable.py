"""The processes of this computer, read from /proc: the fake's stand-in for Slurm's process tracking."""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def in_session(session: int) -> list[int]:
    """Return the living processes of a session."""
    return [pid for pid, state, owner in _stats() if owner == session and state not in "ZX"]


def with_environment(*markers: str, without: Collection[str] = ()) -> list[int]:
    """Return the living processes, except this one, that were started with all `markers` (`NAME=value`).

    Args:
        without: leave out those that were started with one of these.
    """
    wanted = [marker.encode(errors="surrogateescape") for marker in markers]
    unwanted = {marker.encode(errors="surrogateescape") for marker in without}
    found = []
    for pid, state, _ in _stats():
        if state in "ZX" or pid == os.getpid():
            continue
        with suppress(OSError):
            variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
            if all(marker in variables for marker in wanted) and not unwanted & set(variables):
                found.append(pid)
    return found


def send(pids: Iterable[int], signal_number: int) -> None:
    """Send a signal to those processes that still exist."""
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal_number)


def _stats() -> Iterator[tuple[int, str, int]]:
    """Yield process id, state letter and session of every process."""
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # the name, in parentheses, may hold anything: count the fields behind it
                fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                yield int(folder.name), fields[0].decode(), int(fields[3])
