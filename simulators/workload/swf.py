"""The Standard Workload Format, in which the Parallel Workloads Archive keeps logs of real clusters.

One job a line, 18 numbers each, -1 for unknown; lines that begin with `;` are comments, at the top
`; Name: value` (source: the archive's definition of the format, version 2.2).
"""

import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lute.errors import ConfigError
from simulators.workload.load import LoadJob, Outcome

_FIELDS = 18
_SUBMIT, _RUN, _ALLOCATED, _REQUESTED, _REQUESTED_TIME, _STATUS = 1, 3, 4, 7, 8, 10
_PARTIAL = (2, 3, 4)
"""Statuses of the parts of a job that another line tells as a whole."""
_GZIP_MAGIC = b"\x1f\x8b"

PART_OF_ANOTHER = "part of another job"
NO_SUBMIT = "no submit time"
NO_RUN = "no run time"
NO_PROCS = "no processors"


class SwfFile:
    """One log, plain or gzip, read line by line: it may be larger than the memory.

    Raises:
        ConfigError: the file cannot be read.

    Attributes:
        header: the comments of the form `; Name: value` above the first job; of equal names the last.
        skipped: why jobs were left out, and how many, as far as `jobs` has come.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.skipped: Counter[str] = Counter()
        self.header: dict[str, str] = {}
        with self._lines() as lines:
            for _, line in lines:
                if not line.startswith(";"):
                    break
                name, colon, value = line[1:].partition(":")
                if colon and name.strip():
                    self.header[name.strip()] = value.strip()

    @property
    def max_procs(self) -> int | None:
        """Processors of the logged cluster, None if the header does not tell."""
        return self._number("MaxProcs")

    @property
    def max_nodes(self) -> int | None:
        """Nodes of the logged cluster, None if the header does not tell."""
        return self._number("MaxNodes")

    @property
    def start_posix_s(self) -> int | None:
        """The log's start in POSIX seconds, None if the header does not tell."""
        return self._number("UnixStartTime")

    def jobs(self) -> Iterator[LoadJob]:
        """Yield the jobs that can be replayed, in the file's order, which is that of submission.

        Raises:
            ConfigError: a line is not one of a job; the message has its number.
        """
        self.skipped.clear()
        with self._lines() as lines:
            for number, line in lines:
                if line and not line.startswith(";"):
                    job = self._job(self._values(line, number), number)
                    if isinstance(job, str):
                        self.skipped[job] += 1
                    else:
                        yield job

    def _values(self, line: str, number: int) -> list[float]:
        words = line.split()
        if len(words) != _FIELDS:
            raise self._wrong(f"{len(words)} numbers instead of {_FIELDS}", number)
        values = []
        for word in words:
            try:
                value = float(word)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise self._wrong(f"not a number: {word}", number)
            values.append(value)
        return values

    def _job(self, values: list[float], number: int) -> LoadJob | str:
        """Return the job of a line, or why it cannot be replayed."""
        status = values[_STATUS]
        if status in _PARTIAL:
            return PART_OF_ANOTHER
        if values[_SUBMIT] < 0:
            return NO_SUBMIT
        run_s = values[_RUN]
        if run_s < 0:
            return NO_RUN
        procs = values[_REQUESTED] if values[_REQUESTED] > 0 else values[_ALLOCATED]
        if procs <= 0:
            return NO_PROCS
        if procs != int(procs):
            raise self._wrong(f"not a whole number of processors: {procs:g}", number)
        limit_s = values[_REQUESTED_TIME] if values[_REQUESTED_TIME] > 0 else (run_s // 60 + 1) * 60
        outcome = Outcome(int(status)) if status in (0, 5) else Outcome.COMPLETED
        return LoadJob(values[_SUBMIT], run_s, int(procs), limit_s, outcome)

    @contextmanager
    def _lines(self) -> Iterator[Iterator[tuple[int, str]]]:
        """Open the file; inside are its lines, stripped, with their numbers."""
        try:
            with self._open() as file:
                yield ((number, line.strip()) for number, line in enumerate(file, 1))
        except (OSError, EOFError, zlib.error) as error:  # the last two: a cut and a damaged file
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"cannot be read: {reason}", file=self._path) from error

    def _open(self) -> IO[str]:
        with self._path.open("rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        if is_gzip:
            return gzip.open(self._path, "rt", encoding="utf-8", errors="replace")
        return self._path.open(encoding="utf-8", errors="replace")

    def _number(self, name: str) -> int | None:
        value = self.header.get(name, "").split()
        return int(value[0]) if value and value[0].isascii() and value[0].isdigit() else None

    def _wrong(self, what: str, number: int) -> ConfigError:
        return ConfigError(
            f"not a line of the Standard Workload Format: {what}", file=self._path, line=number
        )
