"""Scenario files: what may stand in them, and what is said of everything else."""
# ruff: noqa: E501 - tables, a case a line

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from lute.errors import ConfigError
from simulators.scenario.loader import (
    LIBRARY,
    check_tasks,
    dump_scenario,
    find_scenario,
    load_scenario,
    scenario_file,
)
from simulators.scenario.schema import Scenario
from tests.scenarios.strategies import scenarios

FAULT = "faults:\n  - what: reset\n    {}\n"
WORLD = "faults:\n  - what: node_down\n    {}\n"
MODEL = "tasks:\n  Tester:\n    {}\n"


def problem(tmp_path: Path, text: str) -> str:
    """Return what is said of a file: its line and the sentence."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_scenario(file)
    assert caught.value.exit_code == 2
    assert "pydantic" not in str(caught.value)
    where, _, rest = str(caught.value).partition("mine.yaml")
    assert where == f"{tmp_path}/"
    return rest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": is empty: a scenario needs at least `workflow: NAME`"),
        ("# nothing\n", ": is empty: a scenario needs at least `workflow: NAME`"),
        ("- a\n", ":1: a scenario is a mapping, such as `workflow: test`"),
        ("workflow: test\n---\nworkflow: test\n", ":3: holds 2 documents, a scenario is one"),
        ("a: [1\n", ":2: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("workflow: test\nworkflow: test\n", ":2: the key 'workflow' is used twice, first on line 1"),
        ("\nworklfow: test\n", ":2: a scenario has no field 'worklfow': did you mean workflow or user_workflow or airflow?"),
        ("12: a\n", ":1: the name 12 is not text: put it in quotes"),
        ("tasks:\n  12: {hangs: true}\n", ":2: the name 12 is not text: put it in quotes"),
        ("workflow: 12\n", ":1: 'workflow' should be text, not 12"),
        ("about: 2024-12-05\n", ":1: 'about' should be text, not datetime.date(2024, 12, 5)"),
        ("retries: many\n", ":1: 'retries' should be a valid integer, unable to parse string as an integer, not 'many'"),
        ("retry_delay_s: -3\n", ":1: 'retry_delay_s' should be greater than or equal to 0, not -3"),
        ("deadline_s: .inf\n", ":1: 'deadline_s' should be a finite number, not inf"),
        ("airflow: 4\n", ":1: 'airflow' should be 2 or 3, not 4"),
        ("slurm_args: --time=1\n", ":1: 'slurm_args' should be a list, not '--time=1'"),
        ("cluster:\n  partition: {}\n", ":2: cluster has no field 'partition': did you mean partitions?"),
        ("expect:\n  rum: success\n", ":2: expect has no field 'rum': did you mean run?"),
        ("expect:\n  run: good\n", ":2: 'expect.run' should be 'success', 'failed' or 'none', not 'good'"),
        ("expect:\n  exit_code: no\n", ":2: 'expect.exit_code' should be a number, or killed, not False"),
        ("expect: [1]\n", ":1: 'expect' should be a mapping, not [1]"),
        (MODEL.format("exit_cod: 3"), ":3: the model of task Tester has no field 'exit_cod': did you mean exit_code?"),
        (MODEL.format("- exit_code: 3\n    - exit_code: 300"), ":4: 'tasks.Tester.1.exit_code' should be less than or equal to 255, not 300"),
        (MODEL.format("exit_code: -1"), ":3: 'tasks.Tester.exit_code' should be greater than or equal to 0, not -1"),
        (MODEL.format("duration_s: -4"), ":3: 'tasks.Tester.duration_s' should be seconds, or two bounds [shortest, longest], not -4"),
        (MODEL.format("duration_s: [4, 2]"), ":3: 'tasks.Tester.duration_s' should be two bounds [shortest, longest], in seconds, not [4, 2]"),
        ("tasks: {Tester: 3}\n", ":1: 'tasks.Tester' should be a mapping, not 3"),
        ("faults: 3\n", ":1: 'faults' should be a list, not 3"),
        ("faults: [3]\n", ":1: a fault is a mapping with `what`"),
        ("faults:\n  - where: jid.start_job\n", ":2: a fault is a mapping with `what`"),
        ("faults:\n  - at_s: 1\n    what: rest\n", ":3: unknown fault 'rest': did you mean reset or refused or refusal?"),
        (FAULT.format("wehre: jid.start_job"), ":3: the fault reset has no field 'wehre': did you mean where?"),
        (FAULT.format("where: jid.start_jbo"), ":3: reset cannot be at 'jid.start_jbo': did you mean jid.start_job or jid.kill_job or jid.job_statuses?"),
        (FAULT.format("where: slurm.node"), ":3: reset cannot be at 'slurm.node': valid: airflow.*, elog.*, jid.*"),
        (FAULT.format("at_s: -1"), ":3: 'faults.0.at_s' should be greater than or equal to 0, not -1"),
        (FAULT.format("probability: 1.5"), ":3: 'faults.0.probability' should be less than or equal to 1, not 1.5"),
        (FAULT.format("probability: 0"), ":3: 'faults.0.probability' should be greater than 0, not 0"),
        (FAULT.format("direction: up"), ":3: 'faults.0.direction' should be 'before' or 'after', not 'up'"),
        ("faults:\n  - {what: status_word, where: jid.*}\n", ":2: status_word cannot be at 'jid.*': valid: jid.job_statuses"),
        (WORLD.format("delay_s: 1"), ":2: needs at_s, or after, but not both"),
        (WORLD.format("at_s: 1\n    after: running"), ":2: needs at_s, or after, but not both"),
        # The misspelt name before what is wrong on an earlier line.
        ("retries: -1\n" + FAULT.format("cal: 2"), ":4: the fault reset has no field 'cal': did you mean call or calls?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert problem(tmp_path, text) == says


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=f"^{path}: cannot be read: {reason}\n"):
            load_scenario(path)


def test_a_byte_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"workflow: test\nabout: \xff\n")
    with pytest.raises(ConfigError, match=r"mine.yaml:2: byte 0xff is not UTF-8"):
        load_scenario(file)


def test_a_long_value_is_told_in_short(tmp_path: Path) -> None:
    assert problem(tmp_path, f"retries: {'x' * 500}\n").endswith("x...")
    assert len(problem(tmp_path, f"retries: {'x' * 500}\n")) < 200


def test_a_file_gives_its_name_to_its_scenario(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tasks: {Tester: {exit_code: 1}}\n")
    scenario = load_scenario(file)
    assert scenario.name == "mine"
    assert [model.exit_code for model in scenario.tasks["Tester"]] == [1]
    file.write_text("name: other\n")
    assert load_scenario(file).name == "other"


@pytest.mark.parametrize("name", ["jid_down_5_min", "jid-down-5-min", f"{LIBRARY}/jid_down_5_min.yaml"])
def test_a_scenario_is_found_by_its_name_and_by_its_path(name: str) -> None:
    assert find_scenario(name).name == "jid_down_5_min"


def test_a_file_that_is_called_as_one_of_the_library_is_found_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dag_paused.yaml").write_text("workflow: mine\n")
    assert find_scenario("dag_paused.yaml").workflow == "mine"
    assert find_scenario("./dag_paused.yaml").workflow == "mine"
    assert find_scenario("dag_paused").workflow == "test"


@pytest.mark.parametrize("name", ["jid-down-5-mins", "jid_down_5"])
def test_an_unknown_name_gets_the_closest(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_scenario(name)
    assert str(caught.value).startswith(f"there is no scenario '{name}': ")
    assert "lute-sim scenarios" in str(caught.value)
    assert "did you mean jid_down_5_min" in str(caught.value)


def test_a_path_without_a_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^nowhere/x.yaml: cannot be read: No such file or directory"):
        find_scenario("nowhere/x.yaml")


TASKS = ("Tester", "group.Reader", "Mapped")


@pytest.mark.parametrize(
    "text",
    [
        "tasks: {Tester: {}, Reader: {}, group.Reader: {}, '*': {}, 'Mapped[3]': {}}\n",
        "faults: [{what: reset, task: Tester}, {what: cancel, after: running, task: 'Mapped[2]#2'}]\n",
        "expect: {tasks: {'Mapped[0]': success}, jobs: {'Tester#2': 1, group.Reader: 1}}\n",
    ],
)
def test_names_of_tasks_that_are_there_are_fine(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    check_tasks(load_scenario(file), TASKS, file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tasks:\n  Teser: {}\n", ":2: workflow test has no task 'Teser': did you mean Tester?"),
        ("faults:\n  - what: reset\n    task: Reader\n", ":3: workflow test has no task 'Reader': did you mean group.Reader or Tester?"),
        ("expect:\n  tasks:\n    Tester: success\n    Maped[1]: failed\n", ":4: workflow test has no task 'Maped[1]': did you mean Mapped?"),
        ("expect:\n  jobs: {zzz: 1}\n", ":2: workflow test has no task 'zzz': valid: Mapped, Tester, group.Reader"),
        ("expect:\n  tasks: {'*': success}\n", ":2: workflow test has no task '*': valid: Mapped, Tester, group.Reader"),
    ],
)  # fmt: skip
def test_an_unknown_task_gets_the_closest(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check_tasks(load_scenario(file), TASKS, file)
    assert str(caught.value) == f"{file}{says}"
    with pytest.raises(ConfigError) as caught:
        check_tasks(load_scenario(file), TASKS)
    assert str(caught.value) == says.partition(": ")[2]


@given(scenario=scenarios())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_as_the_same(tmp_path: Path, scenario: Scenario) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(dump_scenario(scenario), encoding="utf-8")
    assert load_scenario(file) == scenario


@given(scenario=scenarios())
@settings(max_examples=50, deadline=None)
def test_what_a_trace_keeps_is_read_as_the_same(scenario: Scenario) -> None:
    assert Scenario.model_validate(scenario.to_plain()) == scenario


def test_a_written_scenario_reads_well() -> None:
    written = dump_scenario(find_scenario("retry_after_failure").model_copy(update={"seen": ""}))
    assert "tasks:\n  Tester:\n  - exit_code: 1\n" in written
    assert "tasks:\n  Tester:\n    hangs: true\n" in dump_scenario(find_scenario("job_time_limit"))
    assert scenario_file("job_time_limit").parent == LIBRARY
