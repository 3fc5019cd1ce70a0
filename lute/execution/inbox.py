"""The Executor's end of the two channels: a pipe and a listening socket."""

import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lute.execution.framing import FrameDecoder, LineDecoder
from lute.execution.messages import Message, MessageError
from lute.execution.messenger import short_address

_PIECE = 1 << 20
"""Most bytes read at once: more than a pipe or socket holds by default."""
_LAST_PASSES = 1000
"""How often the channels are looked at once the Task has ended: enough for 128 waiting connections."""

Handler = Callable[[Message, bytes], None]
"""Takes a message and its body."""


@dataclass
class _Source:
    """A pipe or a connection; without a decoder, what comes is thrown away."""

    fd: int
    decoder: LineDecoder | FrameDecoder | None


class Inbox:
    """Receives the messages of one Task, whatever their number and size; never waits for the Task.

    Leaving its context closes both channels.

    Args:
        directory: a directory that only this user may enter, for the socket.
        handler: takes each message; a MessageError that it raises counts as received.
        has_room: set while the handler can take more. While it is not, nothing is read, and the Task waits.

    Attributes:
        address: path of the socket.
        pipe: writing end of the pipe, for the Task's process to inherit.
        problem: the first thing received that was no message.
    """

    def __init__(self, directory: Path, handler: Handler, has_room: threading.Event | None = None) -> None:
        self.address = directory / "socket"
        self.problem: MessageError | None = None
        self._handler = handler
        self._has_room = has_room
        self._resources = ExitStack()
        self._selector = self._resources.enter_context(selectors.DefaultSelector())
        self._sources: dict[int, _Source] = {}
        self._listener = self._resources.enter_context(socket.socket(socket.AF_UNIX))
        with short_address(self.address) as address:
            self._listener.bind(address)
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        reading, self.pipe = os.pipe()
        self._pipe_is_open = True
        self._add(_Source(reading, LineDecoder()))

    def close_pipe(self) -> None:
        """Close the writing end here, once the Task's process has it."""
        if self._pipe_is_open:
            os.close(self.pipe)
            self._pipe_is_open = False

    def receive(self, timeout_s: float) -> bool:
        """Handle what has come, if there is room; wait up to `timeout_s` seconds, for room and for messages.

        Returns:
            Whether there was any.
        """
        if self._has_room and not self._has_room.wait(timeout_s):
            return False
        return self._receive(timeout_s)

    def _receive(self, timeout_s: float) -> bool:
        ready = self._selector.select(timeout_s)
        for key, _ in ready:
            if key.data is None:
                self._accept()
            else:
                self._read(key.data)
        return bool(ready)

    def finish(self) -> None:
        """Handle all that was sent before the Task's process ended, room or not: the channels hold little."""
        for _ in range(_LAST_PASSES):
            if not self._receive(0):
                break
        for source in list(self._sources.values()):
            self._end(source)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_pipe()
        for fd in self._sources:
            os.close(fd)
        self._resources.close()

    def _add(self, source: _Source) -> None:
        self._sources[source.fd] = source
        self._selector.register(source.fd, selectors.EVENT_READ, source)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return  # whoever knocked has gone
        self._add(_Source(connection.detach(), FrameDecoder()))

    def _read(self, source: _Source) -> None:
        try:
            data = os.read(source.fd, _PIECE)
        except ConnectionResetError:
            data = b""
        if not data:
            self._end(source)
            return
        try:
            for message, body in source.decoder.feed(data) if source.decoder else ():
                self._handler(message, body)
        except MessageError as error:
            # Reading goes on, or the Task would wait for ever to write.
            source.decoder = None
            self.problem = self.problem or error

    def _end(self, source: _Source) -> None:
        self._selector.unregister(source.fd)
        os.close(self._sources.pop(source.fd).fd)
        try:
            if source.decoder:
                source.decoder.end()
        except MessageError as error:
            self.problem = self.problem or error
