"""The record of a run: what happened, when and to whom, as JSON lines; equal runs have equal digests."""

import hashlib
import json
from collections.abc import Callable


class Trace:
    """Notes events and keeps their digest.

    Args:
        write: takes each line with its line end, for example a file's `write`; None keeps the digest only.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write
        self._hash = hashlib.sha256()
        self.length = 0

    def note(self, time_s: float, actor: str, event: str, **fields: object) -> None:
        """Add an event.

        Args:
            time_s: when, in seconds of the run's agenda.
            actor: who (`slurm`, `jid`, `launcher`).
            event: what (`job_start`).
            fields: values that JSON can hold.
        """
        entry = {"t": round(time_s, 6), "actor": actor, "event": event, **fields}
        line = json.dumps(entry, sort_keys=True, separators=(",", ":")) + "\n"
        self._hash.update(line.encode())
        self.length += 1
        if self._write is not None:
            self._write(line)

    @property
    def digest(self) -> str:
        """The SHA-256 of all lines so far, in hexadecimal."""
        return self._hash.hexdigest()
