"""The Task's end of the two channels."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lute.execution.framing import encode_frame, encode_line
from lute.execution.messages import ArrayHeader, Log, Message, Progress, Result, encode_array
from lute.tasks.result import TaskStatus

if TYPE_CHECKING:
    from numpy import ndarray


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """Give an address for the socket at `path` that fits in the 107 bytes which Unix allows."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


class ChannelMessenger:
    """Sends messages down a pipe, and those with a body through a socket. Threads may share it.

    Args:
        pipe: writing end of the pipe; None where there is none, as below `mpirun`: then everything
            goes through the socket.
        address: path of the Executor's socket.
    """

    def __init__(self, pipe: int | None, address: Path) -> None:
        self._pipe = pipe
        self._address = address
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message."""
        with self._lock:
            if self._pipe is None:
                self._connected().sendall(encode_frame(message))
                return
            rest = memoryview(encode_line(message))
            while rest:
                rest = rest[os.write(self._pipe, rest) :]

    def log(self, text: str) -> None:
        """Say something to the user."""
        self.send(Log(text=text))

    def progress(self, figures: Mapping[str, str | int | float]) -> None:
        """Tell how far the Task is."""
        self.send(Progress(figures=figures))

    def send_array(self, name: str, array: "ndarray") -> None:
        """Send a numpy array of any type but object.

        Raises:
            MessageError: it is of type object.
        """
        frame = encode_frame(ArrayHeader(name=name), encode_array(array))
        with self._lock:
            self._connected().sendall(frame)

    def _connected(self) -> socket.socket:
        if self._connection is None:
            connection = socket.socket(socket.AF_UNIX)
            with short_address(self._address) as address:
                connection.connect(address)
            self._connection = connection
        return self._connection


class RankMessenger:
    """For the processes of a parallel Task that do not speak for it: passes on progress and failures only.

    Args:
        address: path of the Executor's socket.
    """

    def __init__(self, address: Path) -> None:
        self._channel = ChannelMessenger(None, address)

    def send(self, message: Message) -> None:
        """Send a message if it is a failure."""
        if isinstance(message, Result) and message.status is TaskStatus.FAILED:
            # When all processes fail at once, the Executor may have heard of it and gone.
            with suppress(OSError):
                self._channel.send(message)

    def log(self, text: str) -> None:
        """Do nothing."""

    def progress(self, figures: Mapping[str, str | int | float]) -> None:
        """Tell how far the Task is; one process should do so for all."""
        self._channel.progress(figures)

    def send_array(self, name: str, array: "ndarray") -> None:
        """Do nothing."""
