"""Where the files of a run lie."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lute.errors import ConfigError, did_you_mean
from lute.io.header import Header
from lute.tasks.sfx.problems import no_data

_LONGEST_PATH = 200
"""psana cuts longer paths off."""


@dataclass(frozen=True)
class RunFiles:
    """The xtc2 files to read.

    Attributes:
        big: they hold the detectors' data.
        small: of a run that psana opens by experiment and run, the files that say where each event lies
            in the others; none where `big` is to be read from end to end.
    """

    big: tuple[Path, ...]
    small: tuple[Path, ...] = ()

    @property
    def text(self) -> str:
        """The names of the files with data, as in a message."""
        first, *others = self.big
        return f"{first} and {len(others)} more" if others else str(first)


def run_files(header: Header, given: Sequence[str], env: Mapping[str, str]) -> RunFiles:
    """Return the files of a run.

    Args:
        header: names the experiment and the run.
        given: paths of files to read instead, in their order.
        env: an environment; the data of all hutches lie below its SIT_PSDM_DATA.

    Raises:
        ConfigError: they are not there.
    """
    files = RunFiles(tuple(header.work_dir / path for path in given)) if given else _found(header, env)
    for path in files.big + files.small:
        if len(str(path)) > _LONGEST_PATH:
            raise ConfigError(
                f"psana cannot read {path}: its path has more than {_LONGEST_PATH} characters",
                next_step="name it by a shorter path, such as a symbolic link",
            )
    return files


def _found(header: Header, env: Mapping[str, str]) -> RunFiles:
    data = env.get("SIT_PSDM_DATA")
    if not data:
        raise no_data(
            "SIT_PSDM_DATA is not set: it is not known where the data of experiments lie",
            next_step="source the site's psana environment, or name files in 'FindPeaksPyAlgos.xtc_files'",
        )
    if not isinstance(header.run, int):
        raise no_data(
            f"the run of the header is '{header.run}', and psana knows runs by their numbers",
            next_step="give the number, or name files in 'FindPeaksPyAlgos.xtc_files'",
        )
    hutch = Path(data) / header.experiment[:3]
    folder = hutch / header.experiment / "xtc"
    if not folder.is_dir():
        raise no_data(
            f"there is no experiment '{header.experiment}' in {hutch}: "
            f"{did_you_mean(header.experiment, _names_in(hutch))}",
            next_step="correct 'experiment' in the header, or SIT_PSDM_DATA",
        )
    return _of_run(header.run, folder, header.experiment)


def _of_run(run: int, folder: Path, experiment: str) -> RunFiles:
    is_big = re.compile(rf"{re.escape(experiment)}-r(\d+)-s\d+-c\d+\.xtc2").fullmatch
    found = {name: int(match[1]) for name in _names_in(folder) if (match := is_big(name))}
    big = [name for name in sorted(found) if found[name] == run]
    if not big:
        raise no_data(
            f"there is no run {run} in {folder}; runs there: {_ranges(found.values()) or 'none'}",
            next_step="correct 'run' in the header, or wait until the run's files are there",
        )
    small = [folder / "smalldata" / name.replace(".xtc2", ".smd.xtc2") for name in big]
    there = [path for path in small if path.is_file()]
    if not there:
        paths = ", ".join(f'"{folder / name}"' for name in big)
        raise no_data(
            f"run {run} has no smalldata file in {folder / 'smalldata'}, by which psana finds its events",
            next_step=f"to do without, write `xtc_files: [{paths}]`: those with the detector",
        )
    # Further chunks of a stream have no smalldata file of their own.
    return RunFiles(tuple(folder / path.name.replace(".smd", "") for path in there), tuple(there))


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _ranges(numbers: Iterable[int]) -> str:
    """Return numbers as text: `1-3, 7`."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
