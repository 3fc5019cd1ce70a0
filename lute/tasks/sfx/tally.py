"""What a process has seen, and what that makes of the search."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lute.errors import TaskFailed
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters


@dataclass
class Tally:
    """What one process has seen.

    Attributes:
        events: timestamps of its events.
        hits: timestamps of its hits.
        peaks: numbers of the hits' peaks.
        searched: number of the frames in which it looked for peaks.
        most_peaks: in one of those frames.
        unwanted: number of the events without the event code asked for.
        frameless: number of the events in which the detector had no frame.
        beamless: number of the hits left out for want of a photon energy or camera length.
    """

    events: list[int] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    searched: int = 0
    most_peaks: int = 0
    unwanted: int = 0
    frameless: int = 0
    beamless: int = 0

    def event_numbers(self, tallies: Sequence["Tally"]) -> NDArray[np.intp]:
        """Return which events of the run the hits are, from 0 and in the order of time."""
        events = np.sort(np.concatenate([timestamps(tally.events) for tally in tallies]))
        return np.searchsorted(events, timestamps(self.hits))


def timestamps(values: Sequence[int]) -> NDArray[np.uint64]:
    """Return psana's timestamps as an array."""
    return np.array(values, np.uint64)


def whole(tallies: Sequence[Tally]) -> Tally:
    """Return what all processes have seen."""
    return Tally(
        [value for tally in tallies for value in tally.events],
        [value for tally in tallies for value in tally.hits],
        [value for tally in tallies for value in tally.peaks],
        sum(tally.searched for tally in tallies),
        max(tally.most_peaks for tally in tallies),
        sum(tally.unwanted for tally in tallies),
        sum(tally.frameless for tally in tallies),
        sum(tally.beamless for tally in tallies),
    )


def check_hits(tally: Tally, parameters: FindPeaksPyAlgosParameters) -> None:
    """Check that there are hits.

    Raises:
        TaskFailed: there are none; it says why.
    """
    if tally.hits:
        return
    events = len(tally.events)
    if not events:
        raise TaskFailed("the run has no event")
    if tally.unwanted == events:
        raise TaskFailed(
            f"none of {events} events has the event code {parameters.event_code}",
            next_step="correct 'event_code', or leave 'event_logic' out",
        )
    if not tally.searched:
        raise TaskFailed(f"'{parameters.det_name}' has no frame in any of {events} events")
    if tally.beamless:
        raise TaskFailed(
            f"all {tally.beamless} hits are of events without a photon energy or camera length",
            next_step="give 'photon_energy_eV' and 'pv_camera_length' as numbers",
        )
    raise TaskFailed(
        f"no hit in {tally.searched} frames: the most peaks found in one are {tally.most_peaks}, a hit has "
        f"{parameters.min_peaks} to {parameters.max_peaks} ('min_peaks', 'max_peaks')",
        next_step="see whether pedestals are subtracted; then lower the thresholds 'amax_thr', 'atot_thr', "
        "'son_min' or 'min_peaks'",
    )


def figures(tally: Tally) -> dict[str, str | int | float]:
    """Return the figures of a search, by name."""
    return {
        "events": tally.searched,
        "hits": len(tally.hits),
        "hit rate (%)": round(100 * len(tally.hits) / tally.searched, 1),
        "median peaks per hit": statistics.median(tally.peaks),
    }


def left_out(tally: Tally) -> list[str]:
    """Return, in sentences, what was left out."""
    said = {
        "events without the event code": tally.unwanted,
        "events without a frame of the detector": tally.frameless,
        "hits left out because no photon energy or camera length is recorded with them": tally.beamless,
    }
    return [f"{what}: {number}" for what, number in said.items() if number]
