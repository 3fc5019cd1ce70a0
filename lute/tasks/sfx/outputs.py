"""The files that a search leaves: CXI files, the master file and the list."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from lute.io.header import Header
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.sfx.cxi_file import MASK
from lute.tasks.sfx.hdf5 import new_hdf5, writing


class Outputs:
    """The names of the files that a search leaves, and those that all processes leave together.

    Args:
        parameters: of the Task.
        header: of the configuration.
    """

    def __init__(self, parameters: FindPeaksPyAlgosParameters, header: Header) -> None:
        self._folder = (header.work_dir / parameters.outdir).absolute()
        self._start = f"{header.experiment}_{header.run}_"
        self._end = f"{parameters.tag}.cxi"
        self.master = self._folder / f"{self._start}{self._end}"
        self.list = (header.work_dir / parameters.out_file).absolute()

    def of_rank(self, rank: int) -> Path:
        """Return the path of the CXI file that a process writes."""
        return self._folder / f"{self._start}{rank}_{self._end}"

    def prepare(self) -> None:
        """Make the directories, and remove what an earlier search left: nobody is to take it for new.

        Raises:
            TaskFailed: that is not possible.
        """
        is_of_rank = re.compile(rf"{re.escape(self._start)}\d+_{re.escape(self._end)}").fullmatch
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self.list.parent.mkdir(parents=True, exist_ok=True)
            self.list.unlink(missing_ok=True)
            self.master.unlink(missing_ok=True)
            for path in list(self._folder.iterdir()):
                if is_of_rank(path.name):
                    path.unlink()

    def write_master(self, timestamps: Sequence[NDArray[np.uint64]]) -> None:
        """Write the master file, which has the hits of all processes in the order of their timestamps.

        Args:
            timestamps: of the hits of each process, in the order of its CXI file.

        Raises:
            TaskFailed: that is not possible.
        """
        order = np.argsort(np.concatenate(timestamps), kind="stable")
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        of_ranks = np.split(places, np.cumsum([len(part) for part in timestamps])[:-1])
        parts = {self.of_rank(rank): part for rank, part in enumerate(of_ranks) if len(part)}
        with (
            _new(self.master) as draft,
            new_hdf5(draft) as file,
            h5py.File(next(iter(parts)), "r") as first,
        ):
            for name, dataset in _datasets(first).items():
                if name == MASK:
                    file[name] = dataset[:]
                else:
                    file.create_virtual_dataset(name, _layout(name, dataset, parts))

    def write_list(self) -> None:
        """Write the list, which names the master file. It is there whole or not at all.

        Raises:
            TaskFailed: that is not possible.
        """
        with _new(self.list) as draft:
            draft.write_text(f"{self.master}\n", encoding="utf-8", errors="surrogateescape")


@contextmanager
def _new(path: Path) -> Iterator[Path]:
    """Give a path to write to, and let the file appear at `path` once it is whole.

    Raises:
        TaskFailed: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    with writing(path):
        try:
            yield draft
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    found: dict[str, h5py.Dataset] = {}
    file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def _layout(name: str, first: h5py.Dataset, parts: dict[Path, NDArray[np.intp]]) -> h5py.VirtualLayout:
    """Return what a dataset consists of.

    Args:
        name: of the dataset, in each file.
        first: that of one of the files.
        parts: by file, the places of its hits among all.
    """
    shape = first.shape[1:]
    layout = h5py.VirtualLayout((sum(map(len, parts.values())), *shape), first.dtype)
    for path, places in parts.items():
        # HDF5 takes a % for the beginning of a pattern.
        source = h5py.VirtualSource(str(path).replace("%", "%%"), name, (len(places), *shape))
        # In one piece, unless the user gave the files of a run in another order than that of time.
        for piece in np.split(np.arange(len(places)), np.flatnonzero(np.diff(places) < 0) + 1):
            layout[places[piece]] = source[piece[0] : piece[-1] + 1]
    return layout
