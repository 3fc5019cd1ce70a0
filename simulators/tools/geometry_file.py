"""Reading CrystFEL's geometry file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lute.errors import ConfigError
from simulators.tools.detector import Panel
from simulators.tools.quantities import Quantity, read_quantity

_PANEL_KEYS = frozenset(
    ("data", "min_fs", "max_fs", "min_ss", "max_ss", "corner_x", "corner_y", "fs", "ss", "clen", "coffset")
) | {
    "res",
    "adu_per_photon",
    "adu_per_eV",
    "max_adu",
    "dim0",
    "dim1",
    "dim2",
    "mask",
    "mask_good",
    "mask_bad",
}
_MASK_KEY = re.compile(r"mask\d+_(data|goodbits|badbits)")
_GLOBAL_KEYS = frozenset(("photon_energy", "wavelength", "peak_list", "peak_list_type"))
_TERM = re.compile(r"([+-]?[\d.]*(?:e[+-]?\d+)?)([xyz])")


@dataclass(frozen=True)
class Mask:
    """Where the image file says which pixels are bad.

    Attributes:
        data: path of the dataset.
        good_bits: that a good pixel has all of.
        bad_bits: that a good pixel has none of.
    """

    data: str
    good_bits: int
    bad_bits: int


@dataclass(frozen=True)
class Geometry:
    """What a geometry file says.

    Attributes:
        text: all of it.
        data: path of the images in the file.
        has_events: whether the first dimension of the images counts frames.
        peak_list: path of the peaks.
        photon_energy: in eV, or where it is in the file.
        camera_length: in m, or where it is in the file.
        ignored: the keys that the stand-in knows nothing to do with.
    """

    text: str
    data: str
    has_events: bool
    peak_list: str
    masks: tuple[Mask, ...]
    photon_energy: Quantity
    camera_length: Quantity
    panels: tuple[Panel, ...]
    ignored: tuple[str, ...]


def read_geometry(file: Path) -> Geometry:
    """Return what a geometry file says.

    Raises:
        ConfigError: it is no geometry file, or describes a detector that the stand-in cannot take.
        OSError: it cannot be read.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    settings: dict[str, str] = {}
    panels: dict[str, dict[str, str]] = {}
    ignored: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition(";")[0].strip()
        if not line:
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key or not value:
            raise ConfigError(f"no assignment: {line[:60]!r}", file=file, line=number)
        panel, slash, name = key.rpartition("/")
        if panel.startswith("bad") or not _is_known(name, in_panel=bool(slash)):
            ignored.append(key)
        elif slash:
            # What was said for all panels so far holds for a panel from its first line on.
            panels.setdefault(panel, dict(settings))[name] = value
        else:
            settings[name] = value
    try:
        return _geometry(text, settings, panels, tuple(ignored))
    except KeyError as error:
        raise ConfigError(f"{error.args[0]!r} is missing", file=file) from error
    except ValueError as error:
        raise ConfigError(str(error), file=file) from error


def _is_known(name: str, *, in_panel: bool) -> bool:
    is_panels = name in _PANEL_KEYS or _MASK_KEY.fullmatch(name) is not None
    return is_panels or (name in _GLOBAL_KEYS and not in_panel)


def _geometry(
    text: str, settings: Mapping[str, str], panels: Mapping[str, Mapping[str, str]], ignored: tuple[str, ...]
) -> Geometry:
    if not panels:
        raise ValueError("it has no panel")
    first = next(iter(panels.values()))
    shared = ("data", "clen", "dim0", "dim1", "dim2", *(key for key in first if key.startswith("mask")))
    for name, values in panels.items():
        for key in shared:
            if values.get(key) != first.get(key):
                raise ValueError(f"panel '{name}' has another '{key}': the stand-in takes one for all panels")
    dimensions = [first[key] for key in ("dim0", "dim1", "dim2") if key in first] or ["ss", "fs"]
    if dimensions not in (["ss", "fs"], ["%", "ss", "fs"]):
        raise ValueError(f"the stand-in takes no dimensions {dimensions}, only %, ss, fs or ss, fs")
    energy = "photon_energy" if "photon_energy" in settings else "wavelength"
    return Geometry(
        text=text,
        data=first["data"],
        has_events=dimensions[0] == "%",
        peak_list=settings.get("peak_list", "/entry_1/result_1"),
        masks=tuple(_masks(first)),
        photon_energy=read_quantity(settings[energy], energy),
        camera_length=read_quantity(first["clen"], "clen"),
        panels=tuple(_panel(name, values) for name, values in panels.items()),
        ignored=ignored,
    )


def _masks(values: Mapping[str, str]) -> list[Mask]:
    """Return the masks: `mask0_data` and so on, or in the older form `mask`."""
    found = []
    for data, good, bad in [("mask", "mask_good", "mask_bad")] + [
        (f"mask{n}_data", f"mask{n}_goodbits", f"mask{n}_badbits") for n in range(8)
    ]:
        if data in values:
            found.append(Mask(values[data], int(values.get(good, "0"), 0), int(values.get(bad, "0"), 0)))
    return found


def _panel(name: str, values: Mapping[str, str]) -> Panel:
    return Panel(
        name=name,
        min_fs=int(values["min_fs"]),
        max_fs=int(values["max_fs"]),
        min_ss=int(values["min_ss"]),
        max_ss=int(values["max_ss"]),
        corner_px=np.array([float(values["corner_x"]), float(values["corner_y"]), 0.0]),
        fs=_vector(values["fs"]),
        ss=_vector(values["ss"]),
        pixel_m=1 / float(values["res"]),
        offset_m=float(values.get("coffset", "0")),
        adu_per_photon=float(values.get("adu_per_photon", "0")),
        adu_per_eV=float(values.get("adu_per_eV", "0")),
        max_adu=float(values.get("max_adu", "inf")),
    )


def _vector(text: str) -> np.ndarray:
    """Return a direction such as `+0.99x -0.01y`, shape (3,).

    Raises:
        ValueError: it is none.
    """
    compact = text.replace(" ", "")
    vector = np.zeros(3)
    for factor, axis in _TERM.findall(compact):
        vector["xyz".index(axis)] += float(factor + "1" if factor in ("", "+", "-") else factor)
    if not vector.any() or _TERM.sub("", compact):
        raise ValueError(f"no direction: {text!r}")
    return vector
