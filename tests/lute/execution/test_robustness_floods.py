"""A Task that says more than anybody can read: nothing is lost, the Executor stays small, nobody hangs."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lute.execution.output import Output
from tests.lute.execution.runs import Runs, is_alive
from tests.lute.execution.test_executor import wait_for

MB = 1_000_000
MOST_GROWTH_MB = 100

DRIVER = """
import sys
from pathlib import Path
from tests.lute.execution.runs import Runs
def figure(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000
runs = Runs(Path(sys.argv[1]))
runs.stdout = 1
executor = runs.end_at(Path(sys.argv[1]) / "time is over", runs.python_executor(sys.argv[2], timeout_s=600))
Path("/proc/self/clear_refs").write_text("5")  # the highest use begins from now
before = figure("VmRSS")
exit_code = executor.run()
(Path(sys.argv[1]) / "growth_mb").write_text(str(figure("VmHWM") - before))
sys.exit(exit_code)
"""
"""Runs a Task and notes by how much the memory of the process that the Executor is in has grown."""

FLOOD = """
import threading
def write(fd, letter):
    for _ in range(100):
        rest = memoryview(letter * 1_000_000)
        while rest:
            rest = rest[os.write(fd, rest):]
def talk():
    for _ in range(100_000):
        to.log("X" * 1000)
threads = [threading.Thread(target=write, args=a) for a in ((1, b"Q"), (2, b"Z"))]
threads.append(threading.Thread(target=talk))
[t.start() for t in threads]
[t.join() for t in threads]
done()
"""


def start(folder: Path, script: str) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-c", DRIVER, str(folder), script]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])


def growth_mb(folder: Path) -> float:
    return float((folder / "growth_mb").read_text())


def test_a_hundred_megabytes_each_way(tmp_path: Path) -> None:
    counts = dict.fromkeys(b"QZX", 0)
    tail = b""
    with start(tmp_path, FLOOD) as process:
        assert process.stdout is not None
        while piece := os.read(process.stdout.fileno(), 1 << 20):
            for letter in counts:
                counts[letter] += piece.count(letter)
            tail = (tail + piece)[-2000:]
    assert process.returncode == 0
    assert counts == dict.fromkeys(b"QZX", 100 * MB)
    verdict = tail.splitlines()[-1]
    assert verdict.startswith(b"LUTE-VERDICT {")
    assert json.loads(verdict.removeprefix(b"LUTE-VERDICT "))["status"] == "COMPLETED"
    assert growth_mb(tmp_path) < MOST_GROWTH_MB


def test_a_reader_that_stalls_holds_up_the_task_and_not_the_clock(tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = f"""
for number in range(400):
    to.log("X" * 1_000_000)
    Path({str(said)!r} + "~").write_text(f"{{os.getpid()}} {{number}}")
    os.rename({str(said)!r} + "~", {str(said)!r})
done()
"""
    with start(tmp_path, script) as process:
        assert process.stdout is not None
        wait_for(said)
        before = ""
        while said.read_text() != before:  # until it is held up, or said all
            before = said.read_text()
            time.sleep(0.3)
        (tmp_path / "time is over").write_text("")
        pid, number = map(int, before.split())
        while is_alive(pid):
            time.sleep(0.05)
        output = process.stdout.read()
    assert process.returncode == 1
    assert number < 100
    assert b"'task_timeout'" in output.splitlines()[-1]
    assert growth_mb(tmp_path) < MOST_GROWTH_MB


def test_a_task_that_has_closed_its_output_may_still_talk(runs: Runs) -> None:
    outcome = runs.python("os.close(1); os.close(2)\nfor _ in range(20): to.log('X' * 1_000_000)\ndone()")
    assert outcome.exit_code == 0
    assert outcome.stdout.count(b"X") == 20 * MB


def test_an_array_in_the_middle_of_a_flood_of_connections(runs: Runs) -> None:
    outcome = runs.python(
        """
import numpy as np
from lute.execution.messenger import ChannelMessenger
others = [ChannelMessenger(None, job.address) for _ in range(300)]
for number, other in enumerate(others):
    other.log(f"number {number}")
others[150].send_array("a", np.zeros((1000, 1000)))
done()
"""
    )
    assert outcome.exit_code == 0
    assert {b"number %d" % number for number in range(300)} <= set(outcome.stdout.splitlines())
    assert b"LUTE: received 'a', float64 (1000, 1000)\n" in outcome.stdout


# The Executor's own output


def test_a_full_disk_loses_only_what_it_cannot_hold(tmp_path: Path) -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    output = Output(fd)
    output.write(b"lost\n")
    output.say("lost, too")
    os.dup2(os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY), fd)
    output.say("there is room again")
    os.close(fd)
    assert (tmp_path / "log").read_bytes() == b"\nthere is room again\n"


def test_an_output_that_somebody_made_non_blocking_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    output = Output(writing)
    got = bytearray()

    def read() -> None:
        while piece := os.read(reading, 1 << 16):
            got.extend(piece)

    reader = threading.Thread(target=read)
    os.write(writing, b"x" * (1 << 16))  # full, before anybody reads
    reader.start()
    output.write(b"y" * MB)
    os.close(writing)
    reader.join()
    os.close(reading)
    assert got.count(b"y") == MB


@pytest.mark.parametrize("size", [100, 10_000])
def test_room_is_a_matter_of_bytes(size: int) -> None:
    output = Output(os.open(os.devnull, os.O_WRONLY))
    output.is_pumped = True
    said = 0
    while output.has_room.is_set():
        output.say("x" * size)
        said += size + 1
    assert 8 << 20 < said <= (8 << 20) + size + 1
    output.flush()
    assert output.has_room.is_set()
