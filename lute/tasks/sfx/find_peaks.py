"""From a run to CXI files and their list: what all processes of the Task do together."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from numpy.typing import NDArray

from lute.io.header import Header
from lute.seams import Clock
from lute.tasks.base import Messenger
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.result import TaskResult, TaskStatus
from lute.tasks.sfx.calibration import read_array
from lute.tasks.sfx.data_source import open_runs
from lute.tasks.sfx.detector import ImageDetector, check_detector
from lute.tasks.sfx.outputs import Outputs
from lute.tasks.sfx.problems import wrong
from lute.tasks.sfx.ranks import Ranks
from lute.tasks.sfx.readings import Readings
from lute.tasks.sfx.run_files import RunFiles, run_files
from lute.tasks.sfx.search import Search
from lute.tasks.sfx.tally import check_hits, figures, left_out, timestamps, whole
from lute.tasks.sfx.xtc2_file import check_whole

_Inputs = tuple[RunFiles, NDArray[Any] | None, NDArray[Any] | None]


def find_peaks(
    parameters: FindPeaksPyAlgosParameters,
    header: Header,
    messenger: Messenger,
    clock: Clock,
    env: Mapping[str, str],
) -> TaskResult:
    """Search a run for hits and write them, their peaks and their list.

    Args:
        parameters: of the Task.
        header: of the configuration.
        messenger: the way to the Executor.
        clock: for telling the progress now and then.
        env: an environment, which says where the data of experiments lie.

    Returns:
        The figures; with several processes, in the first of them alone.

    Raises:
        LuteError: the parameters do not fit the run, it cannot be read, the files cannot be written, or
            there is no hit.
    """
    ranks = Ranks()
    outputs = Outputs(parameters, header)
    # The first process checks all that it can, so that an error is told once, and before the search.
    files, pedestals, mask = ranks.from_first(partial(_inputs, parameters, header, messenger, env))
    with Search(parameters, outputs, ranks, messenger, clock) as search:
        is_prepared = False
        for run, events in open_runs(files, header, parameters, ranks):
            ranks.from_first(partial(_check, run, parameters, files))
            if not is_prepared:
                ranks.from_first(outputs.prepare)
                is_prepared = True
            detector = ImageDetector(run, parameters, pedestals, mask)
            search.look(events, detector, Readings(run, parameters, files.text))
        tallies = ranks.exchange(search.tally)
        search.finish(tallies)
    ranks.exchange(None)  # until all files are written
    if not ranks.is_first:
        return TaskResult(TaskStatus.COMPLETED)
    total = whole(tallies)
    check_hits(total, parameters)
    for sentence in left_out(total):
        messenger.log(sentence)
    outputs.write_master([timestamps(tally.hits) for tally in tallies])
    outputs.write_list()
    return TaskResult(TaskStatus.COMPLETED, figures(total))


def _inputs(
    parameters: FindPeaksPyAlgosParameters, header: Header, messenger: Messenger, env: Mapping[str, str]
) -> _Inputs:
    """Return the run's files, the pedestals and the mask, all checked."""
    if parameters.compression is not None:
        raise wrong(
            "compression",
            f"this LUTE has no compressor '{parameters.compression.compressor}'",
            next_step="leave it out",
        )
    if parameters.psana_mask and parameters.calibration == "none":
        raise wrong(
            "psana_mask",
            "psana's mask comes from the calibration database",
            next_step="write `calibration: database`, or give the mask as 'mask_file' instead",
        )
    if parameters.pedestal_file is not None and parameters.calibration == "database":
        raise wrong(
            "pedestal_file",
            "the calibration database has pedestals of its own",
            next_step="leave 'pedestal_file' or `calibration: database` out",
        )
    files = run_files(header, parameters.xtc_files, env)
    check_whole(files)
    arrays = {
        name: None if path is None else read_array(name, header.work_dir / path)
        for name, path in (("pedestal_file", parameters.pedestal_file), ("mask_file", parameters.mask_file))
    }
    if arrays["pedestal_file"] is None and parameters.calibration == "none":
        messenger.log(
            "WARNING: frames are searched as they were recorded: without 'pedestal_file' or "
            "`calibration: database` no pedestals are subtracted"
        )
    return files, arrays["pedestal_file"], arrays["mask_file"]


def _check(run: Any, parameters: FindPeaksPyAlgosParameters, files: RunFiles) -> None:
    """Check that the run has what the parameters name."""
    check_detector(run, parameters.det_name, files.text)
    Readings(run, parameters, files.text)
