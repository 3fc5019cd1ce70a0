"""The stand-in for indexamajig, on frames of crystals whose orientation is known."""

import pytest

pytest.importorskip("h5py")
pytest.importorskip("gemmi")

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.argv import render_argv
from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.results.stream import StreamCounts, count_stream, indexing_result
from simulators.sfx_report.orientation import misorientation_deg
from simulators.tools.cell_file import Cell
from simulators.tools.indexamajig import PROGRAM
from simulators.tools.point_groups import PointGroup
from simulators.tools.stream_reader import read_crystals
from tests.simulators.tools.experiment import CUBIC, PIXELS, Experiment, Files

Index = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'it\'s é, "quoted" & 50%'


def _result(files: Files) -> object:
    """Return what LUTE makes of a stream."""
    names = {"in_file": files.listing, "out_file": files.stream, "geometry": files.geometry}
    parameters = IndexCrystFELParameters.model_validate({key: str(name) for key, name in names.items()})
    return indexing_result(
        parameters, Header(experiment="mfxl1013621", run=12, work_dir=files.folder)
    ).summary


def test_it_finds_how_each_crystal_lies(index: Index, folder: Path) -> None:
    files = Experiment().write(folder)
    code, said = index(files)
    assert code == 0
    assert said.endswith("Final: 6 images processed, 6 had crystals (100.0%), 6 crystals overall.\n")
    crystals = list(read_crystals(files.stream))
    for crystal, truth in zip(crystals, files.reciprocal, strict=True):
        assert misorientation_deg(crystal.reciprocal, truth, "432") < 0.5
        assert len(crystal.miller) > 50
    assert _result(files) == {
        "frames": 6,
        "hits": 6,
        "indexed": 6,
        "crystals": 6,
        "indexing rate (%)": 100.0,
    }


@pytest.mark.parametrize(
    ("cell", "group", "camera_length_mm"),
    [
        (Cell((79.2, 79.2, 38, 90, 90, 90), lattice_type="tetragonal", unique_axis="c"), "422", 150),
        (Cell((35, 45, 60, 90, 90, 90)), "222", 110),
        (Cell((45, 45, 60, 90, 90, 120)), "622", 110),
        (Cell((35, 45, 50, 90, 105, 90)), "2_uab", 110),
        (Cell((30, 36, 43, 80, 98, 105)), "1", 90),
        (Cell((62, 45, 41, 90, 103, 90), "C"), "2_uab", 110),
        (Cell((60, 60, 60, 90, 90, 90), "I"), "432", 110),
        (Cell((60, 60, 80, 90, 90, 120), "H"), "321_H", 110),
        (Cell((60, 60, 9, 90, 90, 90)), "422", 110),
    ],
    ids=lambda value: f"{value.parameters}{value.centering}" if isinstance(value, Cell) else str(value),
)
def test_it_holds_for_every_kind_of_cell(
    index: Index, folder: Path, cell: Cell, group: str, camera_length_mm: int
) -> None:
    files = Experiment(cell, group, camera_length_mm, crystals=(1,) * 4).write(folder)
    assert index(files)[0] == 0
    crystals = list(read_crystals(files.stream))
    for crystal, truth in zip(crystals, files.reciprocal, strict=True):
        assert misorientation_deg(crystal.reciprocal, truth, group) < 1
        assert cell.allows(crystal.miller).all()


def test_intensities_are_those_of_the_crystal(index: Index, folder: Path) -> None:
    experiment = Experiment(crystals=(1,) * 3)
    files = experiment.write(folder)
    index(files)
    for crystal in read_crystals(files.stream):
        rays = crystal.miller @ crystal.reciprocal + np.array([0, 0, 1 / crystal.wavelength_a])
        errors = np.linalg.norm(rays, axis=1) - 1 / crystal.wavelength_a
        expected = np.exp(-((errors / 0.0015) ** 2) / 2) * [
            experiment.intensity(one) for one in PointGroup("432").asymmetric(crystal.miller)
        ]
        assert np.corrcoef(expected, crystal.intensity)[0, 1] > 0.95


def test_several_crystals_of_a_frame(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(2, 1, 2)).write(folder)
    assert "3 had crystals" in index(files, "--multi")[1]
    counts = count_stream(files.stream)
    assert counts.crystals == 5
    index(files)
    assert count_stream(files.stream).crystals <= 3


@pytest.mark.parametrize("edge", [37.0, 43.0, 47.0])
def test_a_wrong_cell_explains_nothing(index: Index, folder: Path, edge: float) -> None:
    files = Experiment().write(folder)
    files.cell.write_text(Cell((edge, edge, edge, 90, 90, 90)).text())
    code, said = index(files, "--multi")
    assert code == 0
    assert "Final: 6 images processed, 0 had crystals (0.0%), 0 crystals overall." in said
    assert count_stream(files.stream) == StreamCounts(6, 6, 0, 0, peaks=929)
    with pytest.raises(TaskFailed, match="none of 6 hits"):
        _result(files)


def test_a_superlattice_explains_all(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1, 1)).write(folder)
    files.cell.write_text(Cell((80, 80, 80, 90, 90, 90)).text())
    assert "2 had crystals" in index(files)[1]


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_wrong_camera_length_explains_nothing(index: Index, folder: Path, factor: float) -> None:
    files = Experiment().write(folder)
    text = files.geometry.read_text()
    files.geometry.write_text(re.sub(r"clen = .*", f"clen = {0.085 * factor}", text))
    assert "0 had crystals" in index(files)[1]


def test_peaks_of_no_crystal_are_not_indexed(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(0, 1, 0, 0)).write(folder)
    assert "4 images processed, 1 had crystals (25.0%)" in index(files)[1]


def test_bad_pixels_count_for_nothing(index: Index, folder: Path) -> None:
    bad = (slice(100, 160), slice(30, 200))
    files = Experiment(bad=bad).write(folder)
    assert "6 had crystals" in index(files)[1]
    for line in files.stream.read_text().splitlines():
        if re.match(r"( +-?\d+){3}( +-?\d+\.\d+){6} 0$", line):
            fs, ss = map(float, line.split()[7:9])
            assert not (27 < fs < 203 and 97 < ss < 163)
            assert abs(float(line.split()[3])) < 1e5


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_frames_give_the_same_bytes(index: Index, folder: Path, workers: int) -> None:
    files = Experiment().write(folder)
    texts = []
    for count in (1, workers):
        index(files, "-j", count)
        texts.append(files.stream.read_text().partition("----- Begin geometry")[2])
    assert texts[0] == texts[1]


def test_the_stream_names_the_stand_in(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    index(files)
    lines = files.stream.read_text().splitlines()
    assert lines[0] == "CrystFEL stream format 2.3"
    assert lines[1] == "Generated by standin-indexamajig (not CrystFEL), LUTE simulators"
    assert lines[2].startswith("standin-indexamajig -i ")


@pytest.mark.parametrize(
    ("option", "present", "absent"),
    [
        ("--no-peaks-in-stream", "Reflections measured", "Peaks from peak search"),
        ("--no-refls-in-stream", "Peaks from peak search", "Reflections measured"),
        ("--cell-parameters-only", "num_reflections = 0", "   0    0    "),
        ("--indexing=none", "indexed_by = none", "Begin crystal"),
        (
            "--copy-header=/LCLS/photon_energy_eV",
            "header/float//LCLS/photon_energy_eV = 9500.0",
            "header/int",
        ),
        ("--serial-offset=41", "Image serial number: 42", "Image serial number: 1\n"),
        ("--min-peaks=1000", "hit = 0", "hit = 1"),
        ("--fix-profile-radius=1e7", "profile_radius = 0.01000", "profile_radius = 0.03"),
    ],
)
def test_options(index: Index, folder: Path, option: str, present: str, absent: str) -> None:
    files = Experiment(crystals=(1, 1)).write(folder)
    assert index(files, option)[0] == 0
    text = files.stream.read_text()
    assert present in text
    assert absent not in text
    assert count_stream(files.stream).frames == 2


def test_no_pixel_beyond_highres(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    index(files, "--highres=5")
    (crystal,) = read_crystals(files.stream)
    assert 0.18 < np.linalg.norm(crystal.miller @ crystal.reciprocal, axis=1).max() <= 0.2


def test_frames_that_are_no_hits_are_left_out(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1, 0)).write(folder)
    index(files, "--no-non-hits-in-stream", "--min-peaks=60")
    assert count_stream(files.stream) == StreamCounts(1, 1, 1, 1, peaks=177)


def test_lists_name_events_and_files_elsewhere(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1, 1, 1)).write(folder)
    files.listing.write_text(f"\n/gone/{files.name} //2\n\n")
    assert index(files, "--basename", f"--prefix={folder}/")[0] == 0
    text = files.stream.read_text()
    assert f"Image filename: {files.images}\nEvent: //2\nImage serial number: 1\n" in text
    assert count_stream(files.stream).frames == 1


def test_a_master_file_of_virtual_datasets(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1, 1)).write(folder)
    with h5py.File(files.images, "a") as file:
        file.move("entry_1/data_1/data", "entry_1/data_1/real")
        layout = h5py.VirtualLayout((2, PIXELS, PIXELS), np.float32)
        layout[:] = h5py.VirtualSource("part.cxi", "entry_1/data_1/real", (2, PIXELS, PIXELS))
        file.create_virtual_dataset("entry_1/data_1/data", layout)
    code, said = index(files)
    assert code == 1
    assert str(files.images) in said
    assert "part.cxi" in said
    (folder / "part.cxi").write_bytes(files.images.read_bytes())
    assert "2 had crystals" in index(files)[1]


def test_an_empty_list(index: Index, folder: Path) -> None:
    files = Experiment(crystals=()).write(folder)
    assert index(files) == (0, "Final: 0 images processed, 0 had crystals (0.0%), 0 crystals overall.\n")
    assert count_stream(files.stream).frames == 0


@pytest.mark.parametrize("method", ["mosflm", "xds", "dirax", "felix", "asdf,mosflm-latt"])
def test_methods_that_are_separate_programs(index: Index, folder: Path, method: str) -> None:
    _assert_header_only(index, folder, f"--indexing={method}", "program not found")


@pytest.mark.parametrize("method", ["xgandalf", "pinkIndexer", "ffbidx"])
def test_methods_that_are_not_compiled(index: Index, folder: Path, method: str) -> None:
    _assert_header_only(index, folder, f"--indexing={method}", "compiled without")


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--indexing=asdf-nocell", "known cell"),
        ("--indexing=file", "none such"),
        ("--indexing=magic", "Unrecognised"),
        ("--peaks=peakfinder8", "--peaks=cxi"),
        ("--int-radius=5,4,3", "int-radius"),
        ("--int-radius=5,4", "int-radius"),
        ("--tolerance=a,b", "tolerance"),
        ("--highres=far", "highres"),
    ],
)
def test_what_it_cannot_do(index: Index, folder: Path, option: str, why: str) -> None:
    _assert_header_only(index, folder, option, why)


def _assert_header_only(index: Index, folder: Path, option: str, why: str) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    code, said = index(files, option)
    assert code == 1
    assert why in said
    assert count_stream(files.stream).frames == 0


def test_without_a_cell(run: Index, folder: Path) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    given = ["-i", files.listing, "-o", files.stream, "-g", files.geometry, "--peaks=cxi"]
    code, said = run("indexamajig", *given)
    assert code == 1
    assert "known cell" in said
    assert run("indexamajig", *given, "--indexing=none")[0] == 0


@pytest.mark.parametrize("missing", ["listing", "geometry", "cell", "images"])
def test_a_file_that_is_missing_is_named(index: Index, folder: Path, missing: str) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    getattr(files, missing).unlink()
    code, said = index(files)
    assert code == 1
    assert str(getattr(files, missing)) in said


@pytest.mark.parametrize("size", [0, 100, 100_000])
def test_a_truncated_image_file_is_named(index: Index, folder: Path, size: int) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    files.images.write_bytes(files.images.read_bytes()[:size])
    code, said = index(files)
    assert code == 1
    assert f"Failed to read '{files.images}'" in said


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_before_a_broken_one_stay_in_the_stream(index: Index, folder: Path, workers: int) -> None:
    files = Experiment(crystals=(1, 1)).write(folder)
    broken = Experiment(crystals=(1,)).write(folder, "broken.cxi")
    with h5py.File(broken.images, "a") as file:
        del file["LCLS/photon_energy_eV"]
    files.listing.write_text(f"{files.images}\n{broken.images}\n")
    code, said = index(files, "-j", workers)
    assert code == 1
    assert f"Failed to read '{broken.images}'" in said
    assert "/LCLS/photon_energy_eV" in said
    assert count_stream(files.stream) == StreamCounts(2, 2, 2, 2, peaks=292)


def test_a_stream_that_cannot_be_written(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    code, said = index(files, "-o", "/proc/nowhere/x.stream")
    assert code == 1
    assert "/proc/nowhere/x.stream" in said


def test_every_option_of_the_task_is_taken(run: Index) -> None:
    values: dict[str, object] = {}
    for name, field in IndexCrystFELParameters.model_fields.items():
        text = str(field.annotation)
        values[name] = "1" if "str" in text and "list" not in text else 1
        if "bool" in text:
            values[name] = True
        elif "list" in text:
            values[name] = ["/a", "/b"]
    values |= {"int_radius": "3,4,6", "peak_radius": "3,4,6", "tolerance": "5,5,5,1.5", "peaks": "cxi"}
    values |= {"indexing": "asdf", "fromfile_input_file": "/a.sol"}
    argv = render_argv(IndexCrystFELParameters.model_validate(values))
    code, said = run("indexamajig", *argv[1:])
    assert (code, "Failed to open '1'" in said) == (1, True), said
    ignored = re.search(r"ignored by the stand-in: (.*)", said)
    assert ignored
    assert {"--xgandalf-tolerance", "--asdf-fast", "--profile"} <= set(ignored[1].split())
    assert not {"-i", "--multi", "--int-radius"} & set(ignored[1].split())


@pytest.mark.parametrize("argument", ["--tolerence=5", "-Q", "--multi=1", "--highres"])
def test_an_option_that_there_is_not(run: Index, argument: str) -> None:
    code, said = run("indexamajig", argument)
    assert code == 1
    assert argument.strip("-")[:5] in said


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argument in ("--version", "--help"):
        assert PROGRAM.run(lambda _: None, ["x", argument]) == 0
        assert "standin-indexamajig (not CrystFEL), LUTE simulators" in capsys.readouterr().out


def test_the_cell_of_the_experiments_is_that_of_the_stream(index: Index, folder: Path) -> None:
    files = Experiment(crystals=(1,)).write(folder)
    index(files)
    assert CUBIC.text() in files.stream.read_text()
