"""xtc2 files, as far as one must know them to see that they are whole.

psana ends without a word where a file breaks off, or dies by a signal.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from psana.dgram import Dgram
from psana.psexp.transitionid import TransitionId

from lute.errors import TaskFailed
from lute.tasks.sfx.run_files import RunFiles

_HEADER = struct.Struct("<8xI8xI")
"""Of each datagram: time, 8 bytes; environment, with the kind in its bits 24 to 27; source, damage and type
of the content, 8 bytes; size of the content with the last 12 bytes of this header."""
_BEFORE_CONTENT = 12
_EVENTS = (TransitionId.L1Accept, TransitionId.L1Accept_EndOfBatch)


def check_whole(files: RunFiles) -> None:
    """Check that the files of a run are whole.

    Raises:
        TaskFailed: one breaks off, or is no xtc2 file.
        OSError: one cannot be read.
    """
    for big, small in zip(files.big, files.small or (None,) * len(files.big), strict=True):
        if small is None:
            for _ in _datagrams(big):
                pass
        else:
            _check_events(big, small)


def _content(path: Path, datagram: tuple[int, int, int]) -> bytes:
    _, offset, size = datagram
    with path.open("rb") as file:
        return os.pread(file.fileno(), size, offset)


def _check_events(big: Path, small: Path) -> None:
    """Check that a file reaches as far as its smalldata file says, which is much quicker to read."""
    first = last = None
    for datagram in _datagrams(small):
        first = first or datagram
        last = datagram if datagram[0] in _EVENTS else last
    if first is None or last is None:
        return
    config = Dgram(view=_content(small, first))
    event = Dgram(config=config, view=_content(small, last))
    if not hasattr(event, "smdinfo"):
        raise TaskFailed(f"{small} is no smalldata file: its events do not say where they lie")
    place = event.smdinfo[0].offsetAlg
    # Of a stream in several chunks the smalldata file of the first tells of all.
    chunk = max(big.parent.glob(f"{big.name.rpartition('-c')[0]}-c*.xtc2"))
    needed, size = int(place.intOffset + place.intDgramSize), chunk.stat().st_size
    if size < needed:
        raise TaskFailed(
            f"{chunk} breaks off: it has {size} bytes, its events reach to byte {needed}",
            next_step="see whether the file is still being copied",
        )


def _datagrams(path: Path) -> Iterator[tuple[int, int, int]]:
    """Give (kind, offset in bytes, size in bytes) of each datagram of a file, reading only their headers."""
    offset = 0
    end = path.stat().st_size
    with path.open("rb") as file:
        while offset < end or not offset:
            header = os.pread(file.fileno(), _HEADER.size, offset)
            environment, extent = _HEADER.unpack(header) if len(header) == _HEADER.size else (0, 0)
            kind, size = environment >> 24 & 0xF, _BEFORE_CONTENT + extent
            if not offset and kind != TransitionId.Configure:
                raise TaskFailed(f"{path} is no xtc2 file: it does not begin with a Configure transition")
            if offset + size > end or len(header) < _HEADER.size:
                raise TaskFailed(
                    f"{path} breaks off: it has {end} bytes, and the last part, from byte {offset} on, is "
                    "not whole",
                    next_step="see whether the file is still being copied",
                )
            if size < _HEADER.size or not TransitionId.Reset <= kind < TransitionId.NumberOf:
                raise TaskFailed(f"{path} is damaged at byte {offset}")
            yield kind, offset, size
            offset += size
