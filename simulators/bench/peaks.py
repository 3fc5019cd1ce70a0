"""What the search for peaks costs besides PyAlgos itself."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psana.psalg_ext import peak_finder_algos

from lute.io.config import load_config
from lute.io.database import Database
from lute.io.header import Header
from lute.seams import SystemClock
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.parameters import resolve_parameters
from lute.tasks.sfx.calibration import read_array
from lute.tasks.sfx.data_source import open_runs
from lute.tasks.sfx.detector import ImageDetector
from lute.tasks.sfx.outputs import Outputs
from lute.tasks.sfx.ranks import Ranks
from lute.tasks.sfx.readings import Readings
from lute.tasks.sfx.run_files import run_files
from lute.tasks.sfx.search import Search


class _Silent:
    """Says nothing."""

    def log(self, text: str) -> None:
        """Do nothing."""

    def progress(self, figures: Mapping[str, str | int | float]) -> None:
        """Do nothing."""

    def send_array(self, name: str, array: NDArray[Any]) -> None:
        """Do nothing."""


def run_peaks(config_file: Path, env: Mapping[str, str]) -> dict[str, object]:
    """Search a run, and after each event let PyAlgos alone look at the same frame.

    Args:
        config_file: configuration with a section FindPeaksPyAlgos, as `lute-sim make-run` writes it.
        env: an environment with SIT_PSDM_DATA and what the configuration asks for.

    Returns:
        Figures by name, times in milliseconds of processor time for each frame.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(config_file, dict(env) | {"LUTE_WORK_DIR": folder})
        parameters = resolve_parameters("FindPeaksPyAlgos", config, Database(Path(folder) / "lute.db"))
        if not isinstance(parameters, FindPeaksPyAlgosParameters):
            raise TypeError(type(parameters))
        parameters = parameters.model_copy(update={"outdir": folder})
        frames, search_s, alone_s = _measured(parameters, config.header, env)
    return {
        "bench": "peaks",
        "frames": frames,
        "alone_ms": round(1000 * alone_s / frames, 2),
        "search_ms": round(1000 * search_s / frames, 2),
        "overhead_percent": round(100 * (search_s / alone_s - 1), 1),
    }


def _measured(
    parameters: FindPeaksPyAlgosParameters, header: Header, env: Mapping[str, str]
) -> tuple[int, float, float]:
    """Return the number of frames, and the seconds of the whole search and of PyAlgos alone."""
    ranks, clock = Ranks(), time.process_time
    files = run_files(header, parameters.xtc_files, env)
    path = parameters.pedestal_file
    pedestals = None if path is None else read_array("pedestal_file", Path(path))
    run, events = next(open_runs(files, header, parameters, ranks))
    detector = ImageDetector(run, parameters, pedestals, None)
    readings = Readings(run, parameters, files.text)
    search = Search(parameters, Outputs(parameters, header), ranks, _Silent(), SystemClock())
    algorithm = _algorithm(parameters)
    search_s = alone_s = 0.0
    start_s = clock()

    def events_and_breaks() -> Iterator[Any]:
        """Give the events; before the next one, let PyAlgos look at the last one alone."""
        nonlocal search_s, alone_s, start_s
        for event in events:
            yield event
            search_s += clock() - start_s
            frame = detector.frame(event)
            start_s = clock()
            if frame is not None:
                _look_alone(algorithm, frame, detector.mask, parameters)
                alone_s += clock() - start_s
                start_s = clock()

    search.look(events_and_breaks(), detector, readings)
    search.finish([search.tally])
    search_s += clock() - start_s
    return search.tally.searched, search_s, alone_s


def _algorithm(parameters: FindPeaksPyAlgosParameters) -> Any:
    algorithm = peak_finder_algos(seg=0, pbits=0)
    algorithm.set_peak_selection_parameters(
        *(parameters.npix_min, parameters.npix_max),
        *(parameters.amax_thr, parameters.atot_thr, parameters.son_min),
    )
    return algorithm


def _look_alone(
    algorithm: Any,
    frame: NDArray[np.float32],
    mask: NDArray[np.uint16],
    parameters: FindPeaksPyAlgosParameters,
) -> None:
    region = (parameters.peak_rank, parameters.r0, parameters.dr, parameters.nsigm)
    for image, good in zip(frame, mask, strict=True):
        algorithm.peak_finder_v3r3_d2(image, good, *region)
        for peak in algorithm.list_of_peaks_selected():
            peak.parameters()
