"""Writing a run of one detector: its data, and the smalldata file that says where each event lies."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO

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
    """Write a run; when that fails or is stopped, nothing of it is left.

    Args:
        detector: its name.
        frames: timestamp (seconds << 32 | nanoseconds, rising) and frame (uint16, 2-D) of each event.
        file: for the data.
        smalldata: for the places of the events; None for none.

    Raises:
        ValueError: there is no frame.
        OSError: a file cannot be written.
    """
    try:
        with ExitStack() as files:
            raw = files.enter_context(file.open("wb"))
            raw_small = None if smalldata is None else files.enter_context(smalldata.open("wb"))
            _write(experiment, run, detector, iter(frames), raw, raw_small)
    except BaseException:
        for path in (file, smalldata):
            if path is not None:
                path.unlink(missing_ok=True)
        raise


def _write(
    experiment: str,
    run: int,
    detector: str,
    frames: Iterator[tuple[int, np.ndarray]],
    file: BinaryIO,
    smalldata: BinaryIO | None,
) -> None:
    head = next(frames, None)
    if head is None:
        raise ValueError("a run has at least one frame")
    # psana's class for a camera of any size, whose `calib` subtracts pedestals.
    camera = DetectorSpec(detector, "opal", ("raw", 2, 0, 0), {"image": (np.uint16, 2)})
    with ExitStack() as files:

        def begun(raw: BinaryIO, *detectors: DetectorSpec) -> XtcFile:
            return files.enter_context(
                XtcFile(raw, experiment=experiment, run=run, first=head[0], detectors=detectors)
            )

        big = begun(file, camera)
        # psana takes the whole run's configuration from here: the detector has the same number in both.
        small = None if smalldata is None else begun(smalldata, camera, _OFFSETS)
        for timestamp, frame in chain([head], frames):
            offset, size = big.event(timestamp, camera, {"image": frame})
            if small is not None:
                small.event(timestamp, _OFFSETS, {"intOffset": offset, "intDgramSize": size})
