import os
from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.io.config import load_config
from lute.tasks.models.base import TaskParameters, ThirdPartyParameters
from lute.tasks.models.sfx import CompareHKLParameters, IndexCrystFELParameters
from lute.tasks.preflight import check_preflight, preflight_problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with all that indexing needs, and a program in `bin`."""
    folder = tmp_path / "work 'dir'\nß"
    folder.mkdir()
    for name in ("geometry.geom", "x.cell", "a b.cxi", "c.cxi"):
        (folder / name).write_text("x")
    (folder / "x.lst").write_text("a b.cxi //3\n\nc.cxi\na b.cxi //4\n")
    program(tmp_path / "bin" / "indexamajig")
    return folder


def program(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def index(**changes: object) -> IndexCrystFELParameters:
    values = {"in_file": "x.lst", "out_file": "x.stream", "geometry": "geometry.geom", "cell_file": "x.cell"}
    return IndexCrystFELParameters(**(values | changes))


def problems(folder: Path, parameters: TaskParameters) -> dict[str, str]:
    return dict(preflight_problems(parameters, folder, {"PATH": f"/no/such:{folder.parent / 'bin'}"}))


def test_all_is_there(folder: Path) -> None:
    assert problems(folder, index()) == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"geometry": "geomtry.geom"}, "there is no {}/geomtry.geom: did you mean geometry.geom?"),
        ({"geometry": "sub/geometry.geom"}, "there is no directory {}/sub"),
        ({"geometry": "."}, "{} is no file that may be read"),
        ({"cell_file": "/etc/no-such-cell"}, "there is no /etc/no-such-cell"),
        ({"in_file": "y.lst"}, "there is no {}/y.lst: did you mean x.lst?"),
        ({"out_file": "/no/such/x.stream"}, "there is no directory /no/such to write to"),
        ({"executable": "./indexamajig"}, "there is no {}/indexamajig"),
        ({"executable": "x.cell"}, "there is no program 'x.cell' in the PATH of the Task"),
        ({"executable": "./x.cell"}, "{}/x.cell may not be executed"),
        ({"fromfile_input_file": "/no.sol"}, "there is no /no.sol"),
    ],
)
def test_what_is_missing_is_told_by_its_parameter(
    folder: Path, changes: dict[str, object], says: str
) -> None:
    (name,) = changes
    assert problems(folder, index(**changes)) == {name: says.format(folder)}


def test_the_closest_program_of_the_path(folder: Path) -> None:
    (folder.parent / "bin" / "indexamajig").unlink()
    program(folder.parent / "bin" / "standin-indexamajig")
    assert problems(folder, index()) == {
        "executable": "there is no program 'indexamajig' in the PATH of the Task: "
        "did you mean standin-indexamajig?"
    }


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "./" + "a" * 5000, "./a\0b"])
def test_names_that_cannot_be(folder: Path, name: str) -> None:
    assert "executable" in problems(folder, ThirdPartyParameters(executable=name))


def test_files_of_the_list(folder: Path) -> None:
    (folder / "a b.cxi").unlink()
    assert problems(folder, index())["in_file"].startswith(
        f"{folder}/x.lst: 1 of 2 files: there is no {folder}/a b.cxi"
    )
    for changed in ({"prefix": "/data/"}, {"basename": True}, {"wait_for_file": -1}):
        assert problems(folder, index(**changed)) == {}


@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_a_list_of_nothing(folder: Path, text: bytes) -> None:
    (folder / "x.lst").write_bytes(text)
    assert problems(folder, index()) == {"in_file": f"{folder}/x.lst lists no files"}


def test_a_list_that_is_no_text(folder: Path) -> None:
    (folder / "x.lst").write_bytes(bytes(range(256)) * 100)
    assert "files: there is no" in problems(folder, index())["in_file"]


def test_each_of_several_files(folder: Path) -> None:
    program(folder.parent / "bin" / "compare_hkl")
    parameters = CompareHKLParameters(
        in_files=["x.cell", "x.hkl2"], symmetry="1", cell_file="x.cell", shell_file="x.dat", highres=2
    )
    assert list(problems(folder, parameters)) == ["in_files"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "x.cell").chmod(0)
    assert "is no file that may be read" in problems(folder, index())["cell_file"]


def test_all_problems_in_one_message_with_their_lines(folder: Path) -> None:
    file = folder.parent / "c.yaml"
    file.write_text(
        "experiment: a\nrun: 1\nwork_dir: /nowhere\n---\nIndexCrystFEL:\n  cell_file: x\n  geometry: y\n"
    )
    with pytest.raises(ConfigError) as wrong:
        check_preflight("IndexCrystFEL", index(), load_config(file, {}), {"PATH": ""})
    assert f"{file}:7: 'IndexCrystFEL.geometry': there is no directory /nowhere" in str(wrong.value)
    assert f"{file}:6: 'IndexCrystFEL.cell_file'" in str(wrong.value)
    assert wrong.value.exit_code == 2
