"""The command: exit codes, text, JSON."""

import json
import re
from pathlib import Path

import pytest

from simulators.lint.codes import CODES
from tests.simulators.commands.conftest import lute_sim
from tests.simulators.commands.run_cli import LuteSim
from tests.simulators.lint.cases import CASES, CORES, GOOD, SCHEDULE, changed

__all__ = ["lute_sim"]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder é"
    folder.mkdir()
    return folder / "case.py"


def test_a_good_file_exits_with_0(lute_sim: LuteSim, file: Path) -> None:
    file.write_text(GOOD)
    done = lute_sim("lint-dag", str(file))
    assert (done.code, done.out, done.err) == (0, "nothing to say\n", "")


def test_warnings_exit_with_0(lute_sim: LuteSim, file: Path) -> None:
    file.write_text(changed(SCHEDULE, ", schedule_interval=None"))
    done = lute_sim("lint-dag", str(file))
    assert done.code == 0
    assert done.out == (
        f"{file}:10: LUTE101 warning: schedule_interval= is Airflow 2's keyword\n"
        "  instead: schedule=\n"
        "0 errors, 1 warnings\n"
    )


def test_errors_exit_with_1_and_files_are_taken_in_turn(
    lute_sim: LuteSim, file: Path, tmp_path: Path
) -> None:
    file.write_text(changed(CORES, "max_core=0"))
    good = tmp_path / "good.py"
    good.write_text(GOOD)
    done = lute_sim("lint-dag", str(good), str(file), "--static")
    assert done.code == 1
    assert f"{file}:12: LUTE301 error: JIDSlurmOperator has no argument max_core=" in done.out
    assert "  instead: did you mean max_cores" in done.out


def test_json_has_all_of_it_and_nothing_else_is_printed(lute_sim: LuteSim, file: Path) -> None:
    file.write_text(changed(CORES, "max_cores=0") + "\nprint('noise')\n")
    done = lute_sim("lint-dag", str(file), "--json")
    assert done.code == 1
    assert json.loads(done.out) == {
        "findings": [
            {
                "code": "LUTE304",
                "severity": "error",
                "file": str(file),
                "line": 12,
                "message": "max_cores=0 is not a whole number of at least 1",
                "instead": "max_cores=1 or more; leave it out for no cap",
            }
        ],
        "errors": 1,
        "warnings": 0,
    }


def test_a_configuration_is_told_of_once_for_all_files(lute_sim: LuteSim, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    for each in (file, other):
        each.write_text(GOOD)
    config = tmp_path / "config.yaml"
    config.write_text("only: one document\n")
    done = lute_sim("lint-dag", str(file), str(other), "--config", str(config))
    assert done.code == 1
    assert done.out.count("LUTE601") == 1


def test_each_code_explains_itself(lute_sim: LuteSim) -> None:
    for name, code in CODES.items():
        done = lute_sim("lint-dag", "--explain", name.lower())
        assert done.code == 0
        assert done.out == f"{name} ({code.severity}): {code.title}\n  {code.why}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give a DAG file"),
        (["/no/such.py"], "does not exist"),
        (["/tmp"], "is a directory"),
        (["--explain", "LUTE9"], "there is no code 'LUTE9'"),
        (["x.py", "--config", "/no/such.yaml"], "does not exist"),
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], said: str, lute_sim: LuteSim) -> None:
    done = lute_sim("lint-dag", *words)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_no_credential_is_ever_printed(lute_sim: LuteSim, file: Path) -> None:
    for case in CASES:
        if case.code == "LUTE505":
            file.write_text(case.bad())
            for words in ([], ["--json"]):
                out = lute_sim("lint-dag", str(file), *words).out
                assert "LUTE505" in out
                assert not re.search("hunter2|pw12345|abcdef", out)


def test_the_docs_have_every_code() -> None:
    text = (ROOT / "docs" / "lint_dag.md").read_text()
    assert set(re.findall(r"^\| `(LUTE\d+)` \|", text, re.MULTILINE)) == set(CODES)
