import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.execution.framing import FrameDecoder, LineDecoder, encode_frame, encode_line
from lute.execution.messages import (
    ArrayHeader,
    Log,
    Message,
    MessageError,
    Result,
    Started,
    decode_array,
    decode_message,
    encode_array,
    encode_message,
)
from lute.tasks.result import TaskStatus

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Started, reports_result=st.booleans()),
    st.builds(Log, text=TEXTS),
    st.builds(ArrayHeader, name=TEXTS),
    st.builds(
        Result,
        status=st.sampled_from([TaskStatus.COMPLETED, TaskStatus.FAILED]),
        summary=st.one_of(TEXTS, st.dictionaries(TEXTS, st.one_of(st.integers(), TEXTS))),
        payload=st.dictionaries(TEXTS, st.one_of(st.none(), st.lists(st.integers()), TEXTS)),
    ),
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(MESSAGES), st.lists(st.integers(0, 10_000)))
def test_lines_survive_any_cutting(messages: list[Message], cuts: list[int]) -> None:
    decoder = LineDecoder()
    data = b"".join(map(encode_line, messages))
    received = [message for piece in pieces(data, cuts) for message in decoder.feed(piece)]
    assert received == [(message, b"") for message in messages]
    decoder.end()


@given(st.lists(st.tuples(MESSAGES, st.binary())), st.lists(st.integers(0, 10_000)))
def test_frames_survive_any_cutting(messages: list[tuple[Message, bytes]], cuts: list[int]) -> None:
    decoder = FrameDecoder()
    data = b"".join(encode_frame(message, body) for message, body in messages)
    assert [got for piece in pieces(data, cuts) for got in decoder.feed(piece)] == messages
    decoder.end()


@given(st.binary(min_size=1))
def test_anything_else_is_refused_or_incomplete(data: bytes) -> None:
    for decoder in (LineDecoder(), FrameDecoder()):
        with pytest.raises(MessageError):
            assert not list(decoder.feed(data))
            decoder.end()


def test_a_message_that_breaks_off() -> None:
    lines, frames = LineDecoder(), FrameDecoder()
    assert list(lines.feed(encode_line(Log(text="x"))[:-1])) == []
    assert list(frames.feed(encode_frame(Log(text="x"), b"body")[:-1])) == []
    for decoder in (lines, frames):
        with pytest.raises(MessageError, match="breaks off"):
            decoder.end()


def test_a_length_beyond_all_bounds_is_refused_at_once() -> None:
    with pytest.raises(MessageError, match="a message of"):
        list(FrameDecoder().feed(b"\xff" * 12))


@pytest.mark.parametrize("data", [b"", b"{}", b'{"kind": "other"}', b"\xff", b'{"kind": "log"}', b"null"])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_message(data)


def test_a_message_is_one_line() -> None:
    assert b"\n" not in encode_message(Log(text="a\nb\r\n\u2028"))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array(5),
        np.zeros((0, 3), dtype=np.uint16),
        np.array(["ä", "b"]),
        np.asfortranarray(np.ones((2, 2))),
        np.zeros(2, dtype=[("x", "f4"), ("y", "i8")]),
    ],
)
def test_arrays_survive(array: np.ndarray) -> None:
    received = decode_array(encode_array(array))
    assert received.dtype == array.dtype
    np.testing.assert_array_equal(received, array)


def test_objects_are_never_pickled() -> None:
    with pytest.raises(MessageError, match="object"):
        encode_array(np.array([object()], dtype=object))


@pytest.mark.parametrize("data", [b"", b"x", b"\x80\x04N.", b"PK\x03\x04"])
def test_what_is_no_array(data: bytes) -> None:
    with pytest.raises(MessageError, match="not an array"):
        decode_array(data)
