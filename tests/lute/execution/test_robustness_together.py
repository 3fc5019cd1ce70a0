"""Many Tasks that store their results at the same moment, as those of one workflow on many nodes do."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.lute.execution.runs import Runs
from tests.lute.execution.test_executor import wait_for

NUMBER = 20


def start(folder: Path, work_dir: Path, who: int) -> int:
    """Start a process that runs an Executor, whose Task ends when it has read a byte of the pipe `go`."""
    folder.mkdir()
    runs = Runs(folder)
    executor = runs.shell_executor(f"touch ready-{who}; read -n 1 < go", work_dir=work_dir)
    if pid := os.fork():
        return pid
    try:
        os._exit(executor.run())
    finally:
        os._exit(99)


def test_twenty_tasks_end_at_once(tmp_path: Path) -> None:
    work_dir = tmp_path / "shared"
    work_dir.mkdir()
    os.mkfifo(work_dir / "go")
    children = [start(tmp_path / str(who), work_dir, who) for who in range(NUMBER)]
    for who in range(NUMBER):
        wait_for(work_dir / f"ready-{who}")
    go = os.open(work_dir / "go", os.O_RDWR)  # both ends, so that the bytes stay until they are read
    os.write(go, b"g" * NUMBER)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * NUMBER
    os.close(go)
    with closing(sqlite3.connect(work_dir / "lute.db")) as connection:
        rows = connection.execute("SELECT parameters FROM task_runs WHERE status = 'COMPLETED'").fetchall()
    stored = [json.loads(parameters)["executable"] for (parameters,) in rows]
    assert sorted(stored) == sorted(
        str(tmp_path / str(who) / "work 'dir'\nß/program") for who in range(NUMBER)
    )
