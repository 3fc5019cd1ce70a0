"""The database after a writer has been killed by SIGKILL, at any moment."""

import json
import os
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from lute.io.database import Database, TaskRun
from tests.lute.io.test_database import RUN

SIZES = (1, 10_000, 3_000_000)
"""Characters of a row: one page, some pages, and more than SQLite keeps in memory until the commit."""


def row(number: int, size: int) -> TaskRun:
    return replace(RUN, payload={"number": number, "text": chr(ord("a") + number % 26) * size})


def write_for_ever(file: Path, size: int, acknowledge: int) -> None:
    """Store rows with the numbers from 0 on, and tell of each once it is stored."""
    database = Database(file)
    for number in count():
        database.store(row(number, size))
        os.write(acknowledge, b".")


def killed_writer(file: Path, size: int, rows: int, delay_s: float) -> int:
    """Kill a writer after `rows` rows and a delay; return how many rows it had told of."""
    reading, writing = os.pipe()
    writer = os.fork()
    if writer == 0:
        try:
            write_for_ever(file, size, writing)
        finally:
            os._exit(1)
    os.close(writing)
    told = 0
    while told < rows:
        told += len(os.read(reading, rows - told))
    time.sleep(delay_s)
    os.kill(writer, signal.SIGKILL)
    _, status = os.waitpid(writer, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    while more := os.read(reading, 1 << 16):
        told += len(more)
    os.close(reading)
    return told


def whole_rows(file: Path) -> list[int]:
    """Return the numbers of the rows in their order; check that the database and each row are whole."""
    with closing(sqlite3.connect(file)) as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = connection.execute("SELECT payload FROM task_runs ORDER BY id").fetchall()
    payloads = [json.loads(payload) for (payload,) in stored]
    assert all(payload == row(payload["number"], len(payload["text"])).payload for payload in payloads)
    assert {len(payload["text"]) for payload in payloads} <= {0, *SIZES}
    return [payload["number"] for payload in payloads]


@settings(max_examples=40, deadline=None)
@given(
    kills=st.lists(
        st.tuples(st.sampled_from(SIZES), st.integers(0, 2), st.integers(0, 9999)), min_size=1, max_size=3
    )
)
def test_killed_writers_leave_whole_rows_and_no_lock(kills: list[tuple[int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "lute.db"
        for size, rows, delay_us in kills:
            before = whole_rows(file)
            told = killed_writer(file, size, rows, delay_us * 1e-6)
            event(f"a journal is left: {Path(name, 'lute.db-journal').exists()}")
            # Nobody has to tidy up first, and nobody has to wait: the time for locks is short.
            Database(file, lock_timeout_s=1).store(row(-1, 0))
            new = whole_rows(file)[len(before) :]
            assert new in (
                [*range(told), -1],
                [*range(told + 1), -1],
            )  # the last may be stored, but not told of
            assert sorted(os.listdir(name)) == ["lute.db"]
