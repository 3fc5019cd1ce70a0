import os
import sys
from pathlib import Path

import psutil
import pytest

from lute.seams import SystemCommands
from lute.seams.commands import CommandTimeout


def test_output_exit_code_environment_and_directory(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(os.environ['A'], os.getcwd()); sys.stderr.buffer.write(b'e\\xff'); sys.exit(3)"
    )
    done = SystemCommands().run([sys.executable, "-c", code], timeout_s=60, env={"A": "x y"}, cwd=tmp_path)
    assert (done.exit_code, done.stdout, done.stderr) == (3, f"x y {tmp_path}\n", "e\ufffd")


def test_a_signal_is_a_negative_exit_code() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert SystemCommands().run([sys.executable, "-c", code], timeout_s=60).exit_code == -9


def test_no_such_program() -> None:
    with pytest.raises(FileNotFoundError):
        SystemCommands().run(["/no/such/program"], timeout_s=1)


def test_one_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = f"{os.getpid()}_{tmp_path.name}"
    script = f"sleep 60 & : {mark}; echo started; sleep 61"
    with pytest.raises(CommandTimeout, match=r"was still running after 0\.5 s"):
        SystemCommands().run(
            ["/bin/bash", "-c", script], timeout_s=0.5, env={"MARK": mark, "PATH": "/bin:/usr/bin"}
        )
    alive = [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get("MARK") == mark]
    psutil.wait_procs(alive, timeout=5)
    assert not [process for process in alive if process.is_running() and process.status() != "zombie"]
