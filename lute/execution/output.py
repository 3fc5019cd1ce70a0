"""The Executor's standard output: the Task's own output, unaltered, and LUTE's lines between."""

import os
import select
import threading
from typing import Self

_PIECE = 1 << 16
_PIPE_HOLDS = 1 << 20
"""A pipe holds no more bytes than this (Linux' limit for users)."""
_MOST_WAITING = 8 << 20
"""More bytes than this should not wait to be written."""
_LOOK_EVERY_S = 0.05
_TAIL = 4096


class Output:
    """Writes to a file descriptor. LUTE's own lines always begin at the start of a line.

    A reader that has gone, or a full disk, is no error: what cannot be written is lost, and the Task goes on.
    Only one thread writes at a time: an OutputPump while it runs, else whoever calls.

    Args:
        fd: where to write.

    Attributes:
        is_pumped: True while an OutputPump runs: what is said then waits for it, so that a reader who
            stalls holds nobody else up.
        has_room: cleared while so much waits that nothing more should be said.
    """

    def __init__(self, fd: int) -> None:
        self.is_pumped = False
        self.has_room = threading.Event()
        self.has_room.set()
        self._fd = fd
        self._lock = threading.Lock()
        self._said = bytearray()
        self._at_line_start = True

    def say(self, text: str) -> None:
        """Write a text as lines of its own; what cannot be encoded is escaped."""
        with self._lock:
            self._said += text.encode(errors="backslashreplace").removesuffix(b"\n") + b"\n"
            if len(self._said) > _MOST_WAITING:
                self.has_room.clear()
        if not self.is_pumped:
            self.flush()

    def flush(self) -> None:
        """Write what has been said and still waits."""
        with self._lock:
            said, self._said = self._said, bytearray()
        if said:
            self.write(said if self._at_line_start else b"\n" + said)
        self.has_room.set()

    def write(self, data: bytes | bytearray) -> None:
        """Write bytes as they are; return when all are written, or cannot be."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # somebody else who has the same file made it non-blocking
                select.select([], [self._fd], [])
            except OSError:
                break
        self._at_line_start = not rest and data.endswith(b"\n")


class OutputPump:
    """Copies the Task's output, and writes LUTE's own lines, while the Task runs.

    Leaving its context copies what the Task has still written and stops, even if something holds the pipe
    open that could not be ended.

    In a thread of its own: should the reader of our output stall, time limits and signals still count.

    Args:
        output: where to.

    Attributes:
        writing_end: what the Task's process gets as standard output and standard error: one pipe for
            both keeps their order.
        tail: the last bytes that the Task wrote.
    """

    def __init__(self, output: Output) -> None:
        self.tail = b""
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
                break
            self._output.write(data)
            self.tail = (self.tail + data[-_TAIL:])[-_TAIL:]
            if has_ended:
                left -= len(data)
        # The Task has closed its output, but may still send messages.
        while not self._task_has_ended.wait(_LOOK_EVERY_S):
            self._output.flush()
