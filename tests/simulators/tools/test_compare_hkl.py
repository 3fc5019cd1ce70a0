"""The stand-in for compare_hkl: its figures are those that LUTE calculates from the same lists."""

import pytest

pytest.importorskip("h5py")
pytest.importorskip("gemmi")

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lute.io.header import Header
from lute.tasks.argv import render_argv
from lute.tasks.models.sfx import CompareHKLParameters
from lute.tasks.results.cell import read_cell
from lute.tasks.results.comparison import comparison_result
from lute.tasks.results.figures import OTHER_FRACTIONS, cc_star, common_pairs, correlation, r_split
from lute.tasks.results.reflections import read_reflections as read_by_lute
from simulators.tools.reflection_list import Reflections, write_reflections
from tests.lute.tasks.sfx_files import CELL_FILE, cubic_indices

Run = Callable[..., tuple[int, str]]
FOMS = ["R1I", "R1F", "R2", "Rsplit", "CC", "CCstar", "d1sig", "d2sig"]


@pytest.fixture
def compare(run: Run, tmp_path: Path) -> Run:
    """Compare a.hkl1 and a.hkl2 by arguments that LUTE makes of parameters; return its code and words."""
    (tmp_path / "c.cell").write_text(CELL_FILE)

    def compare_it(**values: object) -> tuple[int, str]:
        argv = render_argv(parameters(**values))
        return run("compare_hkl", *argv[1:])

    return compare_it


def parameters(**values: object) -> CompareHKLParameters:
    given = {"in_files": ["a.hkl1", "a.hkl2"], "symmetry": "432", "cell_file": "c.cell", "highres": 3.5}
    return CompareHKLParameters.model_validate(given | {"shell_file": "t.dat", "nshells": 5} | values)


def write_halves(folder: Path, seed: int, noise: float = 0.2, symmetry: str = "432") -> None:
    """Write two lists of the same reflections that differ by noise and scale."""
    rng = np.random.default_rng(seed)
    miller = np.array(cubic_indices(3.0))
    truth = rng.exponential(1000, len(miller))
    for half, scale in (("1", 1.0), ("2", 1.7)):
        kept = rng.random(len(miller)) > 0.1
        intensity = scale * truth * (1 + noise * rng.normal(size=len(miller)))
        sigma, count = np.full(len(miller), 150.0), rng.integers(2, 9, len(miller))
        write_reflections(
            Reflections(symmetry, miller, intensity, sigma, count).only(kept), folder / f"a.hkl{half}", []
        )


def _said(text: str) -> float:
    return float(re.findall(r"= +(-?[\d.]+)", text.splitlines()[-1])[-1])


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FOMS), st.integers(0, 1000), st.floats(0.05, 0.6), st.booleans(), st.booleans())
def test_the_figures_are_those_of_lute(
    compare: Run, tmp_path: Path, fom: str, seed: int, noise: float, is_fixed: bool, is_cut: bool
) -> None:
    write_halves(tmp_path, seed, noise)
    values: dict[str, object] = {"fom": fom, "fix_unity": is_fixed, "zero_negs": fom == "R1F"}
    if is_cut:
        values |= {"sigma_cutoff": 1.0, "min_measurements": 4, "lowres": 15.0}
    code, said = compare(**values)
    assert code == 0
    pairs = common_pairs(
        *(read_by_lute(tmp_path / f"a.hkl{half}") for half in "12"),
        read_cell(tmp_path / "c.cell"),
        parameters(**values),
    )
    cc = correlation(pairs)
    figures = {"Rsplit": 100 * r_split(pairs), "CC": cc, "CCstar": cc_star(cc)}
    expected = figures[fom] if fom in figures else 100 * OTHER_FRACTIONS[fom](pairs)
    assert f"{len(pairs)} reflection pairs accepted." in said
    assert _said(said) == pytest.approx(expected, abs=0.006)


def test_lute_reads_its_table(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    (tmp_path / "a.hkl").write_bytes((tmp_path / "a.hkl1").read_bytes())
    code, said = compare(nshells=10)
    assert code == 0
    header = Header(experiment="mfxl1013621", run=12, work_dir=tmp_path)
    summary = comparison_result(parameters(nshells=10), header).summary
    assert f"Overall Rsplit = {summary['Rsplit (%)']:.2f} %" in said
    lines = (tmp_path / "t.dat").read_text().splitlines()
    assert lines[0] == "  1/d centre Rsplit/%       nref      d / A   Min 1/nm    Max 1/nm"
    rows = np.array([line.split() for line in lines[1:]], float)
    assert rows[:, 2].sum() == summary["reflections compared"]
    assert rows[1:, 4].tolist() == rows[:-1, 5].tolist()
    assert rows[-1, 5] == pytest.approx(10 / 3.5, abs=1e-3)
    volumes = np.diff([rows[0, 4] ** 3, *(rows[:, 5] ** 3)])
    assert np.allclose(volumes, volumes.mean(), rtol=0.01)


def test_a_shell_without_reflections_has_no_figure(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    assert compare(highres=1.5)[0] == 0
    assert (tmp_path / "t.dat").read_text().splitlines()[-1].split()[1] == "nan"


def test_anomalous_figures(run: Run, compare: Run, tmp_path: Path) -> None:
    # Each reflection has its Friedel mate; the differences of the second list are twice those of the first.
    miller = np.array([(1, 2, 3), (2, 1, 3), (1, 2, 4), (2, 1, 4), (1, 2, 5), (2, 1, 5), (2, 2, 1)])
    mean = np.array([100.0, 100.0, 200.0, 200.0, 300.0, 300.0, 50.0])
    half_difference = np.array([5.0, -5.0, -8.0, 8.0, 2.0, -2.0, 0.0])
    for half, factor in (("1", 1), ("2", 2)):
        ones = np.ones(len(miller), int)
        intensity = mean + factor * half_difference
        reflections = Reflections("432", miller, intensity, ones.astype(float), ones)
        write_reflections(reflections, tmp_path / f"a.hkl{half}", [])
    figures = {}
    for fom in ("CCano", "CRDano", "Rano"):
        code, said = compare(fom=fom, nshells=1, fix_unity=True)
        assert code == 0
        assert "3 reflection pairs accepted." in said  # the centric one has no mate
        figures[fom] = _said(said)
    assert figures["CCano"] == pytest.approx(1)
    assert figures["CRDano"] == pytest.approx(3)
    differences, sums = np.array([15.0, 24.0, 6.0]).sum(), np.array([200.0, 400.0, 600.0]).sum()
    assert figures["Rano"] == pytest.approx(100 * 2 * differences / sums, abs=0.01)


def test_no_anomalous_figure_of_a_centrosymmetric_group(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1, symmetry="m-3m")
    code, said = compare(fom="CCano", symmetry="m-3m")
    assert code == 1
    assert "centrosymmetric" in said


def test_negative_intensities_have_no_structure_factor(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    assert "--zero-negs" in compare(fom="R1F")[1]
    assert compare(fom="R1F", ignore_negs=True)[0] == 0


def test_lists_that_do_not_have_the_point_group(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    miller = np.array([(1, 2, 3), (3, 1, 2), (2, 3, 1)])
    ones = np.ones(3)
    write_reflections(Reflections("432", miller, ones, ones, ones.astype(int)), tmp_path / "a.hkl2", [])
    code, said = compare()
    assert code == 1
    assert "The second input reflection list does not appear to have symmetry 432" in said


def test_lists_of_different_point_groups(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    text = (tmp_path / "a.hkl2").read_text()
    (tmp_path / "a.hkl2").write_text(text.replace("Symmetry: 432", "Symmetry: 23"))
    assert "432 and 23" in compare()[1]


def test_lists_with_nothing_in_common(compare: Run, tmp_path: Path) -> None:
    write_halves(tmp_path, 1)
    assert compare(highres=39.9, lowres=39.95, fix_unity=True)[0] == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "word", "gone"])
def test_lists_that_cannot_be_read(compare: Run, tmp_path: Path, damage: str) -> None:
    write_halves(tmp_path, 1)
    file = tmp_path / "a.hkl2"
    text = file.read_text()
    file.write_text({"cut": text[:900], "empty": "", "word": text.replace(" - ", " - x")}.get(damage, ""))
    if damage == "gone":
        file.unlink()
    code, said = compare()
    assert code == 1
    assert "a.hkl2" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.hkl1"], "exactly two"),
        (["a.hkl1", "a.hkl2", "-p", "c.cell", "--fom=Rfree"], "Unknown figure of merit 'Rfree'"),
        (["a.hkl1", "a.hkl2"], "--pdb"),
        (["a.hkl1", "a.hkl2", "-p", "c.cell", "--nshells=0"], "nshells"),
        (["a.hkl1", "a.hkl2", "-p", "c.cell", "--lowres=0"], "resolution"),
        (["a.hkl1", "a.hkl2", "-p", "c.cell", "--rfree=1"], "--rfree"),
        (["a.hkl1", "a.hkl2", "-p", "c.cell", "--shell-file=/none/such"], "/none/such"),
    ],
)
def test_what_it_cannot_do(run: Run, compare: Run, tmp_path: Path, arguments: list[str], why: str) -> None:
    write_halves(tmp_path, 1)
    code, said = run("compare_hkl", *arguments)
    assert code == 1
    assert why in said
