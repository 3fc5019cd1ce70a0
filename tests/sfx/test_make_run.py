"""A made run: psana reads it, and what it says of itself is true."""

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gemmi", reason="no gemmi: pip install '.[sfx]'")
pytest.importorskip("psana", reason="no psana: pip install '.[sfx]' (needs libkrb5-dev)")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from psana import DataSource
from psana.psalg_ext import peak_finder_algos
from psana.psexp.ds_base import DataSourceBase

from lute.errors import ConfigError
from lute.io.config import load_config
from simulators.diffraction.inputs import config_text
from simulators.diffraction.instrument import Instrument
from simulators.diffraction.made_run import MadeRun, RunOptions
from simulators.diffraction.run import make_run
from simulators.diffraction.truth import read_truth
from simulators.xtc2.run_writer import write_run
from tests.simulators.commands.run_cli import LuteSim

CUBE = [
    np.array(signs)[:, None] * np.eye(3, dtype=int)[list(order)]
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
ROTATIONS = [matrix for matrix in CUBE if np.linalg.det(matrix) > 0]
"""Those that bring a cube onto itself: point group 432."""
MILLER = np.array(
    [hkl for hkl in itertools.product(range(-17, 18), repeat=3) if 0 < np.dot(hkl, hkl) <= (40 / 2.3) ** 2]
)
"""All reflections of the cell to 2.3 Å, which lies beyond the corners of the panel."""
FEW = ("--frames", "4", "--hits", "2")


# Reading it


def read(**where: Any) -> list[tuple[int, np.ndarray]]:
    """Return timestamp and raw frame of each event, as psana reads them."""
    run = next(DataSource(skip_calib_load="all", log_level="ERROR", **where).runs())
    detector = run.Detector("Rayonix")
    return [(event.timestamp, detector.raw.raw(event).copy()) for event in run.events()]


def read_by_name(run: MadeRun, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, np.ndarray]]:
    monkeypatch.setattr(DataSourceBase, "_get_file_info_from_db", lambda _source, _run: {})
    options = run.options
    return read(exp=options.experiment, run=options.run, dir=str(run.xtc_file.parent))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 32)])
@pytest.mark.parametrize("count", [1, 7])
def test_psana_reads_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], count: int
) -> None:
    rng = np.random.default_rng(count)
    frames = [(5 << 32 | 7000 * n, rng.integers(0, 65536, shape, np.uint16)) for n in range(1, count + 1)]
    frames[0][1][:] = 65535
    made = MadeRun(tmp_path / "with ' é", RunOptions(experiment="xpptest1", run=9999))
    made.smalldata_file.parent.mkdir(parents=True)
    write_run("xpptest1", 9999, "Rayonix", iter(frames), made.xtc_file, made.smalldata_file)
    for back in (read(files=[str(made.xtc_file)]), read_by_name(made, monkeypatch)):
        assert [timestamp for timestamp, _ in back] == [timestamp for timestamp, _ in frames]
        assert all((a == b).all() and a.dtype == b.dtype for (_, a), (_, b) in zip(back, frames, strict=True))


@pytest.mark.parametrize("frames_before", [0, 1, 3])
def test_of_a_run_that_cannot_be_written_nothing_is_left(tmp_path: Path, frames_before: int) -> None:
    def frames() -> Iterator[tuple[int, np.ndarray]]:
        for number in range(frames_before):
            yield (1 << 32) + 5000 * (number + 1), np.ones((4, 4), np.uint16)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_run("xpptest1", 1, "Rayonix", frames(), tmp_path / "a", tmp_path / "b")
    with pytest.raises(ValueError, match="at least one frame"):
        write_run("xpptest1", 1, "Rayonix", (), tmp_path / "a", tmp_path / "b")
    assert not list(tmp_path.iterdir())


# The made run


@pytest.fixture(scope="module")
def frames(made_run: MadeRun) -> list[tuple[int, np.ndarray]]:
    return read(files=[str(made_run.xtc_file)])


@pytest.fixture(scope="module")
def corrected(made_run: MadeRun, frames: list[tuple[int, np.ndarray]]) -> list[np.ndarray]:
    pedestals = np.load(made_run.pedestals)
    return [(frame - pedestals).astype(np.float32) for _, frame in frames]


@pytest.fixture(scope="module")
def truth(made_run: MadeRun) -> dict[str, Any]:
    known: dict[str, Any] = json.loads(made_run.truth.read_text())
    return known


@pytest.fixture(scope="module")
def intensities(made_run: MadeRun) -> dict[tuple[int, ...], float]:
    rows = [line.split() for line in made_run.true_reflections.read_text().splitlines()[3:-1]]
    return {tuple(map(int, row[:3])): float(row[3]) for row in rows}


def section(file: Path, name: str) -> dict[str, object]:
    """Return a section of a configuration."""
    config = load_config(file, {"EXPERIMENT": "mfxl1013621", "RUN": "12"})
    return config.substituted(name, config.written(name))


def find_peaks(run: MadeRun, image: np.ndarray) -> np.ndarray:
    """Return (fs, ss) of the peaks that PyAlgos finds with the thresholds of the run's configuration."""
    wanted: Any = section(run.config, "FindPeaksPyAlgos")
    finder = peak_finder_algos(0, 0)
    finder.set_peak_selection_parameters(
        *(wanted[name] for name in ("npix_min", "npix_max", "amax_thr", "atot_thr", "son_min"))
    )
    ring = [wanted[name] for name in ("peak_rank", "r0", "dr", "nsigm")]
    finder.peak_finder_v3r3_d2(image, np.ones(image.shape, np.uint16), *ring)
    found = np.array([peak.parameters() for peak in finder.list_of_peaks_selected()]).reshape(-1, 17)
    return found[:, [7, 6]]


def predict(run: MadeRun, shot: dict[str, Any], width_per_a: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Miller indices and (fs, ss) of the reflections near the Ewald sphere, by the geometry file."""
    text = run.geometry.read_text()
    corner_x, corner_y, resolution = (
        float(re.search(rf"{name} = (\S+)", text)[1])  # type: ignore[index]
        for name in ("corner_x", "corner_y", "\nres")
    )
    camera_length_px, wave_number = 0.085 * resolution, 9500 / 12398.419843
    rays = MILLER @ np.array(shot["reciprocal_axes_per_A"]) + [0, 0, wave_number]
    near = (abs(np.linalg.norm(rays, axis=1) - wave_number) < width_per_a) & (rays[:, 2] > 0)
    places = rays[near, :2] / rays[near, 2:] * camera_length_px
    # A pixel's corner lies at its index, its centre half a pixel on.
    return MILLER[near], places - [corner_x, corner_y] - 0.5


def test_the_folder_holds_what_it_should_and_nothing_else(made_run: MadeRun) -> None:
    data = "mfx/mfxl1013621/xtc"
    assert {str(path.relative_to(made_run.folder)) for path in made_run.folder.rglob("*.*")} == {
        f"{data}/mfxl1013621-r0012-s000-c000.xtc2",
        f"{data}/smalldata/mfxl1013621-r0012-s000-c000.smd.xtc2",
        "truth/truth.json",
        "truth/truth.hkl",
        "geometry/rayonix.geom",
        "cells/sample.cell",
        "pedestals.npy",
        "config.yaml",
    }
    pedestals = np.load(made_run.pedestals)
    assert (pedestals.dtype, pedestals.shape) == (np.float32, (256, 256))


def test_both_ways_of_reading_give_the_same(
    made_run: MadeRun,
    frames: list[tuple[int, np.ndarray]],
    truth: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_name = read_by_name(made_run, monkeypatch)
    assert [timestamp for timestamp, _ in frames] == [frame["timestamp"] for frame in truth["frames"]]
    assert [timestamp for timestamp, _ in frames] == [timestamp for timestamp, _ in by_name]
    assert all((a == b).all() for (_, a), (_, b) in zip(frames, by_name, strict=True))


def test_timestamps_are_of_nanoseconds_below_a_second(tmp_path: Path) -> None:
    made = make_run(tmp_path, RunOptions(frames=130, hits=0))
    timestamps = [frame["timestamp"] for frame in json.loads(made.truth.read_text())["frames"]]
    assert timestamps == sorted(set(timestamps))
    assert all(timestamp & 0xFFFFFFFF < 1_000_000_000 for timestamp in timestamps)
    assert len(read(files=[str(made.xtc_file)])) == 130


def test_the_hits_are_those_of_the_truth(
    made_run: MadeRun, corrected: list[np.ndarray], truth: dict[str, Any]
) -> None:
    found = [len(find_peaks(made_run, image)) for image in corrected]
    assert [count >= 10 for count in found] == [frame["hit"] for frame in truth["frames"]]
    assert sum(frame["hit"] for frame in truth["frames"]) == 58
    assert not [count for count in found if 2 < count < 50]  # nothing near the threshold


def test_peaks_lie_where_truth_and_geometry_say(
    made_run: MadeRun, corrected: list[np.ndarray], truth: dict[str, Any]
) -> None:
    offsets = []
    for image, shot in zip(corrected[:40], truth["frames"], strict=False):
        if shot["hit"]:
            peaks, (_, places) = find_peaks(made_run, image), predict(made_run, shot, 0.006)
            between = peaks[:, None] - places
            nearest = np.hypot(between[..., 0], between[..., 1]).argmin(axis=1)
            offsets.append(between[np.arange(len(peaks)), nearest])
    offset = np.concatenate(offsets)
    distance = np.hypot(offset[:, 0], offset[:, 1])
    assert np.median(distance) < 0.2
    assert np.mean(distance < 1) > 0.99
    # Half a pixel in either direction would show.
    assert np.abs(np.median(offset, axis=0)).max() < 0.05


def test_the_orientations_are_of_the_cell_and_differ(made_run: MadeRun, truth: dict[str, Any]) -> None:
    assert f"a = {truth['cell_A'][0]:.2f} A" in made_run.cell.read_text()
    axes = [np.array(shot["reciprocal_axes_per_A"]) for shot in truth["frames"] if shot["hit"]]
    for matrix in axes:
        assert matrix @ matrix.T == pytest.approx(np.eye(3) / 40**2)
        assert np.linalg.det(matrix) > 0
    assert len({matrix.tobytes() for matrix in axes}) == len(axes)


def test_the_truth_reads_back(made_run: MadeRun, tmp_path: Path) -> None:
    truth = read_truth(made_run.truth)
    truth.write(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == made_run.truth.read_bytes()
    assert (len(truth.timestamps), len(truth.shots)) == (100, 58)


def test_true_intensities_are_each_given_once(
    made_run: MadeRun, intensities: dict[tuple[int, ...], float]
) -> None:
    text = made_run.true_reflections.read_text()
    assert text.startswith("CrystFEL reflection list version 2.0\nSymmetry: 432\n   h    k    l ")
    assert text.endswith("\nEnd of reflections\n")
    equal = [{tuple((hkl @ turn).tolist()) for turn in ROTATIONS} for hkl in map(np.array, intensities)]
    assert sum(map(len, equal)) == len(set().union(*equal))
    assert set().union(*equal) == set(map(tuple, MILLER.tolist()))
    # Without anomalous scattering, Friedel mates are equal, and most intensities are not 0.
    known = {hkl: value for some, value in zip(equal, intensities.values(), strict=True) for hkl in some}
    assert all(known[-h, -k, -l] == pytest.approx(value, abs=0.02) for (h, k, l), value in known.items())  # noqa: E741
    assert np.mean(list(known.values())) == pytest.approx(1000, rel=0.01)


def test_the_frames_show_the_true_intensities(
    made_run: MadeRun,
    corrected: list[np.ndarray],
    truth: dict[str, Any],
    intensities: dict[tuple[int, ...], float],
) -> None:
    seen: dict[tuple[int, ...], list[float]] = {}
    for image, shot in zip(corrected, truth["frames"], strict=True):
        if not shot["hit"]:
            continue
        indices, places = predict(made_run, shot, 0.0006)
        for hkl, (fs, ss) in zip(indices, places.round().astype(int), strict=True):
            spot = image[ss - 3 : ss + 4, fs - 3 : fs + 4]
            if min(fs, ss) >= 3 and spot.shape == (7, 7):
                unique = next(
                    key for turn in ROTATIONS if (key := tuple((hkl @ turn).tolist())) in intensities
                )
                background = 49 * np.median(image[max(ss - 6, 0) : ss + 7, max(fs - 6, 0) : fs + 7])
                seen.setdefault(unique, []).append((spot.sum() - background) / shot["scale"])
    often = {hkl: np.mean(values) for hkl, values in seen.items() if len(values) >= 5}
    assert len(often) > 100
    pairs = np.array([(value, intensities[hkl]) for hkl, value in often.items()])
    assert np.corrcoef(pairs.T)[0, 1] > 0.99


# The same options, the same bytes


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files but the configuration, which names the folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "config.yaml"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_same_options_give_the_same_bytes(tmp_path: Path, lute_sim: LuteSim) -> None:
    for number, name in ((85, "a"), (170, "b")):
        # What memory held before must not show.
        env = {**os.environ, "MALLOC_PERTURB_": str(number), "PYTHONHASHSEED": str(number)}
        command = [sys.executable, "-m", "simulators.cli", "make-run", str(tmp_path / name), *FEW]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert lute_sim("make-run", str(tmp_path / "c"), *FEW, "--seed", "1").code == 0
    other = contents(tmp_path / "c")
    same = [name for name, content in contents(tmp_path / "a").items() if other[name] == content]
    assert sorted(same) == [
        "cells/sample.cell",
        "geometry/rayonix.geom",
        "mfx/mfxl1013621/xtc/smalldata/mfxl1013621-r0012-s000-c000.smd.xtc2",
    ]


# The configuration


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1))
def test_a_configuration_names_any_folder_or_refuses_it(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    paths = {part: Path("/", name, part) for part in ("geometry", "cell", "pedestals")}
    try:
        text = config_text(**paths, instrument=Instrument())
    except ConfigError:
        assert "{{" in name or not name.isprintable()
        return
    file = tmp_path_factory.getbasetemp() / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert section(file, "FindPeaksPyAlgos")["pedestal_file"] == str(paths["pedestals"])
    assert section(file, "IndexCrystFEL")["geometry"] == str(paths["geometry"])
    assert section(file, "IndexCrystFEL")["cell_file"] == str(paths["cell"])


# The command


def test_the_command_says_what_lies_where_and_what_to_do_next(tmp_path: Path, lute_sim: LuteSim) -> None:
    folder = tmp_path / "it's é"
    done = lute_sim("make-run", str(folder), "--frames", "12", "--seed", "3")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("run 12 of mfxl1013621: 12 frames, 7 hits, seed 3\n")
    for line in ("data", "truth", "configuration"):
        (path,) = re.findall(rf"^{line} +(.*)$", done.out, re.MULTILINE)
        assert Path(path).exists()
    commands = "".join(line for line in done.out.splitlines(keepends=True) if line.startswith("  "))
    (tmp_path / "work").mkdir()
    ran = subprocess.run(
        ["bash", "-ec", commands], cwd=tmp_path / "work", capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "events 12, hits 7, hit rate 58.3 %" in ran.stdout


def test_other_names_and_no_smalldata(tmp_path: Path, lute_sim: LuteSim) -> None:
    words = ("--experiment", "xppx1003221", "--run", "7", "--no-smalldata")
    assert lute_sim("make-run", str(tmp_path), *FEW, *words).code == 0
    made = MadeRun(tmp_path, RunOptions(experiment="xppx1003221", run=7))
    assert made.xtc_file == tmp_path / "xpp/xppx1003221/xtc/xppx1003221-r0007-s000-c000.xtc2"
    assert len(read(files=[str(made.xtc_file)])) == 4
    assert not list(made.smalldata_file.parent.iterdir())


@pytest.mark.parametrize("words", [["--blank"], ["--hits", "0"], ["--blank", "--hits", "0"]])
def test_without_hits(tmp_path: Path, lute_sim: LuteSim, words: list[str]) -> None:
    assert lute_sim("make-run", str(tmp_path), "--frames", "5", *words).code == 0
    made = MadeRun(tmp_path, RunOptions())
    assert not any(frame["hit"] for frame in json.loads(made.truth.read_text())["frames"])
    pedestals = np.load(made.pedestals)
    for _, frame in read(files=[str(made.xtc_file)]):
        assert len(find_peaks(made, (frame - pedestals).astype(np.float32))) <= 2


def test_a_run_that_is_there_stays_unless_forced(tmp_path: Path, lute_sim: LuteSim) -> None:
    assert lute_sim("make-run", str(tmp_path), *FEW).code == 0
    before = contents(tmp_path)
    # Another run would put another truth in its place.
    for words in ([], ["--run", "13"], ["--seed", "1"]):
        done = lute_sim("make-run", str(tmp_path), *FEW, *words)
        assert done.code == 2
        assert "there is a run already" in done.err
        assert "--force" in done.err
    assert contents(tmp_path) == before
    (tmp_path / "truth" / "truth.json").unlink()
    assert lute_sim("make-run", str(tmp_path), *FEW).code == 2
    assert lute_sim("make-run", str(tmp_path), *FEW, "--seed", "1", "--no-smalldata", "--force").code == 0
    after = contents(tmp_path)
    assert [name for name in before if name not in after] == [
        name for name in before if name.endswith(".smd.xtc2")
    ]
    assert json.loads(after["truth/truth.json"])["seed"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hits", "101"], "of 100 frames, 101 cannot be hits"),
        (["--hits", "-1"], "of 100 frames, -1 cannot be hits"),
        (["--frames", "0"], "of 0 frames, 0 cannot be hits"),
        (["--seed", "-1"], "-1 is no seed"),
        (["--run", "0"], "0 is no number of a run"),
        (["--run", "10000"], "10000 is no number of a run"),
        (["--run", "x"], "Invalid value for '--run'"),
        (["--experiment", ""], "'' is no name of an experiment"),
        (["--experiment", "mfx/../../etc"], "'mfx/../../etc' is no name of an experiment"),
        (["--experiment", "mfxl10136é"], "'mfxl10136é' is no name of an experiment"),
        (["--blank", "--hits", "3"], "3 hits are not --blank"),
    ],
)
def test_what_cannot_be_made(tmp_path: Path, lute_sim: LuteSim, words: list[str], said: str) -> None:
    done = lute_sim("make-run", str(tmp_path / "a"), *words)
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["{{ run }}", "two\nlines", os.fsdecode(b"\xff")])
def test_a_folder_that_no_configuration_can_name(tmp_path: Path, lute_sim: LuteSim, name: str) -> None:
    done = lute_sim("make-run", str(tmp_path / name), *FEW)
    assert done.code == 2
    assert "cannot stand in a configuration" in done.err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path: Path, lute_sim: LuteSim) -> None:
    (tmp_path / "file").touch()
    done = lute_sim("make-run", str(tmp_path / "file"), *FEW)
    assert done.code == 2
    assert "is a file" in done.err
    done = lute_sim("make-run", str(tmp_path / "file" / "folder"), *FEW)
    assert done.code == 2
    assert f"{tmp_path}/file/folder" in done.err
    assert "cannot be written: Not a directory" in done.err


@pytest.mark.parametrize("missing", ["gemmi", "psana", "mpi4py.MPI"])
def test_what_is_not_installed_is_named(tmp_path: Path, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['lute-sim', 'make-run', 'a']\n"
        "from simulators.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert missing in done.stderr
    assert "pip install lute[sfx]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_only_the_writer_imports_psana() -> None:
    code = (
        "import sys, simulators.cli, simulators.diffraction.inputs, simulators.diffraction.frames\n"
        "print('psana' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
