"""The tables of resolution shells that CrystFEL's programs write."""

import math
from pathlib import Path

from lute.errors import TaskFailed

_COLUMNS = 6
"""Centre in 1/nm, figure of merit, number of reflections, centre in Å, lower and upper edge in 1/nm."""


def check_shells(file: Path, shells: int) -> None:
    """Check that a table is whole and has a value for each shell.

    Args:
        shells: their number.

    Raises:
        TaskFailed: it breaks off, has no rows, or a shell has no value.
        OSError: it cannot be read.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    rows = [line.split() for line in text.splitlines()[1:]]
    if len(rows) != shells or not text.endswith("\n"):
        raise TaskFailed(f"{file} has {len(rows)} whole shells instead of {shells}")
    for number, row in enumerate(rows, start=1):
        try:
            values = [float(cell) for cell in row]
        except ValueError as error:
            raise TaskFailed(
                f"{file}: shell {number} is no row of numbers: {' '.join(row)[:80]!r}"
            ) from error
        if len(values) != _COLUMNS:
            raise TaskFailed(f"{file}: shell {number} has {len(values)} columns instead of {_COLUMNS}")
        if not math.isfinite(values[1]):
            raise TaskFailed(
                f"{file}: shell {number}, at {row[3]} Å, has the value {row[1]} from {row[2]} reflections",
                next_step="raise 'highres' to where the data end, lower 'nshells', or index more frames",
            )
