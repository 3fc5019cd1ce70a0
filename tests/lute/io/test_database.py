import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lute.errors import LuteError
from lute.io.database import FILE_NAME, Database, TaskRun

RUN = TaskRun(
    task="Index",
    managed_task="Indexer",
    experiment="mfxl1",
    run=12,
    started="2026-11-22T10:00:00+00:00",
    ended="2026-11-22T10:01:00+00:00",
    status="COMPLETED",
    return_code=0,
    parameters={"out_file": "/d/a b'\"\n.stream", "symmetry": "mmm", "empty": None},
    summary={"rate": 0.5},
    payload={},
)

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.lute.io.test_database import RUN
from lute.io.database import Database
database = Database(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    database.store(replace(RUN, payload={"who": sys.argv[2], "number": number}))
"""


def latest(database: Database, name: str, **where: object) -> object:
    return database.latest("Index", name, **{"experiment": "mfxl1", "run": 12, **where})


def start_writer(file: Path, who: str, number: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(file), who, str(number)])


def test_latest_successful_value(tmp_path: Path) -> None:
    database = Database(tmp_path / "a dir 'ö'\n.db")
    assert latest(database, "out_file") is None
    assert not database.file.exists()
    database.store(RUN)
    database.store(replace(RUN, parameters={"out_file": "newer"}, payload={"extra": [1, 2]}))
    database.store(replace(RUN, status="FAILED", parameters={"out_file": "failed"}))
    database.store(replace(RUN, run=13, parameters={"out_file": "other run"}))
    assert latest(database, "out_file") == "newer"
    assert latest(database, "symmetry") == "mmm"
    assert latest(database, "extra") == [1, 2]
    assert latest(database, "empty") is None
    assert latest(database, "out_file", run="13") == "other run"
    assert latest(database, "out_file", experiment="other") is None


def test_a_result_comes_before_a_parameter(tmp_path: Path) -> None:
    database = Database(tmp_path / "lute.db")
    database.store(replace(RUN, payload={"out_file": "/abs/result"}))
    assert latest(database, "out_file") == "/abs/result"


def test_the_file_has_a_rollback_journal_and_the_mode_of_the_umask(tmp_path: Path) -> None:
    database = Database(tmp_path / "lute.db")
    before = os.umask(0o002)
    try:
        database.store(RUN)
    finally:
        os.umask(before)
    assert database.file.stat().st_mode & 0o777 == 0o664
    assert [path.name for path in tmp_path.iterdir()] == ["lute.db"]
    with sqlite3.connect(database.file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_no_secret_is_stored(tmp_path: Path) -> None:
    database = Database(tmp_path / "lute.db")
    database.store(
        replace(RUN, parameters={"header": "Bearer abcdefgh12345678", "nested": ["password=hunter2x"]})
    )
    content = database.file.read_bytes()
    assert b"abcdefgh12345678" not in content
    assert b"hunter2x" not in content


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"this is not a database, not at all" * 100, "no SQLite database"), (None, "damaged")],
)
def test_a_broken_file(tmp_path: Path, content: bytes | None, says: str) -> None:
    database = Database(tmp_path / "lute.db")
    if content is None:
        for number in range(50):
            database.store(replace(RUN, payload={"text": "x" * 1000, "number": number}))
        raw = database.file.read_bytes()
        content = raw[:4096] + b"\xa5" * (len(raw) - 4096)
    database.file.write_bytes(content)
    with pytest.raises(LuteError, match=says) as caught:
        database.store(RUN)
    assert "move it away" in caught.value.next_step


def test_a_file_of_another_layout(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lute.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LuteError, match="layout 99"):
        Database(tmp_path / "lute.db").store(RUN)


def test_a_file_without_our_tables(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lute.db") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    assert latest(Database(tmp_path / "lute.db"), "out_file") is None


def test_locked_for_too_long(tmp_path: Path) -> None:
    database = Database(tmp_path / "lute.db", lock_timeout_s=0.1)
    database.store(RUN)
    holder = sqlite3.connect(database.file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LuteError, match="another process has held its lock for too long"):
        database.store(RUN)
    holder.execute("ROLLBACK")
    holder.close()
    database.store(RUN)


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LuteError, match="No such file or directory"):
        Database(tmp_path / "none" / "lute.db").store(RUN)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_READONLY, "may not be written"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "may not be written"),
        (sqlite3.SQLITE_IOERR_WRITE, "the file system reports an error"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_MISUSE, "words of SQLite"),
    ],
)
def test_every_cause_has_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    def connect(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("words of SQLite")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(LuteError, match=says):
        Database(tmp_path / "lute.db").store(RUN)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    database = Database(tmp_path / "lute.db")
    database.store(RUN)
    database.file.chmod(0o444)
    with pytest.raises(LuteError, match="may not be written"):
        database.store(RUN)


def test_many_writers_at_once(tmp_path: Path) -> None:
    file = tmp_path / "lute.db"
    writers = [start_writer(file, str(who), 5) for who in range(20)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 20
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM task_runs").fetchone() == (100,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_writers_that_are_killed(tmp_path: Path) -> None:
    file = tmp_path / "lute.db"
    database = Database(file)
    database.store(RUN)
    for who in range(3):
        writer = start_writer(file, str(who), 100_000)
        with sqlite3.connect(file, timeout=60) as connection:
            before = connection.execute("SELECT count(*) FROM task_runs").fetchone()
            while connection.execute("SELECT count(*) FROM task_runs").fetchone() == before:
                pass
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        database.store(replace(RUN, payload={"after": who}))
        assert latest(database, "after") == who
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_all_rows_of_a_run_oldest_first(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE_NAME)
    assert database.runs(experiment="a", run=1) == []
    rows = [
        TaskRun("T", "M", "a", 1, "2026-01-01", "2026-01-02", "FAILED", 1, {"p": None}, "no", {}),
        TaskRun(
            "T", "M", "a", 1, "2026-01-03", "2026-01-04", "COMPLETED", 0, {"p": [1]}, {"hits": 2}, {"o": "x"}
        ),
    ]
    for row in (*rows, replace(rows[0], run=2), replace(rows[0], experiment="b")):
        database.store(row)
    assert database.runs(experiment="a", run=1) == [replace(row, run="1") for row in rows]
    (tmp_path / FILE_NAME).write_bytes(b"")
    assert database.runs(experiment="a", run=1) == []
