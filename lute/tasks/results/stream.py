"""What a CrystFEL stream holds, the result of indexing."""

from dataclasses import dataclass
from pathlib import Path

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.result import TaskResult, TaskStatus

_FIRST_LINE = b"CrystFEL stream format 2."
_MARKS = (b"-----", b"--- ", b"hit = 1", b"num_peaks = ")


@dataclass(frozen=True)
class StreamCounts:
    """The numbers of a stream.

    Attributes:
        frames: all frames.
        hits: frames that were tried to be indexed.
        indexed: frames with at least one crystal.
        crystals: several may be in one frame.
        peaks: of all frames; None where the stream does not tell.
    """

    frames: int = 0
    hits: int = 0
    indexed: int = 0
    crystals: int = 0
    peaks: int | None = None

    @property
    def indexing_rate_percent(self) -> float:
        """Indexed frames of all hits, in percent."""
        return 100 * self.indexed / self.hits if self.hits else 0.0

    def with_frame(self, is_hit: bool, crystals: int, peaks: int | None) -> "StreamCounts":
        """Return the numbers with one frame more."""
        return StreamCounts(
            self.frames + 1,
            self.hits + (is_hit or crystals > 0),
            self.indexed + (crystals > 0),
            self.crystals + crystals,
            self.peaks if peaks is None else (self.peaks or 0) + peaks,
        )


def indexing_result(parameters: IndexCrystFELParameters, header: Header) -> TaskResult:
    """Return the figures of the stream that IndexCrystFEL wrote.

    Raises:
        TaskFailed: it breaks off, or has no frame or no crystal.
        OSError: it cannot be read.
    """
    counts = count_stream(header.work_dir / parameters.out_file)
    if not counts.frames:
        raise TaskFailed(
            f"{parameters.out_file} has no frame, though indexamajig reports success",
            next_step=f"look for its errors above, and for images in the files of {parameters.in_file}",
        )
    if not counts.hits:
        raise TaskFailed(
            f"none of the {counts.frames} frames is a hit",
            next_step="lower 'min_peaks', or see whether 'peaks' names where the peaks are",
        )
    if not counts.crystals and parameters.indexing != "none":
        raise _not_indexed(counts, parameters)
    return TaskResult(
        TaskStatus.COMPLETED,
        {
            "frames": counts.frames,
            "hits": counts.hits,
            "indexed": counts.indexed,
            "crystals": counts.crystals,
            "indexing rate (%)": round(counts.indexing_rate_percent, 1),
        },
    )


def _not_indexed(counts: StreamCounts, parameters: IndexCrystFELParameters) -> TaskFailed:
    none_of = f"none of {counts.hits} hits ({counts.frames} frames)"
    if counts.peaks == 0:
        return TaskFailed(
            f"{none_of} has a peak",
            next_step=f"see whether 'peaks' ({parameters.peaks or 'not set'}) names where the peaks are, and "
            f"whether the files of 'in_file' ({parameters.in_file}) hold any",
        )
    cell = f"a wrong cell in 'cell_file' ({parameters.cell_file}), " if parameters.cell_file else ""
    return TaskFailed(
        f"{none_of} could be indexed",
        next_step=f"the likely causes: {cell}a wrong camera length or beam centre in 'geometry' "
        f"({parameters.geometry}), peaks that are none",
    )


def count_stream(file: Path) -> StreamCounts:
    """Count what a stream holds; it may be larger than the memory.

    Raises:
        TaskFailed: it is no stream, or breaks off within a frame. That whole frames are missing at its
            end is not to be seen.
        OSError: it cannot be read.
    """
    counter = _Counter()
    line = b""
    with file.open("rb") as lines:
        first = lines.readline()
        if not first.startswith(_FIRST_LINE):
            raise TaskFailed(f"{file} is no stream of CrystFEL: it begins with {first[:40]!r}")
        for number, line in enumerate(lines, start=2):
            if line.startswith(_MARKS) and not counter.take(line.strip(b"- \r\n")):
                raise TaskFailed(
                    f"{file}:{number}: '{line.decode(errors='replace').strip()}' is out of place"
                )
    if counter.inside or not line.endswith(b"\n"):
        raise TaskFailed(
            f"{file} breaks off after {counter.counts.frames} whole frames",
            next_step="see whether the disk is full or the quota used up",
        )
    return counter.counts


class _Counter:
    """Follows the marks of a stream.

    Attributes:
        inside: what has begun and not ended: nothing, a chunk, or a chunk and a crystal.
        counts: of the chunks that have ended.
    """

    def __init__(self) -> None:
        self.inside: list[bytes] = []
        self.counts = StreamCounts()
        self._is_hit = False
        self._crystals = 0
        self._peaks: int | None = None

    def take(self, mark: bytes) -> bool:
        """Take the next mark and return whether it may stand there."""
        match mark.split(b" "):
            case [b"Begin", b"chunk" | b"crystal" as what]:
                self.inside.append(what)
                return self.inside in ([b"chunk"], [b"chunk", b"crystal"])
            case [b"End", b"chunk" | b"crystal" as what]:
                if self.inside[-1:] != [what]:
                    return False
                self.inside.pop()
                if self.inside:
                    self._crystals += 1
                else:
                    self.counts = self.counts.with_frame(self._is_hit, self._crystals, self._peaks)
                    self._is_hit, self._crystals, self._peaks = False, 0, None
            case [b"hit", b"=", b"1"]:
                self._is_hit = True
            case [b"num_peaks", b"=", number] if number.isdigit():
                self._peaks = int(number)
        return True
