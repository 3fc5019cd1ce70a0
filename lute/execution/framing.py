"""Cutting the bytes that arrive into messages: no I/O, bytes in, messages out."""

import struct
from collections.abc import Iterator

from lute.execution.messages import Message, MessageError, decode_message, encode_message

MAX_LINE = 64 << 20
"""Longest message without its body, in bytes."""
MAX_BODY = 4 << 30
"""Largest body of a message, in bytes."""

_LENGTHS = struct.Struct("!IQ")


def encode_line(message: Message) -> bytes:
    """Return a message for a pipe: one line."""
    return encode_message(message) + b"\n"


def encode_frame(message: Message, body: bytes = b"") -> bytes:
    """Return a message and its body for a socket, their lengths before them."""
    header = encode_message(message)
    return _LENGTHS.pack(len(header), len(body)) + header + body


class LineDecoder:
    """Takes the bytes of a pipe in any pieces and gives its messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Message, bytes]]:
        """Take some bytes and give the messages that they complete, each with an empty body.

        Raises:
            MessageError: a line is no message, or too long.
        """
        # Only the new bytes are searched: a long message may come in many small pieces.
        start = len(self._buffer)
        self._buffer += data
        while (end := self._buffer.find(b"\n", start)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            start = 0
            yield decode_message(line), b""
        if len(self._buffer) > MAX_LINE:
            raise MessageError(f"a message longer than {MAX_LINE} bytes")

    def end(self) -> None:
        """Say that no more bytes come.

        Raises:
            MessageError: the last message is incomplete.
        """
        if self._buffer:
            raise MessageError(f"the last message breaks off after {len(self._buffer)} bytes")


class FrameDecoder:
    """Takes the bytes of a socket in any pieces and gives its messages with their bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Message, bytes]]:
        """Take some bytes and give the messages that they complete.

        Raises:
            MessageError: what came is no message, or too long.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTHS.size:
            header_length, body_length = _LENGTHS.unpack_from(self._buffer)
            if header_length > MAX_LINE or body_length > MAX_BODY:
                raise MessageError(f"a message of {header_length} + {body_length} bytes")
            body_start = _LENGTHS.size + header_length
            end = body_start + body_length
            if len(self._buffer) < end:
                return
            with memoryview(self._buffer) as view:
                header, body = bytes(view[_LENGTHS.size : body_start]), bytes(view[body_start:end])
            del self._buffer[:end]
            yield decode_message(header), body

    def end(self) -> None:
        """Say that no more bytes come; see `LineDecoder.end`."""
        if self._buffer:
            raise MessageError(f"the last message breaks off after {len(self._buffer)} bytes")
