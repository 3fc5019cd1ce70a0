"""Finding peaks in a frame, by PyAlgos."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psana.psalg_ext import peak_finder_algos

from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters


class Column(IntEnum):
    """The columns of a table of peaks; positions and sizes in pixels, intensities in ADU.

    Those of PyAlgos, but for the panel, which is filled in here.
    """

    PANEL = 0
    ROW = 1
    COLUMN = 2
    PIXELS = 3
    MAXIMUM = 4
    TOTAL = 5
    ROW_CENTRE = 6
    COLUMN_CENTRE = 7
    ROW_MIN = 10
    ROW_MAX = 11
    COLUMN_MIN = 12
    COLUMN_MAX = 13


COLUMNS = 17


class PeakFinder:
    """Finds the peaks of frames with version 3, revision 3 of PyAlgos.

    Args:
        parameters: of the Task.
        mask: (panels, ss, fs), 1 where a pixel is good.
    """

    def __init__(self, parameters: FindPeaksPyAlgosParameters, mask: NDArray[np.uint16]) -> None:
        self._mask = mask
        self._region = (parameters.peak_rank, parameters.r0, parameters.dr, parameters.nsigm)
        self._algorithms = [peak_finder_algos(seg=panel, pbits=0) for panel in range(len(mask))]
        for algorithm in self._algorithms:
            algorithm.set_peak_selection_parameters(
                parameters.npix_min,
                parameters.npix_max,
                parameters.amax_thr,
                parameters.atot_thr,
                parameters.son_min,
            )

    def find(self, frame: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the peaks of a frame, one a row, in the columns of `Column`.

        Args:
            frame: (panels, ss, fs), in ADU, contiguous.
        """
        rows: list[Any] = []
        for panel, algorithm in enumerate(self._algorithms):
            algorithm.peak_finder_v3r3_d2(frame[panel], self._mask[panel], *self._region)
            rows += [peak.parameters() for peak in algorithm.list_of_peaks_selected()]
        return np.array(rows, np.float64).reshape(-1, COLUMNS)
