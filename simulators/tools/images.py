"""The frames of a list of CXI files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from simulators.tools.arguments import ToolError
from simulators.tools.geometry import Beam, Geometry


@dataclass(frozen=True)
class FrameName:
    """Where a frame lies.

    Attributes:
        file: as the list has it.
        event: its number within the file.
    """

    file: str
    event: int


@dataclass(frozen=True)
class Frame:
    """A frame.

    Attributes:
        data: ADU, (ss, fs).
        is_good: of each pixel.
        peaks: fs and ss of each, as in the file, (n, 2).
        beam: of this shot.
    """

    data: np.ndarray
    is_good: np.ndarray
    peaks: np.ndarray
    beam: Beam


def frame_names(list_file: Path, geometry: Geometry) -> Iterator[FrameName]:
    """Give the frames of a list: a file on each line, and its event as `//3` if it is not all of them.

    Raises:
        ToolError: the list or a file of it cannot be read.
    """
    try:
        lines = list_file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ToolError(f"Failed to open input file '{list_file}': {error}") from error
    for line in filter(None, map(str.strip, lines)):
        name, _, event = line.rpartition(" //")
        if name and event.isdecimal():
            yield FrameName(name, int(event))
            continue
        try:
            with h5py.File(line, "r") as file:
                data = file[geometry.values["data"]]
                _check_sources(data)
                number = len(data)
        except (OSError, KeyError) as error:
            raise ToolError(f"Couldn't open file: {line}: {error}") from error
        for index in range(number):
            yield FrameName(line, index)


def _check_sources(data: h5py.Dataset) -> None:
    """Check that the files are there of which a master file is made: HDF5 would give zeros for them."""
    for source in data.virtual_sources() if data.is_virtual else ():
        with h5py.File(source.file_name, "r") as file:
            file[source.dset_name]


def read_frame(name: FrameName, geometry: Geometry) -> Frame:
    """Read a frame.

    Raises:
        ToolError: it cannot be read, or is not as the geometry says.
    """
    values, event = geometry.values, name.event
    try:
        with h5py.File(name.file, "r") as file:
            data = file[values["data"]][event].astype(np.float64)
            if data.shape != geometry.shape:
                raise ToolError(f"{name.file}: frames are {data.shape}, the geometry's {geometry.shape}")
            is_good = np.ones(data.shape, bool)
            if mask := values.get("mask0_data"):
                is_good = (file[mask][()].astype(int) & int(values.get("mask0_badbits", "0x1"), 0)) == 0
            peaks = file[values["peak_list"]]
            number = int(peaks["nPeaks"][event])
            places = [peaks[f"peak{axis}PosRaw"][event, :number] for axis in "XY"]
            beam = Beam(_number(values["photon_energy"], file, event), _number(values["clen"], file, event))
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise ToolError(f"Couldn't read event {event} of {name.file}: {error}") from error
    return Frame(data, is_good, np.column_stack(places), beam)


def _number(setting: str, file: h5py.File, event: int) -> float:
    """Return a setting's value in eV or mm: a number, or where in the file it stands, with its unit."""
    what, _, unit = setting.partition(" ")
    values = np.ravel(file[what][()]) if what.startswith("/") else [float(what)]
    factor = {"m": 1000.0, "keV": 1000.0, "": 1.0, "mm": 1.0, "eV": 1.0}[unit.strip()]
    if not unit and not what.startswith("/") and float(what) < 10:  # a camera length without unit is in m
        factor = 1000.0
    return float(values[event if len(values) > 1 else 0]) * factor
