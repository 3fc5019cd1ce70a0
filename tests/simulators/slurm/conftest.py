"""A running fake Slurm with real processes, private to each test."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulators.slurm.conf import SlurmConf
from simulators.slurm.daemon import SERVED_CONF, write_conf

ROOT = Path(__file__).parents[3]
BIN = ROOT / "simulators" / "slurm" / "bin"


def until(condition: Callable[[], object], what: str, timeout_s: float = 20) -> None:
    """Wait until `condition` is true; fail after a deadline that only a broken program reaches."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


class Served:
    """The daemon, and the commands as a user runs them."""

    def __init__(self, folder: Path, conf: SlurmConf) -> None:
        self.folder = folder
        self.work = folder / "w"
        self.work.mkdir()
        self.socket = folder / "slurm.sock"
        self.env = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "LUTE_SIM_SLURM_SOCKET": str(self.socket),
            "LUTE_SIM_SLURM_CONNECT_WAIT_S": "0.3",
            "LANG": "C.UTF-8",
        }
        (folder / "conf.json").write_text(write_conf(conf))
        self.daemon = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start a daemon and wait for its socket."""
        argv = [sys.executable, "-m", "simulators.slurm.daemon", "--socket", str(self.socket)]
        argv += ["--state-dir", str(self.folder / "state"), "--conf", str(self.folder / "conf.json")]
        daemon = subprocess.Popen(
            argv,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=(self.folder / "daemon.err").open("ab"),
        )
        until(lambda: self.socket.exists() or daemon.poll() is not None, "the daemon's socket")
        return daemon

    def run(self, *argv: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Run a command in the work folder; return exit code, output and error output."""
        done = subprocess.run(
            argv, cwd=self.work, env={**self.env, **(env or {})}, input=stdin, capture_output=True, timeout=60
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def submit(self, *argv: str, **how: object) -> str:
        """Run sbatch and return the job's id."""
        code, out, err = self.run("sbatch", "--parsable", *argv, **how)  # type: ignore[arg-type]
        assert code == 0, err
        return out.strip()

    def state(self, job_id: str) -> str:
        """Return `STATE Reason ExitCode` of a job."""
        text = self.run("scontrol", "-o", "show", "job", job_id)[1]
        fields = dict(word.split("=", 1) for word in text.split() if "=" in word)
        return f"{fields['JobState']} {fields['Reason']} {fields['ExitCode']}"

    def wait(self, job_id: str, state: str) -> None:
        """Wait until a job is in a state, given as `state()` returns it or as its beginning."""
        try:
            until(lambda: self.state(job_id).startswith(state), f"job {job_id} {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.state(job_id)}") from None

    def text(self, name: str) -> str:
        """Return a file of the work folder, empty if there is none."""
        path = self.work / name
        return path.read_text() if path.exists() else ""

    def stop(self) -> int:
        """End the daemon and return its exit code."""
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(timeout=30)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="lute-slurm-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def served(short_folder: Path) -> Iterator[Served]:
    """A daemon that looks at time limits often and kills soon."""
    slurm = Served(short_folder, replace(SERVED_CONF, limit_sweep_s=0.2, kill_wait_s=0.5))
    yield slurm
    if slurm.daemon.poll() is None:
        slurm.stop()
    assert (short_folder / "daemon.err").read_text() == ""
