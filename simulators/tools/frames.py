"""The frames that a list of image files names: CXI files as FindPeaksPyAlgos writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from lute.errors import LuteError
from simulators.tools.detector import HALF_PIXEL
from simulators.tools.geometry_file import Geometry, Mask
from simulators.tools.quantities import Quantity


@dataclass(frozen=True)
class FrameName:
    """Which frame.

    Attributes:
        file: path of the image file.
        number: of the frame in it, from 0; None where the file holds a single one.
    """

    file: str
    number: int | None

    @property
    def event(self) -> str:
        """The frame in CrystFEL's words."""
        return "//" if self.number is None else f"//{self.number}"


@dataclass(frozen=True)
class Frame:
    """A frame with its peaks.

    Attributes:
        image: in ADU, shape (ss, fs).
        good: which pixels are, bool, shape (ss, fs).
        peaks: fs, ss, in pixels from the corner of the image, and intensity in ADU, shape (n, 3).
        photon_energy_eV: of the beam.
        headers: the values asked for, by path.
    """

    name: FrameName
    image: np.ndarray
    good: np.ndarray
    peaks: np.ndarray
    photon_energy_eV: float  # noqa: N815 - eV is the unit
    camera_length_m: float
    headers: dict[str, object]


@dataclass(frozen=True)
class Reading:
    """How frames are read.

    Attributes:
        is_shifted: whether half a pixel is added to the places of peaks.
        headers: paths of values to read besides.
    """

    geometry: Geometry
    is_shifted: bool = True
    headers: tuple[str, ...] = ()


def list_frames(listing: Path, geometry: Geometry, *, prefix: str, basename: bool) -> Iterator[FrameName]:
    """Give the frames of a list: one file a line, with `//3` behind it one frame of the file.

    Args:
        prefix: put before each name.
        basename: take the directories off the names first.

    Raises:
        LuteError: a file is not there or is no image file; it names the file.
        OSError: the list cannot be read.
    """
    for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        name, mark, number = line.strip().rpartition(" //")
        if not mark:
            name = line.strip()
        if not name:
            continue
        file = prefix + (Path(name).name if basename else name)
        if mark and number.isdigit():
            yield FrameName(file, int(number))
            continue
        with _opened(file) as content:
            images = _dataset(content, geometry.data)
            count = len(images) if geometry.has_events else None
        yield from [FrameName(file, None)] if count is None else (FrameName(file, n) for n in range(count))


def read_frame(name: FrameName, reading: Reading) -> Frame:
    """Return a frame.

    Raises:
        LuteError: the file is not there, breaks off, or lacks what the geometry names in it.
    """
    geometry = reading.geometry
    with _opened(name.file) as content:
        image = np.asarray(_of_frame(_dataset(content, geometry.data), name), dtype=np.float32)
        _check_shape(image, geometry, name)
        good = np.isfinite(image)
        for mask in geometry.masks:
            good &= _good(np.asarray(_dataset(content, mask.data)), mask)
        return Frame(
            name,
            image,
            good,
            _peaks(content, name, reading),
            _value(content, geometry.photon_energy, name),
            _value(content, geometry.camera_length, name),
            {path: _of_frame(_dataset(content, path), name) for path in reading.headers},
        )


@contextmanager
def _opened(file: str) -> Iterator[h5py.File]:
    """Open an image file; what goes wrong within is told with its name."""
    if not Path(file).is_file():
        raise LuteError(f"Failed to open '{file}': no such file")
    try:
        with h5py.File(file, "r") as content:
            yield content
    except (OSError, KeyError, ValueError, IndexError, RuntimeError) as error:
        raise LuteError(
            f"Failed to read '{file}': {error.args[0] if error.args else error}",
            next_step="see whether the file is whole and holds what the geometry file names",
        ) from error


def _dataset(content: h5py.File, path: str) -> h5py.Dataset:
    found = content.get(path)
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"it has no dataset '{path}'")
    for source in found.virtual_sources() if found.is_virtual else ():
        # HDF5 itself gives zeros in the place of what is missing.
        if not (Path(content.filename).parent / source.file_name).is_file():
            raise OSError(f"its frames are in '{source.file_name}', which is not there")
    return found


def _of_frame(values: h5py.Dataset, name: FrameName) -> object:
    """Return the value of a frame, or the one value that all frames share."""
    if name.number is None or values.shape == ():
        return values[()]
    return values[0] if values.shape == (1,) else values[name.number]


def _value(content: h5py.File, quantity: Quantity, name: FrameName) -> float:
    number = quantity.source
    if isinstance(number, str):
        number = float(np.asarray(_of_frame(_dataset(content, number), name)))
    if not np.isfinite(number) or number <= 0:
        raise ValueError(f"'{quantity.source}' of frame {name.event} is {number}")
    return quantity.value(number)


def _check_shape(image: np.ndarray, geometry: Geometry, name: FrameName) -> None:
    rows = max(panel.max_ss for panel in geometry.panels) + 1
    columns = max(panel.max_fs for panel in geometry.panels) + 1
    if image.ndim != 2 or image.shape[0] < rows or image.shape[1] < columns:
        raise ValueError(
            f"frame {name.event} has the shape {image.shape}, the geometry needs {(rows, columns)}"
        )


def _good(values: np.ndarray, mask: Mask) -> np.ndarray:
    good: np.ndarray = (values & mask.bad_bits == 0) & (values & mask.good_bits == mask.good_bits)
    return good


def _peaks(content: h5py.File, name: FrameName, reading: Reading) -> np.ndarray:
    folder = reading.geometry.peak_list.rstrip("/")
    number = int(np.asarray(_of_frame(_dataset(content, f"{folder}/nPeaks"), name)))
    columns = [
        np.ravel(np.asarray(_of_frame(_dataset(content, f"{folder}/{column}"), name), dtype=np.float64))
        for column in ("peakXPosRaw", "peakYPosRaw", "peakTotalIntensity")
    ]
    shift = HALF_PIXEL if reading.is_shifted else 0.0
    peaks: np.ndarray = np.stack(columns, axis=1)[:number] + np.array([shift, shift, 0.0])
    return peaks
