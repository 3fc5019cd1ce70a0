"""What a configuration lacks for the Tasks of a workflow."""

from pathlib import Path

import pytest

from simulators.lint.finding import Finding
from simulators.lint.lint import lint_file
from tests.simulators.lint.cases import GOOD, TAIL, changed
from tests.simulators.lint.conftest import NOW, Lint

ROOT = Path(__file__).resolve().parents[3]
HEADER = "%YAML 1.3\n---\nexperiment: '{{ $EXPERIMENT }}'\nrun: '{{ $RUN }}'\n...\n---\n"


def found_in(
    lint: Lint, tmp_path: Path, yaml: str, text: str = GOOD, *, static: bool = False
) -> list[Finding]:
    file = tmp_path / "my config é.yaml"
    file.write_text(yaml)
    found = lint(text, config=file, static=static)
    assert all(finding.file == str(file) for finding in found)
    return found


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize(
    ("workflow", "config"), [("test", "test"), ("test_failure", "test"), ("pyalgos_sfx", "sfx")]
)
def test_the_projects_configurations_fit_their_workflows(workflow: str, config: str, static: bool) -> None:
    file = ROOT / "workflows" / "airflow" / f"{workflow}.py"
    assert lint_file(file, now=NOW, static=static, config=ROOT / "config" / f"{config}.yaml") == []


@pytest.mark.parametrize("static", [False, True])
def test_missing_and_wrong_parameters_each_have_their_line(lint: Lint, tmp_path: Path, static: bool) -> None:
    yaml = f"{HEADER}Test:\n  num_messages: many\n  slep_s: 1\nTestWriteOutput:\n  num_vals: -1\n"
    found = found_in(lint, tmp_path, yaml, static=static)
    assert [(finding.code, finding.line) for finding in found] == [
        ("LUTE602", 8),
        ("LUTE602", 9),
        ("LUTE602", 11),
    ]
    assert "'Test.num_messages' is 'many'" in found[0].message
    assert "did you mean sleep_s?" in found[1].message


def test_a_result_counts_where_an_earlier_step_gives_it(lint: Lint, tmp_path: Path) -> None:
    assert found_in(lint, tmp_path, HEADER + "{}\n") == []
    alone = changed(TAIL, "first >> third >> second\n")
    (found,) = found_in(lint, tmp_path, HEADER + "{}\n", alone)
    assert found.code == "LUTE602"
    assert "TestReadOutput.in_file' is missing; TestWriteOutput would give it" in found.message
    assert found_in(lint, tmp_path, HEADER + "TestReadOutput: {in_file: /data/x}\n", alone) == []


def test_values_of_other_tasks_are_followed_through_the_file(lint: Lint, tmp_path: Path) -> None:
    text = (ROOT / "workflows" / "airflow" / "pyalgos_sfx.py").read_text()
    sections = (
        "FindPeaksPyAlgos: {det_name: d}\nIndexCrystFEL: {geometry: g}\nMergePartialator: {symmetry: mmm}\n"
        "CompareHKL: {highres: 2.0}\n"
    )
    found = found_in(lint, tmp_path, HEADER + sections, text)
    assert found == [], "the cell file is one that IndexCrystFEL may get from its own defaults"
    found = found_in(lint, tmp_path, HEADER + sections.replace("symmetry: mmm", ""), text)
    assert ["MergePartialator.symmetry" in finding.message for finding in found] == [True]


@pytest.mark.parametrize(
    ("yaml", "line"),
    [
        ("", 1),
        ("a: [\n", 2),
        (HEADER.replace("run:", "runn:") + "{}\n", 4),
        (HEADER + "Test: {a: 1, a: 2}\n", 7),
        (HEADER.replace("'{{ $RUN }}'", "'{{ RUN }}'") + "{}\n", 4),
    ],
)
def test_a_configuration_that_nobody_can_read_is_one_finding(
    lint: Lint, tmp_path: Path, yaml: str, line: int
) -> None:
    (found,) = found_in(lint, tmp_path, yaml)
    assert (found.code, found.line) == ("LUTE601", line)
