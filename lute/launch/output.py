"""What the launcher prints: plain lines, at once, fit for a batch log."""

from collections.abc import Callable

from lute.redact import redact
from lute.seams import Clock


class Output:
    """What the user reads.

    Args:
        write: writes a line, at once.
    """

    def __init__(self, clock: Clock, write: Callable[[str], None]) -> None:
        self._clock = clock
        self._write_line = write

    def news(self, text: str) -> None:
        """Print one line with the time of day before it."""
        stamp = self._clock.now().astimezone().strftime("%H:%M:%S")
        self._write(f"{stamp} {text}")

    def line(self, text: str) -> None:
        """Print one line as it is."""
        self._write(text)

    def log(self, title: str, text: str) -> None:
        """Print a step's log under its title."""
        self.news(title)
        shown = text.rstrip() or "(the log is empty)"
        self._write(f"{'-' * 20} log {'-' * 20}\n{shown}\n{'-' * 17} end of log {'-' * 17}")

    def _write(self, text: str) -> None:
        self._write_line(redact(text))
