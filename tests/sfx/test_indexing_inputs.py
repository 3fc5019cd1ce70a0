"""What is said of indexing before it starts: its methods' programs, frames that do not fit the geometry."""

from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.io.config import load_config
from lute.tasks.models.sfx import IndexCrystFELParameters
from lute.tasks.preflight import check_preflight
from lute.tasks.sfx.indexing_inputs import indexing_problems

h5py = pytest.importorskip("h5py")

GEOMETRY = """
data = /entry_1/data_1/data ; images
;p/max_fs = 9999
badbox/max_fs = 9999
p/dim0 = %
p/dim1 = ss
p/dim2 = fs
p/max_fs = 127
p/max_ss = 63
q/dim0 = %
q/dim1 = ss
q/dim2 = fs
q/max_fs = 127
q/max_ss = 127
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work 'dir'\nß"
    folder.mkdir()
    with h5py.File(folder / "a b.cxi", "w") as file:
        file["entry_1/data_1/data"] = [[[0] * 128] * 128] * 2
    (folder / "x.lst").write_text("a b.cxi //1\n")
    (folder / "g.geom").write_text(GEOMETRY)
    return folder


def problems(folder: Path, **changes: object) -> dict[str, str]:
    values = {"in_file": "x.lst", "out_file": "x.stream", "geometry": "g.geom"} | changes
    env = {"PATH": str(folder.parent / "bin")}
    return dict(indexing_problems(IndexCrystFELParameters(**values), folder, env))


def with_geometry(folder: Path, old: str, new: str) -> dict[str, str]:
    assert old in GEOMETRY
    (folder / "g.geom").write_text(GEOMETRY.replace(old, new))
    return problems(folder)


def test_what_fits(folder: Path) -> None:
    assert problems(folder) == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "max_ss = 127",
            "max_ss = 128",
            "{0}/g.geom has panels up to 129 x 128 pixels (ss x fs), and the frames of {0}/a b.cxi have "
            "128 x 128",
        ),
        (
            "q/max_fs = 127",
            "q/max_fs = 511",
            "{0}/g.geom has panels up to 128 x 512 pixels (ss x fs), and the frames of {0}/a b.cxi have "
            "128 x 128",
        ),
        (
            "data_1/data",
            "data_1",
            "{0}/g.geom has its images in '/entry_1/data_1', and {0}/a b.cxi has nothing there",
        ),
        (
            "/entry_1/data_1/data",
            "/data/data",
            "{0}/g.geom has its images in '/data/data', and {0}/a b.cxi has nothing there",
        ),
    ],
)
def test_a_geometry_that_does_not_match(folder: Path, old: str, new: str, says: str) -> None:
    assert with_geometry(folder, old, new) == {"geometry": says.format(folder)}


def test_images_in_other_dimensions(folder: Path) -> None:
    text = "".join(line + "\n" for line in GEOMETRY.splitlines() if "/dim" not in line)
    (folder / "g.geom").write_text(text)
    assert problems(folder) == {
        "geometry": f"{folder}/g.geom has images in 2 dimensions, and '/entry_1/data_1/data' of "
        f"{folder}/a b.cxi has 3"
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("p/max_fs = 127", "p/data = /other\np/max_fs = 127"),
        ("p/dim1 = ss", "p/dim1 = fs"),
        ("q/dim0 = %", "q/dim0 = 3"),
        ("q/max_fs = 127", "q/max_fs = many"),
        (GEOMETRY, ""),
        (GEOMETRY, "\x00"),
    ],
)
def test_what_cannot_be_compared_is_left_to_the_program(folder: Path, old: str, new: str) -> None:
    assert with_geometry(folder, old, new) == {}


@pytest.mark.parametrize("data", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n broken"])
def test_a_broken_image_file_is_left_to_the_program(folder: Path, data: bytes) -> None:
    (folder / "a b.cxi").write_bytes(data)
    assert problems(folder) == {}


@pytest.mark.parametrize("changes", [{"prefix": "/d/"}, {"basename": True}, {"wait_for_file": -1}])
def test_files_that_may_lie_elsewhere_are_not_looked_into(folder: Path, changes: dict[str, object]) -> None:
    (folder / "a b.cxi").unlink()
    assert problems(folder, **changes) == {}


def test_a_method_whose_program_is_not_there(folder: Path) -> None:
    for methods in ("xds", "asdf,xds-latt-cell", "xgandalf, xds"):
        assert problems(folder, indexing=methods) == {
            "indexing": "the method 'xds' needs the program xds, which is not in the PATH of the Task; "
            "asdf needs none"
        }
    program = folder.parent / "bin" / "xds_par"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert problems(folder, indexing="xds,asdf,xgandalf,none") == {}


def test_it_is_told_with_parameter_file_and_line(folder: Path) -> None:
    file = folder / "c.yaml"
    file.write_text(
        "experiment: a\nrun: 1\n---\nIndexCrystFEL:\n  geometry: g.geom\n  executable: /bin/true\n"
        "  indexing: dirax\n"
    )
    parameters = IndexCrystFELParameters(
        in_file="x.lst", out_file="x.stream", geometry="g.geom", executable="/bin/true", indexing="dirax"
    )
    config = load_config(file, {"LUTE_WORK_DIR": str(folder)})
    with pytest.raises(ConfigError) as wrong:
        check_preflight("IndexCrystFEL", parameters, config, {"PATH": ""})
    assert f"{file}:7: 'IndexCrystFEL.indexing': the method 'dirax' needs" in str(wrong.value)
