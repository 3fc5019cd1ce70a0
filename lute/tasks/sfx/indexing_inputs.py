"""What indexing needs besides files that are there: programs of its methods, frames that fit."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.preflight import listed_files

_PROGRAMS = {
    "dirax": ("dirax",),
    "felix": ("Felix", "felix"),
    "mosflm": ("mosflm", "ipmosflm"),
    "xds": ("xds", "xds_par"),
}
"""Of the methods that are not in CrystFEL itself: any of these must be on the PATH (its manual page)."""
_ORDERS = (["ss", "fs"], ["%", "ss", "fs"])
"""The dimensions of images that are compared; what other geometries mean is left to the program."""
_SETTING = re.compile(r"(?:([^/\s]+)/)?(data|dim\d|max_fs|max_ss)\s*=\s*(.+)")


def indexing_problems(
    parameters: IndexCrystFELParameters, work_dir: Path, env: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give (parameter, what is wrong): as `preflight_problems`, when the files are there."""
    for text in (parameters.indexing or "").split(","):
        method = text.strip().split("-")[0]
        programs = _PROGRAMS.get(method, ())
        if programs and not any(shutil.which(name, path=env.get("PATH", os.defpath)) for name in programs):
            yield (
                "indexing",
                f"the method '{method}' needs the program {programs[0]}, which is not in the PATH of the "
                "Task; asdf needs none",
            )
    if not (parameters.prefix or parameters.basename or parameters.wait_for_file):
        names = listed_files(work_dir / parameters.in_file)
        problem = _frame_problem(work_dir / parameters.geometry, work_dir / names[0])
        if problem:
            yield "geometry", problem


def _frame_problem(geometry: Path, file: Path) -> str:
    """Return what of a geometry cannot be of the frames in a file; nothing where that cannot be told."""
    try:
        import h5py

        needs = _images(geometry)
        if needs is None:
            return ""
        data, dimensions, smallest = needs
        with h5py.File(file, "r") as images:
            found = images.get(data)
            if not isinstance(found, h5py.Dataset):
                return f"{geometry} has its images in '{data}', and {file} has nothing there"
            shape = found.shape
    except (ImportError, OSError, ValueError):  # no HDF5 file, or a broken one: the program says so
        return ""
    if len(shape) != dimensions:
        return f"{geometry} has images in {dimensions} dimensions, and '{data}' of {file} has {len(shape)}"
    if any(there < needed for there, needed in zip(shape[-2:], smallest, strict=True)):
        return (
            f"{geometry} has panels up to {smallest[0]} x {smallest[1]} pixels (ss x fs), and the frames of "
            f"{file} have {shape[-2]} x {shape[-1]}"
        )
    return ""


def _images(geometry: Path) -> tuple[str, int, tuple[int, int]] | None:
    """Return path, dimensions and smallest size (ss, fs) of images; None where the panels differ in that."""
    found: dict[str, set[str]] = {}
    for line in geometry.read_text(encoding="utf-8", errors="replace").splitlines():
        if (match := _SETTING.match(line.partition(";")[0].strip())) and not (match[1] or "").startswith(
            "bad"
        ):
            found.setdefault(match[2], set()).add(match[3])
    dims = [found[name] for name in ("dim0", "dim1", "dim2", "dim3") if name in found]
    if any(len(values) != 1 for values in (found.get("data", set()), *dims)):
        return None
    order = [value for values in dims for value in values] or ["ss", "fs"]
    if order not in _ORDERS or not {"max_ss", "max_fs"} <= found.keys():
        return None
    (data,) = found["data"]
    largest = [1 + max(int(float(value)) for value in found[name]) for name in ("max_ss", "max_fs")]
    return data, len(order), (largest[0], largest[1])
