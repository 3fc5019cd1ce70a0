"""CrystFEL geometry files, as far as the stand-in understands them: one flat panel across the beam."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulators.tools.arguments import ToolError

_HC_EV_A = 12398.419843320026
_DIRECTION = re.compile(r"([+-]?\d*\.?\d*)\s*([xyz])")


@dataclass(frozen=True)
class Geometry:
    """A detector.

    Attributes:
        text: the file's own text.
        values: what it says of the whole, by key.
        pixel_mm: edge of a pixel, in mm.
        corner: x and y of the panel's first corner, in pixels.
        fast, slow: x and y of one step along each direction, in pixels.
        shape: pixels along the slow and the fast direction.
        panel: its name.
    """

    text: str
    values: Mapping[str, str]
    pixel_mm: float
    corner: np.ndarray
    fast: np.ndarray
    slow: np.ndarray
    shape: tuple[int, int]
    panel: str

    def offsets_mm(self, fs_ss: np.ndarray) -> np.ndarray:
        """Return x and y in mm of places on the panel, in pixels from its corner; shapes (n, 2)."""
        places: np.ndarray = fs_ss[:, :1] * self.fast + fs_ss[:, 1:] * self.slow + self.corner
        return places * self.pixel_mm

    def places(self, offsets_mm: np.ndarray) -> np.ndarray:
        """Return what `offsets_mm` takes."""
        axes = np.array([self.fast, self.slow])
        places: np.ndarray = (offsets_mm / self.pixel_mm - self.corner) @ np.linalg.inv(axes)
        return places


@dataclass(frozen=True)
class Beam:
    """What the geometry and the image say of one shot."""

    photon_energy_eV: float  # noqa: N815 - eV is the unit
    camera_length_mm: float

    @property
    def wave_number(self) -> float:
        """1/wavelength, in 1/Å."""
        return self.photon_energy_eV / _HC_EV_A

    def scattering(self, offsets_mm: np.ndarray) -> np.ndarray:
        """Return scattering vectors q in 1/Å, shape (n, 3), of places on the panel, shape (n, 2)."""
        rays = np.column_stack([offsets_mm, np.full(len(offsets_mm), self.camera_length_mm)])
        directions = rays / np.linalg.norm(rays, axis=1)[:, None]
        scattering: np.ndarray = (directions - np.array([0, 0, 1])) * self.wave_number
        return scattering


def read_geometry(file: Path) -> Geometry:
    """Read a geometry file.

    Raises:
        ToolError: it is not there, or is none that is understood here.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ToolError(f"Failed to read geometry file '{file}': {error}") from error
    whole: dict[str, str] = {}
    panels: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        key, is_setting, value = line.partition(";")[0].partition("=")
        panel, is_of_panel, name = key.strip().partition("/")
        if not is_setting:
            continue
        if is_of_panel and not panel.startswith(("rigid_group", "bad")):
            panels.setdefault(panel, {})[name.strip()] = value.strip()
        else:
            whole[key.strip()] = value.strip()
    if len(panels) != 1:
        raise ToolError(f"{file} has {len(panels)} panels; this stand-in understands one")
    (name, panel_values), *_ = panels.items()
    try:
        return _geometry(text, whole, name, {**whole, **panel_values})
    except (KeyError, ValueError) as error:
        raise ToolError(f"{file} is no geometry that is understood here: {error!r}") from error


def _geometry(text: str, whole: Mapping[str, str], panel: str, values: Mapping[str, str]) -> Geometry:
    shape = tuple(int(values[f"max_{axis}"]) - int(values[f"min_{axis}"]) + 1 for axis in ("ss", "fs"))
    return Geometry(
        text=text,
        values=whole,
        pixel_mm=1000 / float(values["res"]),
        corner=np.array([float(values["corner_x"]), float(values["corner_y"])]),
        fast=_direction(values["fs"]),
        slow=_direction(values["ss"]),
        shape=(shape[0], shape[1]),
        panel=panel,
    )


def _direction(text: str) -> np.ndarray:
    parts = {
        axis: float(number + "1" if number in ("", "+", "-") else number)
        for number, axis in _DIRECTION.findall(text)
    }
    if parts.get("z"):
        raise ValueError(f"a tilted panel: {text}")
    return np.array([parts.get("x", 0.0), parts.get("y", 0.0)])
