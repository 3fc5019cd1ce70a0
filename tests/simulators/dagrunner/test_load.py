"""Reading DAG files."""

import os
import sys
from pathlib import Path

import pytest

from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.load import Loaded, load_file, load_folder
from tests.simulators.dagrunner.running import NewAirflow, new_airflow

__all__ = ["new_airflow"]

DAG_FILE = """
from datetime import datetime
from airflow import DAG
from airflow.providers.common.compat.sdk import BaseOperator, TaskGroup, task_group, task

START = datetime(2024, 1, 1)
"""


def write(path: Path, text: str) -> Path:
    path.write_text(DAG_FILE + text)
    return path


def test_dags_are_found_however_they_are_made(tmp_path: Path) -> None:
    write(
        tmp_path / "many.py",
        """
from airflow.providers.common.compat.sdk import dag as as_dag

kept = DAG("kept", schedule=None, start_date=START)
BaseOperator(task_id="a", dag=kept)
with DAG("unnamed", schedule=None, start_date=START):
    BaseOperator(task_id="a")

def make(name):
    with DAG(name, schedule=None, start_date=START) as made:
        BaseOperator(task_id="a")

for number in range(3):
    make(f"made_{number}")

@as_dag(schedule=None, start_date=START)
def decorated():
    BaseOperator(task_id="a")

decorated()
""",
    )
    loaded = load_folder(tmp_path)
    assert loaded.errors == {}
    assert set(loaded.dags) == {"kept", "unnamed", "made_0", "made_1", "made_2", "decorated"}
    assert {file for _, file in loaded.dags.values()} == {str(tmp_path / "many.py")}


def test_an_import_error_is_kept_with_its_stack_trace(tmp_path: Path) -> None:
    path = write(tmp_path / "broken.py", "\ndef fails():\n    import no_such_module\n\nfails()\n")
    write(tmp_path / "good.py", "\nwith DAG('good', schedule=None): BaseOperator(task_id='a')\n")
    loaded = load_folder(tmp_path)
    assert set(loaded.dags) == {"good"}
    trace = loaded.errors[str(path)]
    assert f'File "{path}", line' in trace
    assert ", in fails" in trace
    assert trace.rstrip().endswith("ModuleNotFoundError: No module named 'no_such_module'")


@pytest.mark.parametrize("code", ["def x(:\n", "raise SystemExit(1)\n", "DAG()\n"])
def test_whatever_is_wrong_with_a_file_is_its_import_error(tmp_path: Path, code: str) -> None:
    path = write(tmp_path / "broken.py", "\n" + code)
    assert set(load_folder(tmp_path).errors) == {str(path)}


def test_a_dag_with_a_cycle_is_an_import_error(tmp_path: Path) -> None:
    path = write(
        tmp_path / "cycle.py",
        """
with DAG("cycle", schedule=None, start_date=START):
    a, b = BaseOperator(task_id="a"), BaseOperator(task_id="b")
    a >> b >> a
""",
    )
    loaded = load_folder(tmp_path)
    assert loaded.dags == {}
    assert "cycle" in loaded.errors[str(path)].lower()


def test_files_that_speak_of_no_dag_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("raise RuntimeError('imported')\n")
    (tmp_path / "only_one_word.py").write_text("# airflow\nraise RuntimeError('imported')\n")
    (tmp_path / "no_python.txt").write_text("airflow dag")
    loaded = load_folder(tmp_path)
    assert (loaded.dags, loaded.errors) == ({}, {})


def test_files_in_folders_are_found_and_may_import_what_lies_beside_them(tmp_path: Path) -> None:
    (tmp_path / "beside_load_test.py").write_text("NAME = 'named_beside'\n")
    (tmp_path / "deeper").mkdir()
    text = "\nfrom beside_load_test import NAME\nwith DAG(NAME, schedule=None): BaseOperator(task_id='a')\n"
    write(tmp_path / "deeper" / "dag.py", text)
    loaded = load_folder(tmp_path)
    assert loaded.errors == {}
    assert set(loaded.dags) == {"named_beside"}


def test_two_files_of_the_same_name_do_not_disturb_each_other(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write(
            tmp_path / name / "flow.py", f"\nwith DAG('{name}', schedule=None): BaseOperator(task_id='a')\n"
        )
    assert set(load_folder(tmp_path).dags) == {"one", "other"}


def test_a_file_is_imported_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path = write(tmp_path / "flow.py", "\nwith DAG('first', schedule=None): BaseOperator(task_id='a')\n")
    first, again = load_folder(tmp_path), load_folder(tmp_path)
    assert first.dags["first"][0] is again.dags["first"][0]
    write(path, "\nwith DAG('other', schedule=None): BaseOperator(task_id='a')\n")
    stamp = path.stat().st_mtime_ns + 1_000_000_000  # a file system may keep times too coarsely for a test
    os.utime(path, ns=(stamp, stamp))
    assert set(load_folder(tmp_path).dags) == {"other"}
    loaded = Loaded()
    load_file(path, loaded)
    assert set(loaded.dags) == {"other"}


def test_reading_leaves_nothing_beside_the_files(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", "\nwith DAG('leaves_nothing', schedule=None): BaseOperator(task_id='a')\n")
    before = sys.dont_write_bytecode
    load_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["flow.py"]
    assert sys.dont_write_bytecode is before


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("BaseOperator(task_id='a', depends_on_past=True)", "d.a: depends_on_past"),
        ("BaseOperator(task_id='a', wait_for_downstream=True)", "d.a: depends_on_past"),
        ("BaseOperator(task_id='a').as_setup()", "d.a: setup and teardown"),
        ("BaseOperator(task_id='a').as_teardown()", "d.a: setup and teardown"),
        ("BaseOperator(task_id='a', trigger_rule='all_done_setup_success')", "d.a: trigger rule"),
        ("BaseOperator(task_id='a', max_active_tis_per_dag=1)", "d.a: max_active_tis_per_dag"),
        ("BaseOperator(task_id='a', max_active_tis_per_dagrun=1)", "d.a: max_active_tis_per_dagrun"),
        ("task.branch(task_id='b')(lambda: 'a')()", "d.b: "),
        ("task.short_circuit(task_id='s')(lambda: True)()", "d.s: "),
        (
            "task_group(group_id='g')(lambda x: task(task_id='a')(lambda y: y)(x)).expand(x=[1])",
            "d.g.a: mapped task groups",
        ),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(tmp_path: Path, code: str, said: str) -> None:
    write(tmp_path / "flow.py", f"\nwith DAG('d', schedule=None, start_date=START):\n    {code}\n")
    write(tmp_path / "good.py", "\nwith DAG('good', schedule=None): BaseOperator(task_id='a')\n")
    loaded = load_folder(tmp_path)
    assert set(loaded.dags) == {"good"}, "the other files of the folder are read"
    (text,) = loaded.errors.values()
    last = text.strip().splitlines()[-1]
    assert "NotSimulatedError" in last
    assert said in last


@pytest.mark.parametrize(
    ("argument", "value"),
    [("dagrun_timeout", "timedelta(1)"), ("fail_stop" if MAJOR < 3 else "fail_fast", "True")],
)
def test_arguments_of_dags_that_are_not_simulated_are_refused(
    tmp_path: Path, argument: str, value: str
) -> None:
    dag = f"with DAG('d', schedule=None, {argument}={value}): BaseOperator(task_id='a')"
    write(tmp_path / "flow.py", f"\nfrom datetime import timedelta\n{dag}\n")
    (text,) = load_folder(tmp_path).errors.values()
    assert f"d: {argument} is not simulated" in text


def test_an_instance_sees_files_come_change_and_go(new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a')")
    instance = airflow.instance
    airflow.write("other", "with DAG('other', schedule=None):\n", "Act(task_id='b')")
    assert set(instance.state.dags) == {"d"}
    instance.reparse_all()
    assert set(instance.state.dags) == {"d", "other"}
    path = airflow.write("other", "raise RuntimeError('now broken')\nif True:\n", "pass")
    os.utime(path, (1, 1))
    instance.reparse(str(path))
    assert instance.state.parse_requests == {str(path)}
    airflow.pass_time(5.0)
    assert instance.state.parse_requests == set()
    assert [failure.file for failure in instance.state.import_errors] == [str(path)]
    assert "now broken" in instance.state.import_errors[0].stack_trace
    path.unlink()
    instance.reparse_all()
    assert instance.state.dags["other"].is_gone
    assert not instance.state.dags["d"].is_gone
