"""What became of each event: from the CXI files and the stream."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

_AXIS = re.compile(r"^[abc]star = (\S+) (\S+) (\S+) nm\^-1", re.MULTILINE)
_EVENT = re.compile(r"^Event: //(\d+)", re.MULTILINE)
_PLACE = re.compile(r"^(?: *-?\d+){3}(?: +\S+){4} +(\S+) +(\S+) +\S+$", re.MULTILINE)


@dataclass(frozen=True)
class Hit:
    """A frame with a crystal.

    Attributes:
        event: its number in the run.
        peaks: how many were found.
        reciprocal: rows a*, b*, c* in 1/Å, shape (3, 3), if it was indexed.
        reflections: fs and ss of those that were integrated, shape (n, 2), in pixels from the corner.
    """

    event: int
    peaks: int
    reciprocal: np.ndarray | None
    reflections: np.ndarray


@dataclass(frozen=True)
class Picture:
    """One frame: ADU, shape (ss, fs), and the fs and ss of its peaks, shape (n, 2), at pixels' centres."""

    frame: np.ndarray
    peaks: np.ndarray


def read_hits(list_file: Path, stream: Path | None) -> list[Hit]:
    """Return the hits of a run.

    Args:
        list_file: names the CXI file with all hits.
        stream: what indexing made of them; it need not be there.
    """
    indexed = _indexed(stream) if stream and stream.is_file() else {}
    with h5py.File(_master(list_file), "r") as file:
        events, peaks = file["LCLS/eventNumber"][()], file["entry_1/result_1/nPeaks"][()]
    nothing = (None, np.empty((0, 2)))
    return [
        Hit(int(event), int(number), *indexed.get(index, nothing))
        for index, (event, number) in enumerate(zip(events, peaks, strict=True))
    ]


def read_picture(list_file: Path, index: int) -> Picture:
    """Return the frame and the peaks of a hit.

    Args:
        index: of the hit, among all hits of the CXI file.
    """
    with h5py.File(_master(list_file), "r") as file:
        peaks = file["entry_1/result_1"]
        number = int(peaks["nPeaks"][index])
        places = [peaks[f"peak{axis}PosRaw"][index, :number] for axis in "XY"]
        return Picture(file["entry_1/data_1/data"][index], np.column_stack(places))


def _master(list_file: Path) -> str:
    return list_file.read_text(encoding="utf-8").split("\n", maxsplit=1)[0]


def _indexed(stream: Path) -> Mapping[int, tuple[np.ndarray | None, np.ndarray]]:
    """Return axes and reflections of the first crystal of each frame that has one, by its index."""
    found: dict[int, tuple[np.ndarray | None, np.ndarray]] = {}
    for text in _chunks(stream):
        event, axes = _EVENT.search(text), _AXIS.findall(text)
        if event and len(axes) >= 3:
            places = np.array(_PLACE.findall(text), float).reshape(-1, 2)
            found[int(event[1])] = np.array(axes[:3], float) / 10, places
    return found


def _chunks(stream: Path) -> Iterator[str]:
    lines: list[str] = []
    with stream.open(encoding="utf-8") as whole:
        for line in whole:
            lines.append(line)
            if line.startswith("----- End chunk"):
                yield "".join(lines)
                lines.clear()
