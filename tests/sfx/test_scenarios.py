"""What the scenarios of the SFX workflow let a step print is what the real Task prints."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("psana")
pytest.importorskip("gemmi")

from lute.execution.verdict import failure_message
from simulators.diffraction.made_run import MadeRun, RunOptions
from simulators.diffraction.run import make_run
from simulators.scenario.catalogue import library

PROGRAMS = Path(sys.executable).parent


def run_task(made: MadeRun, task: str, work_dir: Path, preload: str = "") -> tuple[int, str]:
    env = os.environ | {
        "SIT_PSDM_DATA": str(made.folder),
        "EXPERIMENT": made.options.experiment,
        "RUN": str(made.options.run),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
    }
    argv = [sys.executable, "-m", "lute.run_task", "-c", str(made.config), "-t", task]
    if preload:
        argv = ["bash", "-c", f'{preload} && exec "$@"', "-", *argv]
    done = subprocess.run(argv, cwd=work_dir, env=env, capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout + done.stderr


def plain(message: str) -> str:
    """Return a message without the names of files and the numbers that differ between runs."""
    return re.sub(r"\d+", "0", re.sub(r"/[\w./-]+", "FILE", message))


def assert_as_in(scenario: str, log: str) -> None:
    (model,) = next(iter(library()[scenario].tasks.values()))
    assert plain(failure_message(log)) == plain(failure_message(model.log))
    told = {plain(line) for line in log.splitlines()}
    own = [line for line in model.log.splitlines() if not line.startswith("LUTE")]
    assert [line for line in map(plain, own) if line not in told] == [], log


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        ("sfx_no_hits", RunOptions(frames=4, hits=0)),
        ("sfx_missing_smalldata", RunOptions(frames=2, hits=1, with_smalldata=False)),
    ],
)
def test_peak_finding(scenario: str, options: RunOptions, tmp_path: Path) -> None:
    code, log = run_task(make_run(tmp_path / "run", options), "PeakFinderPyAlgos", tmp_path)
    assert code == 1
    assert_as_in(scenario, log)


def test_a_full_disk(made_run: MadeRun, tmp_path: Path) -> None:
    code, log = run_task(made_run, "PeakFinderPyAlgos", tmp_path, "ulimit -f 5000")
    assert code == 1
    # A limit on the size of files is what a test can set; it differs from a full disk in its name alone.
    assert_as_in("sfx_disk_full", log.replace("File too large", "No space left on device"))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeRun, Path]:
    """A run and the directory with its CXI files."""
    work_dir = tmp_path_factory.mktemp("found")
    made = make_run(work_dir / "run", RunOptions(frames=4, hits=3))
    code, log = run_task(made, "PeakFinderPyAlgos", work_dir)
    assert code == 0, log
    return made, work_dir


def wrong_cell(made: MadeRun, work_dir: Path) -> None:
    made.cell.write_text(made.cell.read_text().replace("40.00 A", "61.30 A"))


def wrong_geometry(made: MadeRun, work_dir: Path) -> None:
    made.geometry.write_text(made.geometry.read_text().replace("corner_x = -128", "corner_x = -40"))


def corrupt_cxi(made: MadeRun, work_dir: Path) -> None:
    (file,) = work_dir.glob("*_12_0_cub.cxi")
    os.truncate(file, 100_000)


@pytest.mark.parametrize("damage", [wrong_cell, wrong_geometry, corrupt_cxi])
def test_indexing(damage: Callable[[MadeRun, Path], None], found: tuple[MadeRun, Path]) -> None:
    made, work_dir = found
    kept = work_dir.parent / f"{work_dir.name}-kept"
    shutil.copytree(work_dir, kept)
    try:
        damage(made, work_dir)
        code, log = run_task(made, "CrystFELIndexer", work_dir)
        assert code == 1, log
        assert_as_in(f"sfx_{damage.__name__}", log)
    finally:
        shutil.rmtree(work_dir)
        kept.rename(work_dir)
