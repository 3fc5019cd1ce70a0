"""Ctrl-C in a real process."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from simulators.facility import WORKFLOWS

ROOT = Path(__file__).resolve().parents[3]


TELLING = """
import os
from lute.operators.jidoperators import JIDSlurmOperator

told = []
execute = JIDSlurmOperator.execute


def telling(self, context):
    if not told:
        told.append(os.open({pipe!r}, os.O_WRONLY))
        os.write(told[0], b"x")
    return execute(self, context)


JIDSlurmOperator.execute = telling
"""


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A folder of DAG files whose first step writes into a pipe, and what reads the pipe."""
    pipe = tmp_path / "ready"
    os.mkfifo(pipe)
    folder = tmp_path / "dags"
    folder.mkdir()
    text = (WORKFLOWS / "test.py").read_text()
    (folder / "test.py").write_text(text + TELLING.format(pipe=str(pipe)))
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    yield folder, reader
    os.close(reader)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_prints_what_was_done_and_leaves_no_process(
    workers: str, number: signal.Signals, ready: tuple[Path, int]
) -> None:
    folder, reader = ready
    words = ["explore", "test", "--dags", str(folder), "--seeds", "0:1000000", "--workers", workers, "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "simulators.cli", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            select.select([reader], [], [])
            children = psutil.Process(process.pid).children()
            assert len(children) == (2 if workers == "2" else 0)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            for left in [*psutil.Process(process.pid).children(), process] if process.poll() is None else []:
                left.kill()
    assert process.returncode == 130
    assert json.loads(out)["stopped"] is True
    assert "Traceback" not in err
    assert not [child for child in children if child.is_running()]
