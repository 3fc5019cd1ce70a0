from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import TaskFailed
from lute.io.header import Header
from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.result import TaskResult
from lute.tasks.results.stream import StreamCounts, count_stream, indexing_result
from tests.lute.tasks.sfx_files import frame, stream

THREE = stream(frame(1), frame(0, is_hit=False), frame(2))


def result(folder: Path, text: str, **parameters: object) -> TaskResult:
    (folder / "x.stream").write_text(text)
    header = Header(experiment="mfxl1", run=12, work_dir=folder)
    model = IndexCrystFELParameters(in_file="x.lst", out_file="x.stream", geometry="g", **parameters)
    return indexing_result(model, header)


def test_several_crystals_in_a_frame_are_one_indexed_frame(tmp_path: Path) -> None:
    assert result(tmp_path, THREE + frame(0)).summary == {
        "frames": 4,
        "hits": 3,
        "indexed": 2,
        "crystals": 3,
        "indexing rate (%)": 66.7,
    }


def test_a_frame_with_a_crystal_is_a_hit_whatever_it_says(tmp_path: Path) -> None:
    assert result(tmp_path, stream(frame(1, is_hit=False))).summary["indexing rate (%)"] == 100


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (stream(), "has no frame"),
        (stream(frame(0, is_hit=False)), "none of the 1 frames is a hit"),
        (stream(frame(0), frame(0), frame(0, is_hit=False)), r"none of 2 hits \(3 frames\) could be indexed"),
        (stream(frame(0, peaks=0), frame(0, peaks=0)), r"none of 2 hits \(2 frames\) has a peak"),
        ("", "no stream of CrystFEL"),
        ("\x00" * 100, "no stream of CrystFEL"),
        (stream(frame(1)[:-1]), "breaks off"),
        (stream("----- Begin chunk -----\nhit = 1\n", frame(1)), "'----- Begin chunk -----' is out of place"),
        (stream("----- End chunk -----\n"), "is out of place"),
        (stream("--- Begin crystal\n"), "is out of place"),
        (stream("----- Begin chunk -----\n--- End crystal\n"), "is out of place"),
    ],
)
def test_what_is_no_success(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TaskFailed, match=says):
        result(tmp_path, text)


def test_the_likely_causes_are_told(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed) as failed:
        result(tmp_path, stream(frame(0)), cell_file="a b.cell")
    assert all(
        word in failed.value.next_step for word in ("'cell_file' (a b.cell)", "'geometry' (g)", "peaks")
    )
    with pytest.raises(TaskFailed) as failed:
        result(tmp_path, stream(frame(0)))
    assert "cell_file" not in failed.value.next_step


def test_a_stream_that_tells_no_peaks_is_not_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(TaskFailed, match="could be indexed"):
        result(tmp_path, stream(frame(0).replace("num_peaks = 40\n", "")))


def test_no_crystal_is_right_where_none_was_asked_for(tmp_path: Path) -> None:
    assert result(tmp_path, stream(frame(0)), indexing="none").summary["hits"] == 1


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        count_stream(tmp_path / "x")


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=8))
def test_the_numbers_are_those_of_the_frames(tmp_path_factory: pytest.TempPathFactory, frames: list) -> None:
    file = tmp_path_factory.getbasetemp() / "numbers.stream"
    file.write_text(stream(*(frame(crystals, is_hit=is_hit) for crystals, is_hit in frames)))
    assert count_stream(file) == StreamCounts(
        frames=len(frames),
        hits=sum(is_hit or crystals > 0 for crystals, is_hit in frames),
        indexed=sum(crystals > 0 for crystals, _ in frames),
        crystals=sum(crystals for crystals, _ in frames),
        peaks=40 * len(frames) or None,
    )


@given(st.integers(0, len(THREE) - 1))
def test_what_breaks_off_within_a_frame_is_no_success(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    """Where whole frames are missing, the others count."""
    folder = tmp_path_factory.getbasetemp()
    text = THREE[:length]
    if text.endswith("----- End chunk -----\n"):
        assert result(folder, text).summary["frames"] == text.count("End chunk")
    else:
        with pytest.raises(TaskFailed):
            result(folder, text)
