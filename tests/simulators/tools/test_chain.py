"""From frames to figures of merit, by the three stand-ins, as LUTE runs them and reads what they wrote."""

import pytest

pytest.importorskip("h5py")
pytest.importorskip("gemmi")

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lute.io.header import Header
from lute.tasks.argv import render_argv
from lute.tasks.models.sfx import (
    CompareHKLParameters,
    IndexCrystFELParameters,
    MergePartialatorParameters,
)
from lute.tasks.results.comparison import comparison_result
from lute.tasks.results.merge import merging_result
from lute.tasks.results.stream import indexing_result
from simulators.tools.reflection_list import read_reflections
from tests.simulators.tools.experiment import Experiment

Run = Callable[..., tuple[int, str]]


def test_the_figures_are_good_and_the_intensities_true(run: Run, tmp_path: Path) -> None:
    experiment = Experiment(crystals=(1,) * 30)
    files = experiment.write(tmp_path / "é")
    header = Header(experiment="mfxl1013621", run=12, work_dir=tmp_path)
    indexing = IndexCrystFELParameters.model_validate(
        {
            "in_file": str(files.listing),
            "out_file": "a.stream",
            "geometry": str(files.geometry),
            "cell_file": str(files.cell),
            "peaks": "cxi",
            "indexing": "asdf",
            "int_radius": "3,4,6",
            "nthreads": 2,
        }
    )
    assert run("indexamajig", *render_argv(indexing)[1:])[0] == 0
    assert indexing_result(indexing, header).summary["indexing rate (%)"] == 100.0
    merging = MergePartialatorParameters.model_validate(
        {"in_file": "a.stream", "out_file": "a.hkl", "symmetry": "432", "model": "xsphere", "niter": 1}
    )
    assert run("partialator", *render_argv(merging)[1:])[0] == 0
    merging_result(merging, header)
    comparing = CompareHKLParameters.model_validate(
        {
            "in_files": ["a.hkl1", "a.hkl2"],
            "symmetry": "432",
            "cell_file": str(files.cell),
            "shell_file": "a.dat",
            "nshells": 5,
            "highres": 4.0,
        }
    )
    assert run("compare_hkl", *render_argv(comparing)[1:])[0] == 0
    summary = comparison_result(comparing, header).summary
    assert float(summary["Rsplit (%)"]) < 15
    assert float(summary["CC*"]) > 0.98
    merged = read_reflections(tmp_path / "a.hkl")
    merged = merged.only(np.linalg.norm(merged.miller, axis=1) / 40 <= 1 / 4.0)
    truth = [experiment.intensities[tuple(miller)] for miller in merged.miller.tolist()]
    assert len(truth) > 100
    assert np.corrcoef(truth, merged.intensity)[0, 1] > 0.97


@pytest.mark.parametrize("model", ["unity", "offset", "ggpm"])
def test_other_models_merge_too(run: Run, tmp_path: Path, model: str) -> None:
    files = Experiment(crystals=(1,) * 6).write(tmp_path)
    given = ["-i", files.listing, "-o", "a.stream", "-g", files.geometry, "-p", files.cell, "--peaks=cxi"]
    assert run("indexamajig", *given, "--int-radius=3,4,6")[0] == 0
    assert run("partialator", "-i", "a.stream", "-o", "a.hkl", "-y", "m-3m", "-m", model)[0] == 0
    assert len(read_reflections(tmp_path / "a.hkl").miller) > 50
