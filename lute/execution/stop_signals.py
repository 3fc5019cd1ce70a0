"""The signals by which others ask LUTE to stop."""

import signal
from types import FrameType, TracebackType
from typing import Any

_NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""scancel and Slurm's time limit; Ctrl-C; a terminal that closes."""


class StopSignals:
    """Notes these signals while it is entered, in place of what they would do.

    Meanwhile children that end are waited for as usual, even if LUTE was started with SIGCHLD ignored:
    their exit codes would be lost.

    Attributes:
        received: the first of them, None as long as there was none.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in _NUMBERS:
            # Who starts LUTE with a signal ignored, as nohup does, wants it to have no effect.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number)
