"""Zeros where psana's `dgramedit` leaves bytes to chance, so that the same datagram has the same bytes.

They lie in the room of names and of shapes, behind what is used of it; nobody reads them.
"""

import struct
from collections.abc import Iterable, Iterator

_DGRAM_BYTES = 24
"""Head of a datagram; then its parts follow."""
_PART = struct.Struct("<IHHI")
"""Head of a part: source, damage, kind, and size in bytes, the head's own included."""
_NAMES_KIND = 4
_ROOM_BYTES = 256
"""Of each name."""
_DETECTOR_NAMES = tuple(4 + number * _ROOM_BYTES for number in range(4))
"""Where a detector's kind, name, id and algorithm stand behind the head of its part."""
_FIRST_FIELD = 4 + 4 * _ROOM_BYTES + 8
_FIELD_NAMES = (0, _ROOM_BYTES + 4)
"""Where a field's algorithm and name stand in what describes it."""
_FIELD_BYTES = 2 * _ROOM_BYTES + 12
_FIRST_SHAPE = _DGRAM_BYTES + 2 * _PART.size
"""The only part of a datagram with values begins with the part of their shapes."""
_DIMENSION_BYTES, _MOST_DIMENSIONS = 4, 5


def clear_behind_names(configuration: memoryview) -> None:
    """Put zeros behind the names in a Configure datagram."""
    for start in _names(configuration):
        room = bytes(configuration[start : start + _ROOM_BYTES])
        configuration[start : start + _ROOM_BYTES] = room.partition(b"\0")[0].ljust(_ROOM_BYTES, b"\0")


def clear_behind_shapes(values: memoryview, ranks: Iterable[int]) -> None:
    """Put zeros behind the shapes in a datagram with values.

    Args:
        ranks: of the fields, in their order; scalars, of rank 0, have no shape.
    """
    room_bytes = _MOST_DIMENSIONS * _DIMENSION_BYTES
    start = _FIRST_SHAPE
    for rank in filter(None, ranks):
        used = start + rank * _DIMENSION_BYTES
        start += room_bytes
        values[used:start] = bytes(start - used)


def _names(configuration: memoryview) -> Iterator[int]:
    """Give the offset of each name's room."""
    part = _DGRAM_BYTES
    while part < len(configuration):
        _, _, kind, size = _PART.unpack_from(configuration, part)
        if kind == _NAMES_KIND:
            start = part + _PART.size
            yield from (start + offset for offset in _DETECTOR_NAMES)
            for field in range(start + _FIRST_FIELD, part + size, _FIELD_BYTES):
                yield from (field + offset for offset in _FIELD_NAMES)
        part += size
