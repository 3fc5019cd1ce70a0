"""The search for hits in one process, on small runs with spots at known places."""

# ruff: noqa: E402 - what needs psana comes after the question whether it is there

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("psana")
h5py = pytest.importorskip("h5py")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lute.errors import LuteError
from lute.io.header import Header
from lute.seams import SystemClock
from lute.tasks.models.find_peaks import FindPeaksPyAlgosParameters
from lute.tasks.result import TaskResult
from lute.tasks.sfx import search
from lute.tasks.sfx.cxi_file import CxiFile, Hit
from lute.tasks.sfx.detector import ImageDetector
from lute.tasks.sfx.find_peaks import find_peaks
from lute.tasks.sfx.peak_finder import Column, PeakFinder
from lute.tasks.sfx.readings import Beamline
from lute.tasks.sfx.run_files import RunFiles, _ranges
from lute.tasks.sfx.xtc2_file import check_whole
from tests.sfx.small_run import EXPERIMENT, SmallRun

RUN = SmallRun()
HITS = [0, 2, 4, 6]
"""The events of RUN with at least 10 spots."""


class Searches:
    """Searches in a directory of their own."""

    def __init__(self, folder: Path) -> None:
        self.work_dir = folder / "work 'dir' ü%b"
        self.work_dir.mkdir()
        self.data = folder / "data"
        self.env = {"SIT_PSDM_DATA": str(self.data)}
        self.said: list[str] = []
        self.progressed: list[dict[str, Any]] = []

    def log(self, text: str) -> None:
        self.said.append(text)

    def progress(self, figures: dict[str, Any]) -> None:
        self.progressed.append(figures)

    def send_array(self, name: str, array: np.ndarray) -> None:
        raise AssertionError("no array is sent")

    @property
    def list(self) -> Path:
        return self.work_dir / "a.lst"

    @property
    def master(self) -> Path:
        return self.work_dir / f"{EXPERIMENT}_12_t.cxi"

    def search(self, experiment: str = EXPERIMENT, run: int | str = 12, **parameters: Any) -> TaskResult:
        """Search the run below `self.data`, with pedestals and photon energy unless these are given."""
        pedestals = self.work_dir / "pedestals.npy"
        np.save(pedestals, RUN.pedestals())
        values = {
            "det_name": "Rayonix",
            "outdir": ".",
            "out_file": "a.lst",
            "tag": "t",
            "photon_energy_eV": 9500.0,
            "pedestal_file": str(pedestals),
        } | parameters
        header = Header(experiment=experiment, run=run, work_dir=self.work_dir)
        model = FindPeaksPyAlgosParameters.model_validate(values)
        return find_peaks(model, header, self, SystemClock(), self.env)

    def content(self) -> dict[str, Any]:
        """Return all datasets of the master file by name."""
        return content(self.master)


def content(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(file) as opened:
        opened.visititems(
            lambda name, item: found.update({name: item[:]}) if isinstance(item, h5py.Dataset) else None
        )
    return found


@pytest.fixture
def searches(tmp_path: Path) -> Searches:
    return Searches(tmp_path)


# What is found


def test_the_hits_are_those_with_spots_and_the_peaks_are_the_spots(searches: Searches) -> None:
    RUN.write(searches.data)
    result = searches.search(pv_camera_length=85.0)
    assert result.summary == {
        "events": 8,
        "hits": 4,
        "hit rate (%)": 50.0,
        "median peaks per hit": 17.5,
    }
    assert searches.list.read_text() == f"{searches.master}\n"
    found = searches.content()
    assert found["LCLS/eventNumber"].tolist() == HITS
    assert found["entry_1/experimental_identifier"].tolist() == HITS
    assert found["entry_1/result_1/nPeaks"].tolist() == [RUN.spots[event] for event in HITS]
    for place, event in enumerate(HITS):
        number = RUN.spots[event]
        x, y = (found[f"entry_1/result_1/peak{axis}PosRaw"][place] for axis in "XY")
        assert sorted(zip(y[:number], x[:number], strict=True)) == RUN.positions(event)
        assert not x[number:].any()
        corrected = RUN.frame(event) - RUN.pedestals()
        assert np.array_equal(found["entry_1/data_1/data"][place], corrected)
        time = found["LCLS/machineTime"][place] << 32 | found["LCLS/machineTimeNanoSeconds"][place]
        assert time == RUN.timestamp(event)
    assert not found["entry_1/data_1/mask"].any()
    assert found["LCLS/detector_1/EncoderValue"].tolist() == [85.0] * 4
    assert found["LCLS/photon_energy_eV"].tolist() == [9500.0] * 4
    assert found["LCLS/photon_wavelength_A"] == pytest.approx([1.305097] * 4)
    assert found["entry_1/result_1/peakXPosRaw"].shape == (4, 2048)


def test_a_file_gives_the_same_as_experiment_and_run(searches: Searches) -> None:
    file = RUN.write(searches.data)
    searches.search()
    by_run = searches.content()
    searches.env = {}
    searches.search(xtc_files=[str(file)])
    by_file = searches.content()
    assert by_run.keys() == by_file.keys()
    assert all(np.array_equal(by_run[name], by_file[name]) for name in by_run)
    assert "LCLS/detector_1/EncoderValue" not in by_run  # nobody said how long the camera length is


@pytest.mark.parametrize("by_file", [False, True])
def test_a_number_of_events(searches: Searches, by_file: bool) -> None:
    file = RUN.write(searches.data)
    result = searches.search(n_events=3, xtc_files=[str(file)] if by_file else [])
    assert isinstance(result.summary, dict)
    assert (result.summary["events"], result.summary["hits"]) == (3, 2)


def test_files_in_the_wrong_order_give_the_hits_in_the_order_of_time(searches: Searches) -> None:
    later = replace(RUN, run=13, first_second=RUN.first_second + 100, seed=1)
    files = [run.write(searches.data) for run in (later, RUN)]
    searches.search(xtc_files=[str(file) for file in files])
    found = searches.content()
    assert found["LCLS/eventNumber"].tolist() == [*HITS, *(8 + event for event in HITS)]
    frames = [run.frame(event) - run.pedestals() for run in (RUN, later) for event in HITS]
    assert np.array_equal(found["entry_1/data_1/data"], frames)


def test_more_hits_than_are_written_at_a_time_and_narrow_peak_lists(searches: Searches) -> None:
    run = SmallRun(spots=(12,) * 150 + (15,))
    run.write(searches.data)
    searches.search(max_peaks=14)
    found = searches.content()
    assert found["entry_1/result_1/peakXPosRaw"].shape == (150, 14)
    for event in (0, 63, 64, 149):
        y = found["entry_1/result_1/peakYPosRaw"][event]
        assert sorted(y[:12]) == [row for row, _ in run.positions(event)]


def test_what_belongs_to_the_events_is_read_from_the_run(searches: Searches) -> None:
    replace(RUN, photon_energy_eV=9123.0, camera_length_mm=85.5, without_beam=(2,), without_frame=(4,)).write(
        searches.data
    )
    result = searches.search(photon_energy_eV=None, pv_camera_length="CAMERA_LENGTH")
    found = searches.content()
    assert found["LCLS/eventNumber"].tolist() == [0, 6]
    assert found["LCLS/photon_energy_eV"].tolist() == [9123.0] * 2
    assert found["LCLS/detector_1/EncoderValue"].tolist() == [85.5] * 2
    assert isinstance(result.summary, dict)
    assert result.summary["events"] == 7
    assert searches.said == [
        "events without a frame of the detector: 1",
        "hits left out because no photon energy or camera length is recorded with them: 1",
    ]


def test_events_with_a_code(searches: Searches) -> None:
    replace(RUN, event_codes=(40, 40, 41, 40, 40, 40, 41, 40)).write(searches.data)
    searches.search(event_logic=True, event_code=41)
    assert searches.content()["LCLS/eventNumber"].tolist() == [2, 6]
    assert searches.said == ["events without the event code: 6"]
    with pytest.raises(LuteError, match="none of 8 events has the event code 200"):
        searches.search(event_logic=True, event_code=200)


def test_a_masked_spot_is_not_found(searches: Searches) -> None:
    RUN.write(searches.data)
    row, column = RUN.positions(0)[0]
    mask = np.ones(RUN.shape, np.int8)
    mask[row - 3 : row + 4, column - 3 : column + 4] = 0
    np.save(searches.work_dir / "mask.npy", mask)
    searches.search(mask_file="mask.npy")
    found = searches.content()
    assert found["entry_1/result_1/nPeaks"][0] == RUN.spots[0] - 1
    assert np.array_equal(found["entry_1/data_1/mask"], 1 - mask)


def test_without_pedestals_it_says_so(searches: Searches) -> None:
    RUN.write(searches.data)
    searches.search(pedestal_file=None)
    assert np.array_equal(searches.content()["entry_1/data_1/data"][0], RUN.frame(0))
    assert "no pedestals are subtracted" in searches.said[0]


def test_pedestals_and_mask_of_the_database(searches: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    RUN.write(searches.data)
    bad = np.zeros(RUN.shape, np.uint64)
    bad[5, 6] = 1
    origin = {"experiment": EXPERIMENT, "run": 1}
    constants = {"pedestals": (RUN.pedestals() - 7, origin), "pixel_status": (bad, origin)}
    monkeypatch.setattr(
        "psana.pscalib.calib.MDBWebUtils.calib_constants_all_types", lambda *_, **__: dict(constants)
    )
    searches.search(calibration="database", pedestal_file=None, psana_mask=True)
    found = searches.content()
    assert np.array_equal(found["entry_1/data_1/data"][0], RUN.frame(0) - RUN.pedestals() + 7)
    assert list(zip(*found["entry_1/data_1/mask"].nonzero(), strict=True)) == [(5, 6)]
    with pytest.raises(LuteError, match="has pedestals of its own"):
        searches.search(calibration="database")


def test_it_tells_how_far_it_is(searches: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    RUN.write(searches.data)
    monkeypatch.setattr(search, "PROGRESS_EVERY_S", 0)
    searches.search()
    assert searches.progressed[-1] == {"events": 8, "hits": 4}
    assert len(searches.progressed) == 8


# What is left behind


def test_no_hit_is_a_failure_and_leaves_nothing_of_before(searches: Searches) -> None:
    RUN.write(searches.data)
    searches.search()
    kept = [searches.work_dir / name for name in (f"{EXPERIMENT}_12_0_u.cxi", f"{EXPERIMENT}_13_0_t.cxi")]
    stale = searches.work_dir / f"{EXPERIMENT}_12_7_t.cxi"
    for path in (*kept, stale):
        path.write_text("")
    with pytest.raises(LuteError) as failure:
        searches.search(min_peaks=31)
    assert "no hit in 8 frames: the most peaks found in one are 30, a hit has 31 to 2048" in str(
        failure.value
    )
    assert sorted(searches.work_dir.glob("*.cxi")) == sorted(kept)
    assert not searches.list.exists()


def test_a_mistake_leaves_what_is_there(searches: Searches) -> None:
    RUN.write(searches.data)
    searches.search()
    before = searches.content()
    with pytest.raises(LuteError, match="did you mean Rayonix"):
        searches.search(det_name="Rayonicks")
    assert searches.list.exists()
    assert np.array_equal(searches.content()["entry_1/data_1/data"], before["entry_1/data_1/data"])


def test_directories_are_made(searches: Searches) -> None:
    RUN.write(searches.data)
    searches.search(outdir="a/b", out_file="c/d.lst")
    (master,) = (searches.work_dir / "c/d.lst").read_text().splitlines()
    assert Path(master) == searches.work_dir / f"a/b/{EXPERIMENT}_12_t.cxi"
    assert content(Path(master))["entry_1/data_1/data"].any()


def test_a_file_that_cannot_be_written(searches: Searches) -> None:
    RUN.write(searches.data)
    (searches.work_dir / "file").write_text("")
    with pytest.raises(LuteError, match="cannot be written: Not a directory"):
        searches.search(outdir="file/x")
    (searches.work_dir / f"{EXPERIMENT}_12_t.cxi").mkdir()
    with pytest.raises(LuteError, match="cannot be written: Is a directory"):
        searches.search()
    assert not searches.list.exists()


# What is wrong


def no_env(searches: Searches) -> None:
    searches.env = {}


def no_smalldata(searches: Searches) -> None:
    for file in searches.data.rglob("*.smd.xtc2"):
        file.unlink()


def odd_arrays(searches: Searches) -> None:
    np.save(searches.work_dir / "odd.npy", np.ones((128,)))
    (searches.work_dir / "text.npy").write_text("1 2 3")
    np.save(searches.work_dir / "words.npy", np.array(["a"]))


def no_change(searches: Searches) -> None:
    """Leave all as it is."""


@pytest.mark.parametrize(
    ("prepare", "parameters", "messages"),
    [
        (no_env, {}, ["SIT_PSDM_DATA is not set", "xtc_files"]),
        (no_change, {"experiment": "xpptest124"}, ["'xpptest124'", f"did you mean {EXPERIMENT}?"]),
        (no_change, {"experiment": "mfx1"}, ["there is no experiment 'mfx1'", "there is none"]),
        (no_change, {"run": 14}, ["there is no run 14", "runs there: 10-12, 99"]),
        (no_change, {"run": "test"}, ["'test'", "numbers"]),
        (no_smalldata, {}, ["no smalldata file", 'xtc_files: ["']),
        (
            no_change,
            {"det_name": "rayonix"},
            ["'FindPeaksPyAlgos.det_name'", ".xtc2", "did you mean Rayonix?"],
        ),
        (no_change, {"det_name": "ebeam"}, ["'ebeam'", "gives no frames"]),
        (odd_arrays, {"pedestal_file": "odd.npy"}, ["pedestal_file", "(128,)", "(96, 128)"]),
        (odd_arrays, {"mask_file": "odd.npy"}, ["mask_file", "(128,)", "(96, 128)"]),
        (odd_arrays, {"mask_file": "text.npy"}, ["mask_file", "is no numpy file"]),
        (odd_arrays, {"mask_file": "words.npy"}, ["mask_file", "no array of numbers"]),
        (no_change, {"pv_camera_length": "CAMERA"}, ["pv_camera_length", "did you mean CAMERA_LENGTH?"]),
        (no_change, {"event_logic": True, "event_code": 1}, ["event_logic", "'timing'"]),
        (no_change, {"event_logic": True, "event_code": 288}, ["event_code", "the last is 287"]),
        (no_change, {"psana_mask": True}, ["psana_mask", "calibration: database"]),
        (no_change, {"compression": {}}, ["compression", "'qoz'"]),
    ],
)
def test_what_is_wrong_is_told_before_the_search(
    searches: Searches, prepare: Any, parameters: dict[str, Any], messages: list[str]
) -> None:
    for run in (10, 11, 12, 99):
        replace(RUN, run=run, photon_energy_eV=9000.0, camera_length_mm=85.0).write(searches.data)
    prepare(searches)
    with pytest.raises(LuteError) as failure:
        searches.search(**parameters)
    assert all(message in str(failure.value) for message in messages), str(failure.value)
    assert not list(searches.work_dir.glob("*.cxi"))


def test_a_run_without_photon_energy(searches: Searches) -> None:
    RUN.write(searches.data)
    with pytest.raises(LuteError, match="no detector ebeam or ebeamh") as failure:
        searches.search(photon_energy_eV=None)
    assert "'FindPeaksPyAlgos.photon_energy_eV'" in str(failure.value)
    assert "give the photon energy" in str(failure.value)


def test_a_database_that_cannot_be_reached(searches: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route to host")

    RUN.write(searches.data)
    monkeypatch.setattr("psana.pscalib.calib.MDBWebUtils.calib_constants_all_types", fail)
    with pytest.raises(LuteError, match="no route to host") as failure:
        searches.search(calibration="database", pedestal_file=None)
    assert "`calibration: none`" in failure.value.next_step


def test_no_network_is_asked(searches: Searches, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("asked")

    RUN.write(searches.data)
    monkeypatch.setattr("socket.getaddrinfo", fail)
    monkeypatch.setattr("socket.socket.connect", fail)
    searches.search()


def test_a_path_that_psana_would_cut(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 150)
    folder.mkdir()
    searches = Searches(folder)
    RUN.write(searches.data)
    with pytest.raises(LuteError, match="more than 200 characters"):
        searches.search()


def test_events_without_a_frame(searches: Searches) -> None:
    replace(RUN, without_frame=tuple(range(8))).write(searches.data)
    with pytest.raises(LuteError, match="'Rayonix' has no frame in any of 8 events"):
        searches.search()
    SmallRun(spots=()).write(searches.data)
    with pytest.raises(LuteError, match="the run has no event"):
        searches.search()


@pytest.mark.parametrize("by_file", [False, True])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-30000], "breaks off"),
        (lambda content: b"", "breaks off|no xtc2 file"),
    ],
)
def test_a_file_that_breaks_off(searches: Searches, damage: Any, message: str, by_file: bool) -> None:
    file = RUN.write(searches.data)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(LuteError, match=message) as failure:
        searches.search(xtc_files=[str(file)] if by_file else [])
    assert str(file) in str(failure.value)


def test_damage_that_only_psana_sees(searches: Searches) -> None:
    file = RUN.write(searches.data)
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(LuteError, match="psana cannot read") as failure:
        searches.search()
    assert str(file) in str(failure.value)


@pytest.mark.parametrize("content", [b"this is text\n" * 100, b"\0" * 1000, b"x"])
def test_what_is_no_xtc2_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.xtc2"
    file.write_bytes(content)
    with pytest.raises(LuteError, match="is no xtc2 file"):
        check_whole(RunFiles((file,)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = SmallRun(spots=(1,) * 3, shape=(24, 24), experiment="mfx1", run=1)
    return run.write(tmp_path_factory.mktemp("written"))


@settings(deadline=None)
@given(data=st.data())
def test_no_cut_is_taken_for_a_whole_file(written: Path, data: st.DataObject) -> None:
    """Only one between two parts cannot be seen, and by smalldata even that one."""
    content = written.read_bytes()
    small = written.parent / "smalldata" / f"{written.stem}.smd.xtc2"
    cut = written.with_name("cut-s000-c000.xtc2")
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    size = cut.stat().st_size
    headers = np.frombuffer(content, np.uint8)
    ends, end = [], 0
    while end < len(content):
        end += 12 + int(headers[end + 20 : end + 24].view(np.uint32)[0])
        ends.append(end)
    if size in ends:
        check_whole(RunFiles((cut,)))
    else:
        with pytest.raises(LuteError):
            check_whole(RunFiles((cut,)))
    if size >= ends[-4]:  # behind the last event: Disable, EndStep, EndRun
        check_whole(RunFiles((cut,), (small,)))
    else:
        with pytest.raises(LuteError, match="breaks off"):
            check_whole(RunFiles((cut,), (small,)))


def test_events_in_the_last_chunk_of_a_stream(tmp_path: Path) -> None:
    first = RUN.write(tmp_path)
    small = first.parent / "smalldata" / f"{first.stem}.smd.xtc2"
    last = first.rename(first.with_name(first.name.replace("c000", "c001")))
    first.write_bytes(last.read_bytes()[:50000])
    check_whole(RunFiles((first,), (small,)))
    last.write_bytes(last.read_bytes()[:-30000])
    with pytest.raises(LuteError, match=r"c001\.xtc2 breaks off"):
        check_whole(RunFiles((first,), (small,)))


# Parts


def test_a_detector_of_several_panels(tmp_path: Path) -> None:
    mask = np.ones((2, 48, 64), np.uint16)
    mask[1, 0, 0] = 0
    frame = np.random.default_rng(0).normal(0, 3, mask.shape).astype(np.float32)
    frame[0, 20:23, 30:33] += 500
    frame[1, 10:13, 40:43] += 500
    parameters = FindPeaksPyAlgosParameters(outdir="", out_file="x", det_name="x")
    peaks = PeakFinder(parameters, mask).find(frame)
    assert peaks[:, Column.PANEL].tolist() == [0, 1]
    file = CxiFile(tmp_path / "a.cxi", mask, 10)
    file.write(Hit(5 << 32 | 7, frame, peaks, Beamline(9500.0, None)))
    file.finish(np.array([3]))
    found = content(tmp_path / "a.cxi")
    assert np.array_equal(found["entry_1/data_1/data"], frame.reshape(1, 96, 64))
    assert found["entry_1/data_1/mask"].nonzero() == (48, 0)
    results = {name: values[0, :2] for name, values in found.items() if values.shape == (1, 10)}
    assert results["entry_1/result_1/rcent"] == pytest.approx([21, 48 + 11], abs=0.1)
    assert results["entry_1/result_1/ccent"] == pytest.approx([31, 41], abs=0.1)
    assert results["entry_1/result_1/rmin"].tolist() == [20, 58]
    x, y, radius = (results[f"entry_1/result_1/peak{what}"] for what in ("XPosRaw", "YPosRaw", "Radius"))
    assert radius == pytest.approx(np.hypot(x - 31.5, y - 47.5))
    assert found["LCLS/machineTimeNanoSeconds"].tolist() == [7]


def test_frames_that_change_their_shape() -> None:
    parameters = FindPeaksPyAlgosParameters(outdir="", out_file="x", det_name="x")
    raw = SimpleNamespace(raw=lambda event: np.ones(event.shape, np.uint16))
    run = SimpleNamespace(Detector=lambda _: SimpleNamespace(raw=raw))
    detector = ImageDetector(run, parameters, None, None)
    assert detector.frame(SimpleNamespace(shape=(3, 4))).shape == (1, 3, 4)
    with pytest.raises(LuteError, match=r"from \(1, 3, 4\) to \(1, 4, 4\) in the event of the timestamp 7"):
        detector.frame(SimpleNamespace(shape=(4, 4), timestamp=7))


@given(st.sets(st.integers(0, 50)))
def test_runs_are_listed_as_ranges(runs: set[int]) -> None:
    text = _ranges(runs)
    listed = [part.split("-") for part in text.split(", ")] if text else []
    read = [run for part in listed for run in range(int(part[0]), int(part[-1]) + 1)]
    assert read == sorted(runs)
    assert len(listed) == len([run for run in runs if run - 1 not in runs])


@pytest.mark.parametrize("tag", ["a/b", "2_x", "\0"])
def test_a_tag_that_would_make_unclear_names(tag: str) -> None:
    with pytest.raises(ValueError, match="name"):
        FindPeaksPyAlgosParameters(outdir="", out_file="x", det_name="x", tag=tag)
