"""The CXI file that one process writes: its hits and their peaks."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from lute.tasks.sfx.hdf5 import close_hdf5, writing, writing_hdf5
from lute.tasks.sfx.peak_finder import COLUMNS, Column
from lute.tasks.sfx.readings import Beamline

MASK = "entry_1/data_1/mask"
"""The one dataset that has no part for each hit."""
_HC_EV_A = 12398.419843320026
_AT_A_TIME = 64
"""Hits whose peaks are written together."""
_RADIUS = COLUMNS
"""Column behind those of PyAlgos: distance from the middle of the frame, in pixels."""
_OF_PEAK = {
    "peakXPosRaw": Column.COLUMN,
    "peakYPosRaw": Column.ROW,
    "peakTotalIntensity": Column.TOTAL,
    "peakMaxIntensity": Column.MAXIMUM,
    "peakNPixels": Column.PIXELS,
    "peakRadius": _RADIUS,
    "ccent": Column.COLUMN_CENTRE,
    "rcent": Column.ROW_CENTRE,
    "cmin": Column.COLUMN_MIN,
    "cmax": Column.COLUMN_MAX,
    "rmin": Column.ROW_MIN,
    "rmax": Column.ROW_MAX,
}
_ROWS = [Column.ROW, Column.ROW_CENTRE, Column.ROW_MIN, Column.ROW_MAX]


@dataclass(frozen=True)
class Hit:
    """A frame that shows a crystal.

    Attributes:
        timestamp: psana's: seconds << 32 | nanoseconds.
        frame: (panels, ss, fs), in ADU.
        peaks: one a row, in the columns of `Column`.
        beamline: its state.
    """

    timestamp: int
    frame: NDArray[np.float32]
    peaks: NDArray[np.float64]
    beamline: Beamline


class CxiFile:
    """Writes hits to a new file.

    The panels of a frame lie one below the other.

    Args:
        path: of the file.
        mask: (panels, ss, fs), 1 where a pixel is good.
        max_peaks: most peaks of a hit.

    Raises:
        TaskFailed: the file cannot be written. So do the methods.
    """

    def __init__(self, path: Path, mask: NDArray[np.uint16], max_peaks: int) -> None:
        self.path = path
        panels, self._panel_rows, width = mask.shape
        shape = (panels * self._panel_rows, width)
        self._middle = np.array(shape) / 2 - 0.5
        self._of_events: list[tuple[int, int, Beamline]] = []
        self._waiting: list[NDArray[np.float64]] = []
        with writing(path):
            self._file = h5py.File(path, "w")
        with writing_hdf5(path, self):
            self._file[MASK] = (1 - mask).astype(np.uint8).reshape(shape)
            self._data = self._file.create_dataset(
                "entry_1/data_1/data", (0, *shape), np.float32, maxshape=(None, *shape), chunks=(1, *shape)
            )
            # Most of each row stays empty: in chunks as narrow as these it takes no room.
            self._peaks = {
                column: self._file.create_dataset(
                    f"entry_1/result_1/{name}",
                    (0, max_peaks),
                    np.float64,
                    maxshape=(None, max_peaks),
                    chunks=(_AT_A_TIME, min(128, max_peaks)),
                )
                for name, column in _OF_PEAK.items()
            }

    def write(self, hit: Hit) -> None:
        """Add a hit."""
        number = len(self._of_events)
        with writing_hdf5(self.path, self):
            if number == len(self._data):
                self._data.resize(number + _AT_A_TIME, axis=0)
            self._data.id.write_direct_chunk((number, 0, 0), hit.frame)  # a frame is a chunk: no copy
            self._of_events.append((hit.timestamp, len(hit.peaks), hit.beamline))
            self._waiting.append(hit.peaks)
            if len(self._waiting) == _AT_A_TIME:
                self._write_peaks()

    def finish(self, event_numbers: NDArray[np.intp]) -> None:
        """Write what is left and close the file.

        Args:
            event_numbers: of the hits: which events of the run they are, from 0.
        """
        with writing_hdf5(self.path, self):
            self._write_peaks()
            self._data.resize(len(self._of_events), axis=0)
            for name, values in self._event_values(event_numbers).items():
                self._file[name] = values
            close_hdf5(self._file)

    def discard(self) -> None:
        """Remove the file, whether or not it can be closed."""
        self.path.unlink(missing_ok=True)

    def _write_peaks(self) -> None:
        """Write the peaks that wait, a row for each hit."""
        end = len(self._of_events)
        lengths = [len(peaks) for peaks in self._waiting]
        start, widest = end - len(lengths), max(lengths, default=0)
        if widest:
            rows = np.repeat(np.arange(len(lengths)), lengths)
            columns = np.concatenate([np.arange(length) for length in lengths])
            block = np.zeros((COLUMNS + 1, len(lengths), widest))
            block[:, rows, columns] = self._table().T
        for column, dataset in self._peaks.items():
            dataset.resize(end, axis=0)
            if widest:
                dataset[start:end, :widest] = block[column]
        self._waiting.clear()

    def _table(self) -> NDArray[np.float64]:
        """Return the peaks that wait as one table, with their rows in the whole frame and their radii."""
        peaks = np.concatenate(self._waiting)
        peaks[:, _ROWS] += self._panel_rows * peaks[:, [Column.PANEL]]
        radii = np.hypot(*(peaks[:, [Column.ROW, Column.COLUMN]] - self._middle).T)
        return np.column_stack([peaks, radii])

    def _event_values(self, event_numbers: NDArray[np.intp]) -> dict[str, NDArray[np.generic]]:
        timestamps = np.array([timestamp for timestamp, _, _ in self._of_events], np.uint64)
        energies = np.array([beamline.photon_energy_eV for _, _, beamline in self._of_events])
        values: dict[str, NDArray[np.generic]] = {
            "entry_1/experimental_identifier": event_numbers.astype(np.int64),
            "entry_1/result_1/nPeaks": np.array([number for _, number, _ in self._of_events], np.int64),
            "LCLS/eventNumber": event_numbers.astype(np.int64),
            "LCLS/machineTime": (timestamps >> np.uint64(32)).astype(np.int64),
            "LCLS/machineTimeNanoSeconds": (timestamps & np.uint64(0xFFFFFFFF)).astype(np.int64),
            "LCLS/fiducial": np.zeros(len(timestamps), np.int64),
            "LCLS/photon_energy_eV": energies,
            "LCLS/photon_wavelength_A": _HC_EV_A / energies,
        }
        lengths = [beamline.camera_length_mm for _, _, beamline in self._of_events]
        if None not in lengths:
            values["LCLS/detector_1/EncoderValue"] = np.array(lengths, np.float64)
        return values
