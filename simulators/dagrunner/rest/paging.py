"""One page out of many rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

MOST_INTEGER = 2**63 - 1
"""A page that starts or ends beyond makes the database driver fail, hence HTTP 500 (measured, SQLite)."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Page:
    """What part of the rows is asked for.

    Attributes:
        limit: most rows; None for all of them.
        offset: rows to leave out before.
    """

    limit: int | None
    offset: int = 0

    def cut(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """Return the page's rows."""
        end = None if self.limit is None else self.offset + self.limit
        return rows[self.offset : end]

    def holds(self, count: int) -> bool:
        """Return whether the page has all of `count` rows."""
        return self.offset == 0 and (self.limit is None or count <= self.limit)
