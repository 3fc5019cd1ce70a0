"""Workflows in YAML files of their users."""

import os
from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.launch.workflow_file import read_workflow
from lute.workflows.model import Workflow

SLURM = ("--partition=milano", "--ntasks=4")


def read(folder: Path, text: str, slurm_params: tuple[str, ...] = SLURM) -> Workflow:
    file = folder / "flow.yaml"
    file.write_text(text)
    return read_workflow(file, slurm_params)


def settings(workflow: Workflow) -> dict[str, dict[str, object]]:
    return {step.task_id: step.settings.model_dump(exclude_defaults=True) for step in workflow.steps}


def test_a_file_name_that_is_not_utf_8_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"flow\xff.yaml")
    file.write_text("task_name: Tester")
    assert "flow?.yaml" in read_workflow(file, SLURM).to_json()


def test_a_file_as_lute_has_always_had_it(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
task_name: Tester
slurm_params: ""
next:
- task_name: BinaryTester
  slurm_params: '--partition=milano --ntasks=12 --account=lcls:x'
  next: []
- task_name: SocketTester
  slurm_params: ""
  next:
  - task_name: WriteTester
    slurm_params: ""
    next: []
""",
    )
    assert found.title == "flow.yaml"
    assert found.links == {
        "Tester": ("BinaryTester", "SocketTester"),
        "BinaryTester": (),
        "SocketTester": ("WriteTester",),
        "WriteTester": (),
    }
    assert settings(found)["BinaryTester"] == {
        "slurm_params": "--partition=milano --ntasks=12 --account=lcls:x"
    }


def test_all_that_may_be_said_of_a_step(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "{task_name: Tester, max_cores: 3, max_nodes: 2, partition: ampere,"
        " trigger_rule: all_done, retries: 0}",
    )
    assert settings(found) == {
        "Tester": {
            "max_cores": 3,
            "max_nodes": 2,
            "partition": "ampere",
            "trigger_rule": "all_done",
            "retries": 0,
        }
    }


def test_a_step_named_in_several_places_is_one(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
- task_name: Tester
  next:
  - task_name: WriteTester
    trigger_rule: all_done
    next: [{task_name: ReadTester}]
- task_name: BinaryTester
  next: [{task_name: WriteTester, max_cores: 2, next: [{task_name: SocketTester}, {task_name: ReadTester}]}]
""",
    )
    assert found.links == {
        "Tester": ("WriteTester",),
        "WriteTester": ("ReadTester", "SocketTester"),
        "ReadTester": (),
        "BinaryTester": ("WriteTester",),
        "SocketTester": (),
    }
    assert settings(found)["WriteTester"] == {"trigger_rule": "all_done", "max_cores": 2}


def test_with_an_id_the_same_task_is_another_step(tmp_path: Path) -> None:
    found = read(tmp_path, "{task_name: Tester, next: [{task_name: Tester, id: again}]}")
    assert found.links == {"Tester": ("again.Tester",), "again.Tester": ()}


def test_an_alias_is_the_step_that_it_stands_for(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
- task_name: Tester
  next: [&last {task_name: WriteTester, max_cores: 2}]
- task_name: BinaryTester
  next: [*last]
""",
    )
    assert found.links == {"Tester": ("WriteTester",), "WriteTester": (), "BinaryTester": ("WriteTester",)}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "is empty"),
        ("{task_name: Tester}\n---\n{task_name: Tester}", None, "has 2 YAML documents"),
        ("[]", 1, "a step is a mapping with the key task_name, not []"),
        ("null", 1, "not None"),
        ("Tester", 1, "not 'Tester'"),
        ("task_name: Tester\nnext:\n- 5", 3, "not 5"),
        ("next: []", 1, "task_name is missing"),
        ("task_name: 5", 1, "task_name is 5"),
        ("task_name: Testre", 1, "no managed Task 'Testre': did you mean Tester"),
        ("task_name: Tester\nmax_coers: 5", 2, "unknown key 'max_coers': did you mean max_cores"),
        ("task_name: Tester\n5: 5", 2, "unknown key '5'"),
        ("task_name: Tester\nnext: {task_name: Tester}", 2, "next is a list of steps"),
        ("task_name: Tester\nid: ''", 2, "id is ''"),
        ("task_name: Tester\nid: a.b", 2, "id is 'a.b'"),
        ("task_name: Tester\nid: é", 2, "id is 'é'"),
        ("task_name: Tester\ntrigger_rule: all_sucess", 2, "did you mean all_success"),
        ("task_name: Tester\ntrigger_rule: [all_success]", 2, "no trigger rule ['all_success']"),
        ("task_name: Tester\ntrigger_rule: dummy", 2, "no trigger rule 'dummy'"),
        ("task_name: Tester\nmax_cores: 0", 2, "max_cores is 0"),
        ("task_name: Tester\nmax_cores: '4'", 2, "max_cores is '4'"),
        ("task_name: Tester\nmax_nodes: true", 2, "max_nodes is True"),
        ("task_name: Tester\nretries: -1", 2, "retries is -1"),
        ("task_name: Tester\npartition: ''", 2, "partition is ''"),
        ("task_name: Tester\nslurm_params: [-n, 4]", 2, "slurm_params is ['-n', 4]"),
        ("task_name: Tester\nslurm_params: --ntaks=4", 2, "the sbatch arguments of Tester: "),
        ("task_name: Tester\nslurm_params: --ntasks", 2, "the sbatch arguments of Tester: "),
        ("task_name: Tester\nslurm_params: '\"'", 2, "No closing quotation"),
        ("task_name: Tester\nslurm_params: --parsable", 2, "--parsable does not go with a workflow"),
        (
            "task_name: Tester\nslurm_params: -n 4\nmax_cores: 2",
            2,
            "max_cores of Tester would have no effect",
        ),
        ("task_name: Tester\nnext: [{task_name: Tester}]", 2, "steps wait for each other: Tester > Tester"),
        (
            "task_name: Tester\nnext:\n- task_name: ReadTester\n  next:\n  - task_name: Tester",
            5,
            "Tester > ReadTester > Tester",
        ),
        (
            "- {task_name: Tester, max_cores: 2}\n- {task_name: Tester, max_cores: 3}",
            2,
            "max_cores of Tester is 2 on line 1 and 3 here",
        ),
        ("task_name: Tester\ntask_name: Tester", 2, "used twice"),
        ("&a [*a]", 1, "refers to itself"),
        ("task_name: [", 1, "not valid YAML"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, text)
    assert wrong.value.line == line
    assert says in wrong.value.what
    assert f"{tmp_path}/flow.yaml" in wrong.value.what


def test_all_mistakes_are_told_at_once_in_the_files_order(tmp_path: Path) -> None:
    text = "- task_name: Tstr\n  bogus: 1\n- task_name: Tester\n  max_cores: 0\n"
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, text)
    lines = [line.partition("flow.yaml:")[2].partition(":")[0] for line in wrong.value.what.splitlines()]
    assert lines == ["1", "2", "4"]


def test_a_cap_that_the_launchers_arguments_do_not_allow(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sbatch arguments of Tester"):
        read(tmp_path, "{task_name: Tester, max_cores: 2}", ("--ntasks=many",))


def test_thousands_of_steps_are_no_matter(tmp_path: Path) -> None:
    text = "".join(f"- {{task_name: Tester, id: s{number}}}\n" for number in range(2000))
    assert len(read(tmp_path, text).steps) == 2000
