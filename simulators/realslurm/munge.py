"""Munge, by which the daemons and commands of one cluster know each other: its key and its daemon."""

import os
import secrets
from pathlib import Path

from simulators.realslurm.layout import Layout

_KEY_BYTES = 128


def munged(layout: Layout) -> list[str]:
    """Return the command line of the daemon, which needs no rights of root (tried)."""
    return [
        "munged",
        "--foreground",
        "--force",  # it would rather have a socket that every user can reach
        "--origin=127.0.0.1",
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.pid_file('munged')}",
        f"--seed-file={layout.folder}/munge.seed",
    ]


def write_key(path: Path) -> None:
    """Write a new key that only this user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
