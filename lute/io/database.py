"""The results of all Task runs, in one SQLite file in the working directory.

Many jobs on many nodes write to the file over a shared file system. So there is a rollback journal
and no write-ahead log (which needs shared memory), each write is one transaction that takes its lock
at the start, and waiting for the lock takes as long as `LOCK_TIMEOUT_S`.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lute.errors import LuteError
from lute.redact import redact

FILE_NAME = "lute.db"
LOCK_TIMEOUT_S = 60.0
LAYOUT = 1

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS task_runs (
        id INTEGER PRIMARY KEY,
        task TEXT NOT NULL,
        managed_task TEXT NOT NULL,
        experiment TEXT NOT NULL,
        run TEXT NOT NULL,
        started TEXT NOT NULL,
        ended TEXT NOT NULL,
        status TEXT NOT NULL,
        return_code INTEGER NOT NULL,
        parameters TEXT NOT NULL,
        summary TEXT NOT NULL,
        payload TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS task_runs_by_run ON task_runs (experiment, run, task)",
    f"PRAGMA user_version = {LAYOUT}",
)

_INSERT = """INSERT INTO task_runs (
        task, managed_task, experiment, run, started, ended, status, return_code, parameters, summary, payload
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_LATEST = """SELECT payload, parameters FROM task_runs
    WHERE experiment = ? AND run = ? AND task = ? AND status = 'COMPLETED' ORDER BY id DESC"""

_OF_RUN = """SELECT
        task, managed_task, experiment, run, started, ended, status, return_code, parameters, summary, payload
    FROM task_runs WHERE experiment = ? AND run = ? ORDER BY id"""

_CAUSES: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "another process has held its lock for too long",
        "see with `fuser` which process holds it",
    ),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "move it away; a new one is made by the next Task"),
    sqlite3.SQLITE_NOTADB: (
        "the file is no SQLite database",
        "move it away; a new one is made by the next Task",
    ),
    sqlite3.SQLITE_READONLY: ("it may not be written", "check the permissions of file and directory"),
    sqlite3.SQLITE_FULL: ("the disk is full", "free space or enlarge the quota, then run the Task again"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "check that the directory exists and may be written"),
    sqlite3.SQLITE_IOERR: ("the file system reports an error", "check disk space and the mount"),
}


@dataclass(frozen=True)
class TaskRun:
    """One run of one Task: a row of the database.

    Attributes:
        started: UTC time in ISO 8601.
        ended: UTC time in ISO 8601.
        status: COMPLETED, FAILED or CANCELLED.
        return_code: of the Task's process; minus the signal's number where one ended it.
        parameters: all parameters by name, as JSON values.
        summary: what the Task says about its result.
        payload: its results by name, such as the files it wrote.
    """

    task: str
    managed_task: str
    experiment: str
    run: int | str
    started: str
    ended: str
    status: str
    return_code: int
    parameters: Mapping[str, object]
    summary: object
    payload: Mapping[str, object]


class Database:
    """The database of one working directory; opened anew for each call, never kept open.

    Args:
        file: path of the SQLite file; made by the first `store`.
        lock_timeout_s: how long to wait for other writers, in seconds.
    """

    def __init__(self, file: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.file = file
        self._lock_timeout_s = lock_timeout_s

    def store(self, run: TaskRun) -> None:
        """Add a row; tokens and passwords in its values are masked.

        Raises:
            LuteError: it could not be stored; the message says why and what to do.
        """
        row = (
            run.task,
            run.managed_task,
            run.experiment,
            str(run.run),
            run.started,
            run.ended,
            run.status,
            run.return_code,
            *(json.dumps(_masked(value)) for value in (run.parameters, run.summary, run.payload)),
        )
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(_INSERT, row)
            connection.execute("COMMIT")

    def latest(self, task: str, name: str, *, experiment: str, run: int | str) -> object | None:
        """Return the latest value of a result or parameter from a run of `task` that succeeded.

        Args:
            task: name of the Task.
            name: of the result or, where there is no such result, of the parameter.
            experiment: only its runs count.
            run: only runs of the Task on this run count.

        Returns:
            The value, None where there is none.

        Raises:
            LuteError: the database could not be read; the message says why and what to do.
        """
        if not self.file.exists():
            return None
        with self._connection() as connection:
            if _layout(connection) == 0:
                return None
            for row in connection.execute(_LATEST, (experiment, str(run), task)):
                for values in map(json.loads, row):
                    if values.get(name) is not None:
                        found: object = values[name]
                        return found
        return None

    def runs(self, *, experiment: str, run: int | str) -> list[TaskRun]:
        """Return all rows about a run, oldest first, their run as text; none where there is no database.

        Raises:
            LuteError: the database could not be read; the message says why and what to do.
        """
        if not self.file.exists():
            return []
        with self._connection() as connection:
            if _layout(connection) == 0:
                return []
            rows = connection.execute(_OF_RUN, (experiment, str(run))).fetchall()
        return [TaskRun(*row[:8], *map(json.loads, row[8:])) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            # SQLite itself would make a file that the group may not write.
            os.close(os.open(self.file, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o666))
            # No isolation level: transactions begin where this module says so, and nowhere else.
            with closing(
                sqlite3.connect(self.file, timeout=self._lock_timeout_s, isolation_level=None)
            ) as connection:
                self._check_layout(connection)
                yield connection
        except OSError as error:
            raise LuteError(
                f"the results database {self.file} cannot be opened: {error.strerror}",
                next_step="check that its directory exists and may be written",
            ) from error
        except sqlite3.Error as error:
            cause, next_step = _CAUSES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, (str(error), ""))
            raise LuteError(
                f"the results database {self.file} failed: {cause}", next_step=next_step
            ) from error

    def _check_layout(self, connection: sqlite3.Connection) -> None:
        layout = _layout(connection)
        if layout not in (0, LAYOUT):
            raise LuteError(
                f"the results database {self.file} has layout {layout}, this LUTE writes {LAYOUT}",
                next_step="move the file away, or use the LUTE that wrote it",
            )


def _layout(connection: sqlite3.Connection) -> int:
    """Return the number of the layout of the tables; 0 where there are none of ours yet."""
    row: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
    return row[0]


def _masked(value: object) -> object:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {str(key): _masked(child) for key, child in value.items()}
        case list() | tuple():
            return [_masked(child) for child in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return redact(str(value))
