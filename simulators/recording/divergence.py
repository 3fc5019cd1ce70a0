"""What the code now asks that is not in the recording, or no longer asks."""

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST_LINES = 30


@dataclass(frozen=True)
class Divergence:
    """One place where the present run and the recording differ.

    Attributes:
        line: of the nearest recorded exchange; None if there is none.
        diff: lines that begin with `-` are recorded, with `+` present.
    """

    file: Path
    line: int | None
    what: str
    diff: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        return "\n    ".join([f"{where}: {self.what}", *self.diff])


class Diverged(Exception):
    """A request has no recorded answer.

    Args:
        divergence: where it differs.
    """

    def __init__(self, divergence: Divergence) -> None:
        super().__init__(str(divergence))
        self.divergence = divergence


def difference(recorded: Any, present: Any) -> tuple[str, ...]:
    """Return the lines in which two JSON values differ."""
    before, now = _lines(recorded), _lines(present)
    found = [
        line
        for line in difflib.unified_diff(before, now, n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    cut = len(found) - _MOST_LINES
    return (*found[:_MOST_LINES], f"({cut} more lines)") if cut > 0 else tuple(found)


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
