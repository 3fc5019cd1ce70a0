from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.io.config import load_config
from lute.io.database import Database, TaskRun
from lute.tasks.models.base import TaskParameters
from lute.tasks.parameters import resolve_parameters

WORK = "/w dir"


def resolve(tmp_path: Path, task: str, section: str, env: dict[str, str] | None = None) -> TaskParameters:
    file = tmp_path / "c.yaml"
    file.write_text(f"experiment: mfxl1\nrun: 12\nwork_dir: {WORK}\n---\n{section}", encoding="utf-8")
    return resolve_parameters(task, load_config(file, env or {}), Database(tmp_path / "lute.db"))


def succeeded(tmp_path: Path, task: str, run: int = 12, **parameters: object) -> None:
    row = TaskRun(task, task, "mfxl1", run, "", "", "COMPLETED", 0, parameters, "", {})
    Database(tmp_path / "lute.db").store(row)


def test_defaults_and_written_values(tmp_path: Path) -> None:
    parameters = resolve(tmp_path, "Test", "Test:\n  float_var: 1e-3\n  str_var: '{{ float_var }}!'\n")
    assert parameters.model_dump() == {
        "float_var": 0.001,
        "str_var": "1e-3!",
        "compound_var": {"int_var": 1, "dict_var": {"a": "b"}},
        "sleep_s": 0.1,
        "num_messages": 10,
        "throw_error": False,
    }


def test_a_default_can_be_referred_to(tmp_path: Path) -> None:
    parameters = resolve(tmp_path, "Test", "Test: {str_var: 'n{{ compound_var.int_var }}{{ sleep_s }}'}")
    assert parameters.model_dump()["str_var"] == "n10.1"


def test_no_section_where_all_has_defaults(tmp_path: Path) -> None:
    assert resolve(tmp_path, "TestSocket", "").model_dump() == {"array_size": 10_000, "num_arrays": 10}


def test_files_flow_from_step_to_step(tmp_path: Path) -> None:
    succeeded(tmp_path, "FindPeaksPyAlgos", out_file="/d/{{ run }}.lst")
    succeeded(tmp_path, "FindPeaksPyAlgos", run=13, out_file="/d/other.lst")
    index = resolve(tmp_path, "IndexCrystFEL", "IndexCrystFEL: {geometry: g.geom, cell_file: c.cell}")
    values = index.model_dump(mode="json")
    assert values["in_file"] == "/d/{{ run }}.lst"
    assert values["out_file"] == f"{WORK}/mfxl1_r0012.stream"

    succeeded(tmp_path, "IndexCrystFEL", **values)
    merge = resolve(tmp_path, "MergePartialator", "MergePartialator: {symmetry: mmm, in_file: ''}")
    values = merge.model_dump(mode="json")
    assert values["in_file"] == f"{WORK}/mfxl1_r0012.stream"
    assert merge.out_files() == {"out_file": f"{WORK}/mfxl1_r0012.hkl"}

    succeeded(tmp_path, "MergePartialator", **values)
    compare = resolve(
        tmp_path, "CompareHKL", "CompareHKL: {nshells: 5, cell_file: null, highres: 2}"
    ).model_dump()
    assert compare["in_files"] == [f"{WORK}/mfxl1_r0012.hkl1", f"{WORK}/mfxl1_r0012.hkl2"]
    assert compare["symmetry"] == "mmm"
    assert compare["cell_file"] == "c.cell"
    assert compare["shell_file"] == f"{WORK}/mfxl1_r0012_Rsplit_n5.dat"


def test_a_default_that_is_not_there_yet(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, "MergePartialator", "MergePartialator:\n  symmetry: mmm\n")
    assert str(caught.value) == (
        f"{tmp_path / 'c.yaml'}:5: the parameter 'MergePartialator.in_file' is missing; "
        "IndexCrystFEL would give it, but has not succeeded for this run"
    )


def test_all_problems_in_one_message(tmp_path: Path) -> None:
    section = (
        "Test:\n  flaot_var: 1\n  sleep_s: soon\n  compound_var:\n    int_var: x\n    other: 1\n"
        "  throw_error: 7\n"
    )
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, "Test", section)
    assert caught.value.line == 6
    text = str(caught.value)
    file = str(tmp_path / "c.yaml")
    for line, says in [
        (6, "unknown parameter 'Test.flaot_var': did you mean float_var"),
        (7, "'Test.sleep_s' is 'soon': Input should be a valid number"),
        (9, "'Test.compound_var.int_var' is 'x': Input should be a valid integer"),
        (10, "unknown parameter 'Test.compound_var.other'"),
        (11, "'Test.throw_error' is 7: Input should be a valid boolean"),
    ]:
        assert f"{file}:{line}: {says}" in text


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(tmp_path, "Test", f"Test: {{sleep_s: {'x' * 10_000}}}")
    assert len(str(caught.value)) < 400


def test_a_misspelt_section(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:5: there is no Task 'Tets': did you mean Test"):
        resolve(tmp_path, "Test", "Tets:\n  float_var: 1\n")
    assert resolve(tmp_path, "Test", "TestBinary: {}\nSubmitSMD: {}\n")


def test_unknown_task(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean IndexCrystFEL"):
        resolve(tmp_path, "IndexCrystFell", "")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("min_peaks: 4000", "FindPeaksPyAlgos: 'min_peaks' is 4000, more than 'max_peaks', 2048"),
        ("npix_max: 1", "FindPeaksPyAlgos: 'npix_min' is 2, more than 'npix_max', 1"),
        ("tag: a/b", "'FindPeaksPyAlgos.tag' is 'a/b': it is part of names of files and may have no '/'"),
    ],
)
def test_what_a_model_says_of_its_values(tmp_path: Path, values: str, says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        resolve(tmp_path, "FindPeaksPyAlgos", f"FindPeaksPyAlgos: {{det_name: d, {values}}}")
    assert wrong.value.what.endswith(f"c.yaml:5: {says}")
