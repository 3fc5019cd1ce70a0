"""Reading a unit cell: CrystFEL's cell file, or a PDB file."""

import re
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np

from lute.errors import ConfigError

_FIRST_LINE = "CrystFEL unit cell file version 1."
_LINE = re.compile(r"(lattice_type|centering|unique_axis|al|be|ga|a|b|c)\s*=\s*(\S+)\s*(\S*)")
_UNITS = {"A": 1.0, "nm": 10.0, "deg": 1.0, "rad": 180 / np.pi}
_NAMES = ("a", "b", "c", "al", "be", "ga")


@dataclass(frozen=True)
class Cell:
    """A crystal's cell.

    Attributes:
        parameters: a, b and c in Å, alpha, beta and gamma in degrees.
        centering: P, A, B, C, I, F, H or R.
        lattice_type: such as `cubic`.
        unique_axis: a, b or c; `*` where the lattice has none.
    """

    parameters: tuple[float, float, float, float, float, float]
    centering: str = "P"
    lattice_type: str = "triclinic"
    unique_axis: str = "*"

    def axes(self) -> np.ndarray:
        """Return a, b and c as rows, in Å, shape (3, 3)."""
        return np.array(gemmi.UnitCell(*self.parameters).orth.mat.tolist()).T

    def inverse_d(self, miller: np.ndarray) -> np.ndarray:
        """Return 1/d of reflections, in 1/Å, shape (n,)."""
        lengths: np.ndarray = np.linalg.norm(miller @ np.linalg.inv(self.axes()).T, axis=1)
        return lengths

    def allows(self, miller: np.ndarray) -> np.ndarray:
        """Return which reflections the centering leaves, bool, shape (n,)."""
        h, k, l = miller.T  # noqa: E741 - its name
        odd = {
            "A": (k + l) % 2,
            "B": (h + l) % 2,
            "C": (h + k) % 2,
            "I": (h + k + l) % 2,
            "F": (h + k) % 2 + (k + l) % 2,
            "H": (-h + k + l) % 3,
        }.get(self.centering, np.zeros(len(miller)))
        allowed: np.ndarray = odd == 0
        return allowed

    def text(self) -> str:
        """Return the text of its cell file."""
        lines = [
            f"{_FIRST_LINE}0",
            "",
            f"lattice_type = {self.lattice_type}",
            f"centering = {self.centering}",
        ]
        if self.unique_axis != "*":
            lines.append(f"unique_axis = {self.unique_axis}")
        units = ["A"] * 3 + ["deg"] * 3
        lines += [
            "",
            *(f"{n} = {v:.2f} {u}" for n, v, u in zip(_NAMES, self.parameters, units, strict=True)),
        ]
        return "\n".join(lines) + "\n"


def read_cell_file(file: Path) -> Cell:
    """Return the cell of a CrystFEL cell file or of a PDB file's CRYST1.

    Raises:
        ConfigError: it holds none.
        OSError: it cannot be read.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    found: dict[str, str] = {}
    factors: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("CRYST1"):
            found = dict(zip((*_NAMES, "centering"), [*line[6:54].split(), line[55:56] or "P"], strict=False))
            break
        if match := _LINE.match(line):
            found[match[1]] = match[2]
            factors[match[1]] = _UNITS.get(match[3], 1.0)
    try:
        a, b, c, al, be, ga = (float(found[name]) * factors.get(name, 1.0) for name in _NAMES)
    except (KeyError, ValueError) as error:
        raise ConfigError("no unit cell with three lengths and three angles", file=file) from error
    cell = Cell(
        (a, b, c, al, be, ga),
        found.get("centering", "P"),
        found.get("lattice_type", "triclinic"),
        found.get("unique_axis", "*"),
    )
    if not (min(cell.parameters) > 0 and gemmi.UnitCell(*cell.parameters).volume > 0):  # of NaN, too
        raise ConfigError(f"no crystal has the cell {cell.parameters}", file=file)
    return cell
