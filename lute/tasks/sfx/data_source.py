"""Opening a run with psana, and what keeps psana from asking services of the site for it."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from psana import DataSource
from psana.psexp.ds_base import DataSourceBase

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.sfx.ranks import Ranks
from lute.tasks.sfx.run_files import RunFiles

_BATCH_SIZE = 10
"""Events that psana hands to a process at a time: its own 1000 would leave a short run to one process."""


def open_runs(
    files: RunFiles, header: Header, parameters: FindPeaksPyAlgosParameters, ranks: Ranks
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Give psana's run and this process's share of its events: one run, or one for each file to read.

    Raises:
        TaskFailed: psana cannot read it, or asked the calibration database in vain. So do the events.
    """
    options: dict[str, Any] = {"log_level": "ERROR"}
    if parameters.calibration == "none":
        options |= _without_database()
    if files.small:
        _find_files_by_name()
        options |= {"exp": header.experiment, "run": header.run, "dir": str(files.big[0].parent)}
        options |= {"batch_size": _BATCH_SIZE, "max_events": parameters.n_events}
    else:
        options |= {"files": [str(path) for path in files.big]}
    numbers = count()
    for run in _read(_runs(options, is_one=bool(files.small)), files, parameters):
        events = _read(run.events(), files, parameters)
        yield run, events if files.small else _share(events, numbers, parameters.n_events, ranks)


def _runs(options: dict[str, Any], *, is_one: bool) -> Iterator[Any]:
    yield from islice(DataSource(**options).runs(), 1 if is_one else None)


def _share(events: Iterator[Any], numbers: Iterator[int], n_events: int, ranks: Ranks) -> Iterator[Any]:
    """Give every n-th event to each of n processes: of files, psana gives all events to all processes."""
    for event, number in zip(events, numbers, strict=False):
        if n_events and number >= n_events:
            return
        if number % ranks.size == ranks.number:
            yield event


def _read(items: Iterator[Any], files: RunFiles, parameters: FindPeaksPyAlgosParameters) -> Iterator[Any]:
    """Give what psana reads.

    Raises:
        TaskFailed: it fails in any way.
    """
    try:
        yield from items
    except (Exception, SystemExit) as error:
        is_online = parameters.calibration == "database"
        raise TaskFailed(
            f"psana cannot read {files.text}: {type(error).__name__}: {error}",
            next_step="see whether the calibration database can be reached from here; without it, write "
            "`calibration: none` and give 'pedestal_file'"
            if is_online
            else "see whether the files are whole, by `detnames FILE` of psana",
        ) from error


def _without_database() -> dict[str, str]:
    """Return the option that keeps psana from its calibration database.

    Else it asks that for every detector of a run of a named experiment, and fails where the site's
    network does not reach.
    """
    return {"skip_calib_load": "all"}


def _find_files_by_name() -> None:
    """Let psana look for a run's files in their directory, as it does for runs that no logbook knows.

    It always asks the logbook first, over the network, and fails if there is no answer.
    """
    DataSourceBase._get_file_info_from_db = lambda _source, _run: {}
