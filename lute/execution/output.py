"""The Executor's standard output: the Task's own output, unaltered, and LUTE's lines between."""

import os
import select
import threading
from queue import SimpleQueue
from typing import Self

_PIECE = 1 << 16
_PIPE_HOLDS = 1 << 20
"""A pipe holds no more bytes than this (Linux' limit for users)."""
_LOOK_EVERY_S = 0.05


class Output:
    """Writes to a file descriptor. LUTE's own lines always begin at the start of a line.

    A reader that has gone is no error: what is written is lost, and the Task goes on. Only one thread
    writes at a time: an OutputPump while it runs, else whoever calls.

    Args:
        fd: where to write.

    Attributes:
        is_pumped: True while an OutputPump runs: what is said then waits for it, so that a reader who
            stalls holds nobody else up.
    """

    def __init__(self, fd: int) -> None:
        self.is_pumped = False
        self._fd = fd
        self._said: SimpleQueue[bytes] = SimpleQueue()
        self._at_line_start = True
        self._is_lost = False

    def say(self, text: str) -> None:
        """Write a text as lines of its own; what cannot be encoded is escaped."""
        self._said.put(text.encode(errors="backslashreplace").removesuffix(b"\n") + b"\n")
        if not self.is_pumped:
            self.flush()

    def flush(self) -> None:
        """Write what has been said and still waits."""
        while not self._said.empty():
            lines = self._said.get()
            self.write(lines if self._at_line_start else b"\n" + lines)

    def write(self, data: bytes) -> None:
        """Write bytes as they are; return when all are written."""
        rest = memoryview(data)
        try:
            while rest and not self._is_lost:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            self._is_lost = True
        if data:
            self._at_line_start = data.endswith(b"\n")


class OutputPump:
    """Copies the Task's output, and writes LUTE's own lines, while the Task runs.

    Leaving its context copies what the Task has still written and stops, even if something else holds
    the pipe open.

    In a thread of its own: should the reader of our output stall, time limits and signals still count.

    Args:
        output: where to.

    Attributes:
        writing_end: what the Task's process gets as standard output and standard error: one pipe for
            both keeps their order.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._reading_end, self.writing_end = os.pipe()
        self._has_started = False
        self._task_has_ended = threading.Event()
        self._thread = threading.Thread(target=self._copy, name="lute-output", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_started:
            self._finish()
        else:
            os.close(self.writing_end)
        os.close(self._reading_end)

    def start(self) -> None:
        """Begin to copy, once the Task's process has its end of the pipe."""
        os.close(self.writing_end)
        self._has_started = self._output.is_pumped = True
        self._thread.start()

    def _finish(self) -> None:
        self._task_has_ended.set()
        self._thread.join()
        self._output.is_pumped = False
        self._output.flush()

    def _copy(self) -> None:
        left = _PIPE_HOLDS
        while left > 0:
            # Asked before looking: what is in the pipe now was written before the end, or at the end.
            has_ended = self._task_has_ended.is_set()
            ready, _, _ = select.select([self._reading_end], [], [], 0 if has_ended else _LOOK_EVERY_S)
            self._output.flush()
            if not ready:
                if has_ended:
                    return
                continue
            data = os.read(self._reading_end, _PIECE)
            if not data:
                return
            self._output.write(data)
            if has_ended:
                left -= len(data)
