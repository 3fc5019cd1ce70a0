"""The demo command, as the README tells it, on the workflow that fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.served
def test_the_demo_shows_progress_log_steps_and_verdict_and_exits_as_the_launcher(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulators.cli", "demo", "test_failure"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    shown = done.stdout
    assert done.returncode == 1, shown + done.stderr
    assert re.search(r"stack ready after \d+ s", done.stderr)
    assert re.search(r"^\d\d:\d\d:\d\d job 1 launch_test_failure: RUNNING$", shown, re.MULTILINE)
    assert re.search(r"BinaryErrTester +│ +\d+ +│ sdfmilan\d+ │ FAILED", shown)
    assert "SocketTester: upstream_failed" in shown
    assert re.search(r"wall time \d+ s, critical path .*: overhead -?\d+\.\d s per step", shown)
    assert shown.rstrip().endswith("verdict: workflow test_failure FAILED (the launcher's exit code is 1)")
