"""Writing a run of one detector: its data, and the smalldata file that says where each event lies."""

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np

from simulators.xtc2.dgrams import DetectorSpec, XtcFile

_OFFSETS = DetectorSpec(
    "smdinfo",
    "smdinfo",
    ("offsetAlg", 0, 0, 0),
    {"intOffset": (np.uint64, 0), "intDgramSize": (np.uint64, 0)},
)


def write_run(
    experiment: str,
    run: int,
    detector: str,
    frames: Iterable[tuple[int, np.ndarray]],
    file: Path,
    smalldata: Path | None,
) -> None:
    """Write a run.

    Args:
        detector: its name.
        frames: timestamp (seconds << 32 | nanoseconds, rising) and frame (uint16, 2-D) of each event.
        file: for the data.
        smalldata: for the places of the events; None for none. psana reads the run's configuration from it:
            the detector has the same number there as in `file`.

    Raises:
        ValueError: there is no frame.
    """
    # psana's class for a camera of any size, whose `calib` subtracts pedestals.
    camera = DetectorSpec(detector, "opal", ("raw", 2, 0, 0), {"image": (np.uint16, 2)})
    events = iter(frames)
    head = next(events, None)
    if head is None:
        raise ValueError("a run has at least one frame")
    with ExitStack() as files:

        def opened(path: Path, *detectors: DetectorSpec) -> XtcFile:
            raw = files.enter_context(path.open("wb"))
            return files.enter_context(
                XtcFile(raw, experiment=experiment, run=run, first=head[0], detectors=detectors)
            )

        big = opened(file, camera)
        small = None if smalldata is None else opened(smalldata, camera, _OFFSETS)
        for timestamp, frame in chain([head], events):
            offset, size = big.event(timestamp, camera.name, {"image": frame})
            if small is not None:
                small.event(timestamp, _OFFSETS.name, {"intOffset": offset, "intDgramSize": size})
