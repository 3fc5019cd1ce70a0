"""The script around the launcher."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "launch_airflow.py"


def test_an_interrupt_before_the_launcher_has_begun_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    package = tmp_path / "lute" / "launch"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "main.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    script = shutil.copy(SCRIPT, tmp_path / "scripts")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
