"""Writing HDF5 files on disks that may be full."""

import atexit
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from lute.errors import TaskFailed

_LEFT_ALONE: list[object] = []


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the errors of HDF5 and of the file system into one that tells the cause.

    Args:
        path: of the file that is written.

    Raises:
        TaskFailed: in their place.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        found = re.search(r"error message = '([^']+)'", str(error))
        number = error.errno if isinstance(error, OSError) else None
        cause = os.strerror(number) if number else found[1] if found else str(error)
        raise TaskFailed(
            f"{path} cannot be written: {cause}",
            next_step="see whether the disk is full or the quota used up",
        ) from error


@contextmanager
def writing_hdf5(path: Path, owner: object) -> Iterator[None]:
    """As `writing`, with what HDF5 2.0 needs after an error.

    It dies by a signal when it is to close a file that it could not write, be it because the process ends.
    So the file is removed but not closed, and the process will end without HDF5's knowledge.

    Args:
        path: of the file.
        owner: holds all objects of h5py that belong to the file.

    Raises:
        TaskFailed: the file cannot be written.
    """
    try:
        with writing(path):
            yield
    except TaskFailed:
        path.unlink(missing_ok=True)
        _LEFT_ALONE.append(owner)
        atexit.register(os._exit, 1)
        raise


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Give a new file to write to, and close it.

    Raises:
        TaskFailed: it cannot be written.
    """
    with writing(path):
        file = h5py.File(path, "w")
    with writing_hdf5(path, file):
        yield file
        close_hdf5(file)


def close_hdf5(file: h5py.File) -> None:
    """Close a file, within `writing_hdf5`."""
    file.flush()  # it may fail, `close` may not
    file.close()
