"""The record of a run: what happened, when and to whom, as JSON lines; equal runs have equal digests."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Trace:
    """Notes events and keeps their digest.

    Args:
        write: takes each line with its line end, for example a file's `write`.

    Attributes:
        entries: all events so far; each is what its line holds.
        length: how many there are.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self.entries: list[dict[str, Any]] = []
        self._write = write
        self._hash = hashlib.sha256()
        self._hashed = 0

    def note(self, time_s: float, actor: str, event: str, **fields: object) -> None:
        """Add an event.

        Nothing in `fields` may change afterwards.

        Args:
            time_s: when, in seconds of the run's agenda.
            actor: who (`slurm`, `jid`, `launcher`).
            event: what (`job_start`).
            fields: values that JSON can hold.
        """
        entry = {"t": round(time_s, 6), "actor": actor, "event": event, **fields}
        self.entries.append(entry)
        if self._write is not None:
            self._write(line_of(entry))

    @property
    def length(self) -> int:
        """How many events there are."""
        return len(self.entries)

    @property
    def digest(self) -> str:
        """The SHA-256 of all lines so far, in hexadecimal; worked out when somebody asks."""
        new = self.entries[self._hashed :]
        self._hash.update("".join(map(line_of, new)).encode())
        self._hashed += len(new)
        return self._hash.hexdigest()


def line_of(entry: dict[str, Any]) -> str:
    """Return an event as a line of JSON, with its line end."""
    return _encode(entry) + "\n"
