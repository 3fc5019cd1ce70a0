"""Lists of merged reflections, as CrystFEL's programs write them."""

import math
from dataclasses import dataclass
from pathlib import Path

from lute.errors import TaskFailed

Miller = tuple[int, int, int]
"""The indices h, k, l."""

_FIRST_LINE = "CrystFEL reflection list version 2.0"
_LAST_LINE = "End of reflections\n"


@dataclass(frozen=True)
class Reflection:
    """What was measured of one reflection.

    Attributes:
        intensity: merged, in arbitrary units.
        sigma: its uncertainty, in the same units.
        measurements: number of observations merged.
    """

    intensity: float
    sigma: float
    measurements: int

    @property
    def is_finite(self) -> bool:
        """Whether both numbers are numbers."""
        return math.isfinite(self.intensity) and math.isfinite(self.sigma)


def read_reflections(file: Path) -> dict[Miller, Reflection]:
    """Return the reflections of a list.

    Raises:
        TaskFailed: it is not there, is no such list, or breaks off; the message names file and line.
        OSError: it cannot be read.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            if lines.readline().rstrip() != _FIRST_LINE:
                raise TaskFailed(f"{file} is no list of reflections: it does not begin with '{_FIRST_LINE}'")
            found: dict[Miller, Reflection] = {}
            is_table = False
            for number, line in enumerate(lines, start=2):
                if line == _LAST_LINE:
                    return found
                if is_table:
                    miller, reflection = _row(line, f"{file}:{number}")
                    found[miller] = reflection
                else:
                    is_table = line.split()[:4] == ["h", "k", "l", "I"]
    except FileNotFoundError as error:
        raise TaskFailed(f"{file} was not written") from error
    raise TaskFailed(
        f"{file} breaks off after {len(found)} reflections",
        next_step="see whether the disk is full or the quota used up",
    )


def _row(line: str, where: str) -> tuple[Miller, Reflection]:
    try:
        h, k, l, intensity, _phase, sigma, measurements = line.split()  # noqa: E741 - its name
        return (int(h), int(k), int(l)), Reflection(float(intensity), float(sigma), int(measurements))
    except ValueError as error:
        raise TaskFailed(f"{where}: no reflection: {line.strip()[:60]!r}") from error
