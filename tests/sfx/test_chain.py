"""The whole chain on a made run, step by step: what it finds is what is true."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("psana")
pytest.importorskip("gemmi")

from lute.io.database import FILE_NAME, Database, TaskRun
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState
from lute.tasks.results.reflections import read_reflections
from simulators.diffraction.crystal import CELL_A, POINT_GROUP
from simulators.diffraction.inputs import HIGHEST_RESOLUTION_A
from simulators.diffraction.made_run import MadeRun
from simulators.diffraction.truth import read_truth
from simulators.serve.results import latest_runs, step_results
from simulators.sfx_report.events import read_hits
from simulators.sfx_report.report import SfxRun, misorientations_deg, report

STEPS = ("PeakFinderPyAlgos", "CrystFELIndexer", "PartialatorMerger", "HKLComparer")
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Programs:
    """Who indexes, merges and compares, and how many percent of the hits they must index."""

    name: str
    indexed_percent: float


STAND_INS, CRYSTFEL = Programs("stand-ins", 95), Programs("CrystFEL", 60)


@dataclass(frozen=True)
class Analysis:
    made: MadeRun
    programs: Programs
    work_dir: Path
    runs: Mapping[str, TaskRun]

    def file(self, task: str) -> Path:
        return Path(str(self.runs[task].payload["out_file"]))

    def figures(self, task: str) -> Mapping[str, float]:
        summary = self.runs[task].summary
        assert isinstance(summary, Mapping)
        return summary


@pytest.fixture(scope="module", params=[STAND_INS, CRYSTFEL], ids=lambda programs: programs.name)
def analysis(
    request: pytest.FixtureRequest, made_run: MadeRun, tmp_path_factory: pytest.TempPathFactory
) -> Analysis:
    programs: Programs = request.param
    work_dir = tmp_path_factory.mktemp("work")
    config = work_dir / "config.yaml"
    text = made_run.config.read_text(encoding="utf-8")
    if programs is CRYSTFEL:
        if not shutil.which("indexamajig"):
            pytest.skip("CrystFEL is not installed: there is no indexamajig in the PATH")
        text = re.sub(r"^ *executable:.*\n", "", text, flags=re.MULTILINE)
    config.write_text(text, encoding="utf-8")
    env = os.environ | {
        "SIT_PSDM_DATA": str(made_run.folder),
        "EXPERIMENT": made_run.options.experiment,
        "RUN": str(made_run.options.run),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
    }
    for step in STEPS:
        argv = [sys.executable, "-m", "lute.run_task", "-c", str(config), "-t", step]
        done = subprocess.run(argv, cwd=work_dir, env=env, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
    database = Database(work_dir / FILE_NAME)
    return Analysis(
        made_run, programs, work_dir, latest_runs(database, made_run.options.experiment, made_run.options.run)
    )


def test_hits_are_the_true_ones(analysis: Analysis) -> None:
    truth = read_truth(analysis.made.truth)
    hits = read_hits(analysis.file("FindPeaksPyAlgos"), None)
    assert [hit.event for hit in hits] == sorted(truth.shots)
    assert analysis.figures("FindPeaksPyAlgos")["hits"] == len(truth.shots) == 58


def test_orientations_are_the_true_ones(analysis: Analysis) -> None:
    hits = read_hits(analysis.file("FindPeaksPyAlgos"), analysis.file("IndexCrystFEL"))
    off_deg = misorientations_deg(hits, read_truth(analysis.made.truth), POINT_GROUP)
    assert sum(angle <= 1 for angle in off_deg.values()) >= analysis.programs.indexed_percent * 58 / 100
    assert np.median(list(off_deg.values())) < 0.3


def test_figures_of_merit(analysis: Analysis) -> None:
    figures = analysis.figures("CompareHKL")
    assert 0 < figures["Rsplit (%)"] < 15
    assert 0.98 < figures["CC*"] < 1
    assert figures["completeness (%)"] > 95


def test_intensities_are_the_true_ones(analysis: Analysis) -> None:
    merged = read_reflections(analysis.file("MergePartialator"))
    true = read_reflections(analysis.made.true_reflections)
    shared = [
        miller
        for miller in merged.keys() & true.keys()
        if CELL_A / np.linalg.norm(miller) >= HIGHEST_RESOLUTION_A
    ]
    assert len(shared) > 200
    pairs = np.array([(merged[miller].intensity, true[miller].intensity) for miller in shared])
    assert np.corrcoef(pairs.T)[0, 1] > 0.97


def page(analysis: Analysis, runs: Mapping[str, TaskRun]) -> str:
    start = datetime(2026, 11, 25, 12, tzinfo=UTC)
    jobs = [
        SlurmJob(
            str(number),
            step,
            SlurmState.COMPLETED,
            "",
            "0:0",
            "n1",
            4,
            "milano",
            "a",
            start,
            start + timedelta(seconds=number),
            start + timedelta(seconds=number + 9),
            "/l",
            "/w",
        )
        for number, step in enumerate(STEPS)
    ]
    return report(SfxRun("a <run>", runs, jobs, read_truth(analysis.made.truth), POINT_GROUP))


def test_the_page(analysis: Analysis) -> None:
    text = page(analysis, analysis.runs)
    assert "<h1>a &lt;run&gt;</h1>" in text
    assert "58 of 58 hits found, 0 false; " in text
    assert re.search(r"\d\d of 58 indexed within 1°, median 0\.\d\d°", text)
    assert set(re.findall(r'Plotly\.newPlot\("(\w+)"', text)) == {"events", "frame", "shells", "steps"}
    for found in step_results(analysis.runs).values():
        assert found in text


def test_the_page_of_a_run_that_stopped_early(analysis: Analysis) -> None:
    found = {"FindPeaksPyAlgos": analysis.runs["FindPeaksPyAlgos"]}
    text = page(analysis, found)
    assert "58 of 58 hits found, 0 false; 0 of 58 indexed within 1°." in text
    assert set(re.findall(r'Plotly\.newPlot\("(\w+)"', text)) == {"events", "frame", "steps"}
    assert re.findall(r'Plotly\.newPlot\("(\w+)"', page(analysis, {})) == ["steps"]
