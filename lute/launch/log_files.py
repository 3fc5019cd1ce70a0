"""The logs of jobs, as files that this computer may see."""

import stat
from pathlib import Path
from typing import Protocol


class LogFiles(Protocol):
    """Whoever reads files."""

    def size(self, path: str) -> int | None:
        """Return the size of a file in bytes, None if there is no such file, or it cannot be read."""

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Return a part of a file; nothing at its end, or if it has gone."""


class SystemLogFiles:
    """The files of this computer."""

    def size(self, path: str) -> int | None:
        """Return a file's size; see `LogFiles.size`."""
        try:
            found = Path(path).stat()
        except (OSError, ValueError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def read(self, path: str, offset: int, length: int) -> bytes:
        """Read a part; see `LogFiles.read`."""
        try:
            with Path(path).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError:
            return b""
