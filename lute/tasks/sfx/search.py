"""Looking at one event after the other."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from lute.seams import Clock
from lute.tasks.base import Messenger
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.sfx.cxi_file import CxiFile, Hit
from lute.tasks.sfx.detector import ImageDetector
from lute.tasks.sfx.outputs import Outputs
from lute.tasks.sfx.peak_finder import PeakFinder
from lute.tasks.sfx.ranks import Ranks
from lute.tasks.sfx.readings import Readings
from lute.tasks.sfx.tally import Tally

PROGRESS_EVERY_S = 5.0


class Search:
    """Looks for hits in this process's events and writes them to its CXI file. There is none without hits.

    As a context it removes the file after an error.

    Args:
        parameters: of the Task.
        outputs: the names of the files.
        ranks: the processes.
        messenger: the way to the Executor.
        clock: for telling the progress now and then.

    Attributes:
        tally: what it has seen.
    """

    def __init__(
        self,
        parameters: FindPeaksPyAlgosParameters,
        outputs: Outputs,
        ranks: Ranks,
        messenger: Messenger,
        clock: Clock,
    ) -> None:
        self.tally = Tally()
        self._parameters = parameters
        self._path = outputs.of_rank(ranks.number)
        self._ranks = ranks
        self._messenger = messenger
        self._clock = clock
        self._next_progress_s = clock.monotonic() + PROGRESS_EVERY_S
        self._file: CxiFile | None = None

    def look(self, events: Iterator[Any], detector: ImageDetector, readings: Readings) -> None:
        """Look at the events of a run.

        Raises:
            ConfigError: the pedestals or the mask do not fit the frames.
            TaskFailed: an event cannot be read, or a hit cannot be written.
        """
        finder: PeakFinder | None = None
        for event in events:
            self.tally.events.append(event.timestamp)
            if not readings.is_wanted(event):
                self.tally.unwanted += 1
                continue
            frame = detector.frame(event)
            if frame is None:
                self.tally.frameless += 1
                continue
            finder = finder or PeakFinder(self._parameters, detector.mask)
            peaks = finder.find(frame)
            self.tally.searched += 1
            self.tally.most_peaks = max(self.tally.most_peaks, len(peaks))
            is_hit = self._parameters.min_peaks <= len(peaks) <= self._parameters.max_peaks
            self._ranks.count(is_hit=is_hit)
            if is_hit and (beamline := readings.beamline(event)):
                self._write(Hit(event.timestamp, frame, peaks, beamline), detector)
            elif is_hit:
                self.tally.beamless += 1
            self._tell_progress()

    def finish(self, tallies: list[Tally]) -> None:
        """Complete and close the file.

        Args:
            tallies: of all processes.

        Raises:
            TaskFailed: it cannot be written.
        """
        if self._file is not None:
            self._file.finish(self.tally.event_numbers(tallies))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._file is not None:
            self._file.discard()

    def _write(self, hit: Hit, detector: ImageDetector) -> None:
        if self._file is None:
            self._file = CxiFile(self._path, detector.mask, self._parameters.max_peaks)
        self._file.write(hit)
        self.tally.hits.append(hit.timestamp)
        self.tally.peaks.append(len(hit.peaks))

    def _tell_progress(self) -> None:
        """Tell how far all processes are, now and then: the last one does, the first has no events."""
        now = self._clock.monotonic()
        if self._ranks.is_last and now >= self._next_progress_s:
            events, hits = self._ranks.counted()
            self._messenger.progress({"events": events, "hits": hits})
            self._next_progress_s = now + PROGRESS_EVERY_S
