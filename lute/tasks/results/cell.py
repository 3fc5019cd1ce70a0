"""The unit cell of a crystal."""

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lute.errors import TaskFailed
from lute.tasks.results.reflections import Miller

_LENGTHS = ("a", "b", "c")
_ANGLES = ("al", "be", "ga")
_LINE = re.compile(r"(centering|al|be|ga|a|b|c)\s*=\s*(\S+)")


@dataclass(frozen=True)
class UnitCell:
    """A unit cell.

    Attributes:
        lengths_a: a, b and c, in Å.
        angles_deg: alpha, beta and gamma, in degrees.
        centering: P, A, B, C, I, F, H or R as CrystFEL means them: H is a rhombohedral lattice on
            hexagonal axes, R the primitive rhombohedral cell.
    """

    lengths_a: tuple[float, float, float]
    angles_deg: tuple[float, float, float]
    centering: str = "P"

    @cached_property
    def reciprocal_metric(self) -> tuple[float, float, float, float, float, float]:
        """a*², b*², c*², 2 b*·c*, 2 a*·c* and 2 a*·b*, in 1/Å²."""
        a, b, c = self.lengths_a
        cos = [math.cos(math.radians(angle)) for angle in self.angles_deg]
        sin2 = [1 - value * value for value in cos]
        shape = 1 - sum(value * value for value in cos) + 2 * math.prod(cos)  # (volume / abc)²
        return (
            sin2[0] / (a * a * shape),
            sin2[1] / (b * b * shape),
            sin2[2] / (c * c * shape),
            2 * (cos[1] * cos[2] - cos[0]) / (b * c * shape),
            2 * (cos[0] * cos[2] - cos[1]) / (a * c * shape),
            2 * (cos[0] * cos[1] - cos[2]) / (a * b * shape),
        )

    def inverse_d2(self, miller: Miller) -> float:
        """Return 1/d² of a reflection, in 1/Å²."""
        h, k, l = miller  # noqa: E741 - its name
        aa, bb, cc, bc, ac, ab = self.reciprocal_metric
        return aa * h * h + bb * k * k + cc * l * l + bc * k * l + ac * h * l + ab * h * k


def read_cell(file: Path) -> UnitCell:
    """Return the cell of a CrystFEL cell file or of a PDB file.

    Raises:
        TaskFailed: it holds none.
        OSError: it cannot be read.
    """
    values: dict[str, str] = {}
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("CRYST1"):
                names = (*_LENGTHS, *_ANGLES, "centering")
                values = dict(zip(names, [*line[6:54].split(), line[55:56] or "P"], strict=False))
                break
            if found := _LINE.match(line):
                values[found[1]] = found[2]
    try:
        a, b, c, al, be, ga = (float(values[name]) for name in (*_LENGTHS, *_ANGLES))
        cell = UnitCell((a, b, c), (al, be, ga), values.get("centering", "P"))
        if not all(math.isfinite(value) and value > 0 for value in cell.reciprocal_metric[:3]):
            raise ValueError
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise TaskFailed(f"{file} holds no unit cell with three lengths and three angles") from error
    return cell
