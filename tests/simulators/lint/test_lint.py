"""Whole files: those of the project, old ones, odd ones."""

import ast
import importlib
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.dagrunner.installed import MAJOR
from simulators.lint import airflow_names as names
from simulators.lint.graph import find_cycle
from simulators.lint.importing import import_file
from simulators.lint.keywords import dag_keywords, step_keywords
from simulators.lint.lint import lint_file
from simulators.lint.source import Source, read_source
from tests.simulators.lint.cases import CASES, CORES, GOOD, START, TAIL, changed
from tests.simulators.lint.conftest import NOW, Lint

ROOT = Path(__file__).resolve().parents[3]
DAGS = Path(__file__).parent / "dags"
WORKFLOWS = sorted((ROOT / "workflows" / "airflow").glob("*.py"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_the_projects_workflows_are_clean(file: Path) -> None:
    assert lint_file(file, now=NOW) == []
    assert lint_file(file, now=NOW, static=True) == []


@pytest.mark.parametrize("static", [False, True])
def test_a_file_of_the_first_operators(static: bool) -> None:
    found = lint_file(DAGS / "old_style.py", now=NOW, static=static)
    assert [(finding.code, finding.line) for finding in found] == [("LUTE101", 16), ("LUTE302", 20)]
    assert found[0].instead == "schedule="
    assert "SmallDataProducer" in found[1].message


@pytest.mark.parametrize("static", [False, True])
def test_a_file_that_made_its_steps_from_a_variable(static: bool) -> None:
    found = lint_file(DAGS / "old_dynamic.py", now=NOW, static=static)
    assert [(finding.code, finding.line) for finding in found] == [
        ("LUTE103", 3),
        ("LUTE102", 5),
        ("LUTE106", 7),
        ("LUTE301", 15),
        ("LUTE101", 21),
        ("LUTE105", 21),
        ("LUTE207", 21),
        ("LUTE502", 23),
    ]
    (misspelt,) = [finding for finding in found if finding.code == "LUTE301"]
    assert "poke_interval" in misspelt.instead


def test_static_never_runs_the_file(lint: Lint, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = GOOD + f"\nPath({str(mark)!r}).write_text('ran')\n"
    assert lint(text, static=True) == []
    assert not mark.exists()
    assert lint(text) == []
    assert mark.exists()


def test_a_file_that_exits_is_not_imported(lint: Lint, tmp_path: Path) -> None:
    text = f"{GOOD}\nimport os\nPath({str(tmp_path / 'mark')!r}).touch()\nos._exit(0)\n"
    assert [finding.code for finding in lint(text)] == ["LUTE503"]
    assert not (tmp_path / "mark").exists()


def test_what_a_file_prints_does_not_mix_with_the_findings(
    lint: Lint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(GOOD + "\nprint('noise')\n") == []
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "noise\n")


def test_a_file_may_import_what_lies_beside_it_and_leaves_the_path_alone(lint: Lint, tmp_path: Path) -> None:
    (tmp_path / "beside_lint_test.py").write_text("CORES = 4\n")
    before = list(sys.path)
    text = changed(CORES, "max_cores=CORES").replace(
        "from pathlib", "from beside_lint_test import CORES\nfrom pathlib"
    )
    assert lint(text) == []
    assert sys.path == before


def test_an_import_error_is_told_at_the_files_own_line_without_secrets(lint: Lint) -> None:
    text = f"{GOOD}\ndef fails():\n    raise ValueError('Bearer ' + 'abc123def456')\n\nfails()\n"
    (found,) = lint(text)
    assert (found.code, found.line) == ("LUTE002", 19)
    assert found.message == "ValueError: Bearer ***"


def test_the_cycle_is_named(lint: Lint) -> None:
    (found,) = lint(GOOD + "third >> second\n")
    assert found.message.endswith("WriteTester >> ReadTester >> WriteTester") or found.message.endswith(
        "ReadTester >> WriteTester >> ReadTester"
    )


@pytest.mark.parametrize(
    ("links", "cycle"),
    [
        ({}, []),
        ({"a": {"b"}, "b": set()}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
        ({"a": {"a"}}, ["a", "a"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
    ],
)
def test_cycles(links: dict[str, set[str]], cycle: list[str]) -> None:
    assert find_cycle(links) == cycle


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# noqa", []),
        ("# noqa: LUTE304", []),
        ("# noqa: LUTE101, LUTE304", []),
        ("# NOQA:lute304 for a test", []),
        ("# noqa: LUTE101", ["LUTE304"]),
        ("# LUTE304", ["LUTE304"]),
    ],
)
def test_a_comment_silences_its_line(lint: Lint, comment: str, codes: list[str]) -> None:
    text = changed("max_cores=8, dag=dag)", f"max_cores=0, dag=dag)  {comment}")
    assert [finding.code for finding in lint(text)] == codes
    assert [finding.code for finding in lint(f"{text}{comment}\n")] == codes, "only its own line"


def test_steps_of_a_loop_are_checked_with_their_values(lint: Lint) -> None:
    text = changed(
        TAIL, TAIL + "for name in ('SocketTester', 'Nobody'):\n    third >> JIDSlurmOperator(task_id=name)\n"
    )
    text = text.replace("task_id=name", "task_id=name, dag=dag")
    (found,) = lint(text)
    assert (found.code, found.line) == ("LUTE302", 18)
    assert "'Nobody'" in found.message


def test_mapped_steps_are_checked_too(lint: Lint) -> None:
    more = (
        'third >> JIDSlurmOperator.partial(task_id="Testr", max_cores=0, dag=dag).expand(max_nodes=[1, 2])\n'
    )
    found = lint(GOOD + more)
    assert [finding.code for finding in found] == ["LUTE302", "LUTE304"]
    found = lint(GOOD + more.replace("expand(max_nodes", "expand(max_node"), static=True)
    assert [finding.code for finding in found] == ["LUTE301", "LUTE302", "LUTE304"]


def test_steps_of_groups_go_by_their_last_part(lint: Lint) -> None:
    text = changed(
        TAIL,
        TAIL
        + "from airflow.providers.common.compat.sdk import TaskGroup\nwith TaskGroup('again', dag=dag):\n"
        + "    third >> JIDSlurmOperator(task_id='SocketTester', dag=dag)\n",
    )
    assert lint(text) == []
    (found,) = lint(text.replace("SocketTester", "SockTester"))
    assert (found.code, found.line) == ("LUTE302", 19)


def test_a_dag_of_the_installed_version_only_is_told_on_the_other_too(lint: Lint) -> None:
    found = lint(changed(CORES, "task_concurrency=1"), static=True)
    assert [(finding.code, finding.message) for finding in found] == [
        ("LUTE105", "Airflow 3 has no task_concurrency=")
    ]


def test_a_start_date_in_default_args_counts(lint: Lint) -> None:
    text = changed(START, "default_args={'start_date': datetime(2999, 1, 1)}")
    assert [finding.code for finding in lint(text, static=True)] == ["LUTE206"]
    text = changed(START, "default_args={'start_date': datetime.now()}")
    assert [finding.code for finding in lint(text, static=True)] == ["LUTE207"]


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b"# -*- coding: nonsense -*-\n", b"\x00", b"x = (" + b"(" * 500]
)
def test_what_is_no_python_is_one_finding(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "with a space, é.py"
    file.write_bytes(raw)
    (found,) = lint_file(file, now=NOW)
    assert found.code == "LUTE001"


def test_deep_nesting_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    file = tmp_path / "deep.py"
    file.write_text("airflow_dag = " + "a" + ".b" * 2500 + "\n" + "x = " + "-" * 2500 + "1\n")
    assert {finding.code for finding in lint_file(file, now=NOW, static=True)} <= {"LUTE001", "LUTE003"}


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_no_text_makes_it_crash(text: str) -> None:
    lint_static(text.encode("utf-8", "surrogatepass"))


WORDS = st.sampled_from(
    ["DAG", "dag=dag", "JIDSlurmOperator", "(", ")", "task_id", "=", "'x'", "*", "**{}", ",", "lambda: 0",
     "\n", ".partial", ".expand", "[", "]", "f'{x!r:>{y}}'", "datetime", "(1e99, 0)", ">>", "@",
     "def f(): pass\n", "import os", "from . import jidoperators", "#noqa:", "sys.exit", "password", "0"]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), WORDS), max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_change_of_a_dag_file_makes_it_crash(changes: list[tuple[int, str]]) -> None:
    text = GOOD
    for where, word in changes:
        text = text[:where] + word + text[where:]
    lint_static(text.encode())


def lint_static(raw: bytes) -> None:
    """Lint bytes without a file of their own on the disk for each."""
    file = Raw("case.py")
    file.raw = raw
    for finding in lint_file(file, now=NOW, static=True):
        assert finding.line >= 1
        assert finding.text().startswith("case.py:")


class Raw(type(Path())):  # type: ignore[misc]
    """A path whose file is in memory."""

    raw = b""

    def read_bytes(self) -> bytes:
        return self.raw


def importable(name: str) -> tuple[bool, list[str]]:
    """Return whether the installed Airflow has a name, and the warnings that come with it."""
    module, _, attribute = name.rpartition(".")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError):
            return False, []
    return True, [str(warning.message) for warning in caught]


HAS_NO_NAMES = {"airflow.utils.dates"}
"""Airflow 3 keeps an empty module."""


@pytest.mark.parametrize("name", sorted(names.REMOVED.keys() - HAS_NO_NAMES))
def test_what_is_told_to_be_removed_is(name: str) -> None:
    assert importable(name)[0] is (MAJOR < 3)


@pytest.mark.parametrize("name", sorted(names.DEPRECATED))
def test_what_is_told_to_be_deprecated_is_there(name: str) -> None:
    assert importable(name)[0]


@pytest.mark.parametrize("name", sorted(names.ONLY_3))
def test_what_is_told_to_be_new_is(name: str) -> None:
    assert importable(name)[0] is (MAJOR >= 3)


OLD_NAMES = [
    *(name for name in (*names.REMOVED, *names.DEPRECATED) if name.rpartition(".")[2][0].isupper()),
    "airflow.decorators.dag",
    "airflow.decorators.task",
    "airflow.decorators.task_group",
    "airflow.hooks.base.BaseHook",
    "airflow.hooks.base_hook.BaseHook",
    "airflow.models.baseoperator.BaseOperator",
    "airflow.models.baseoperator.chain",
    "airflow.models.baseoperator.cross_downstream",
    "airflow.models.param.Param",
    "airflow.operators.bash.BashOperator",
    "airflow.operators.python.PythonOperator",
    "airflow.sensors.base.BaseSensorOperator",
    "airflow.utils.context.Context",
    "airflow.utils.dag_parsing_context.get_parsing_context",
    "airflow.utils.helpers.chain",
    "airflow.utils.log.secrets_masker.mask_secret",
    "airflow.utils.task_group.TaskGroup",
    "airflow.utils.trigger_rule.TriggerRule",
]


@pytest.mark.parametrize("name", OLD_NAMES)
def test_what_is_to_be_written_instead_imports_without_a_warning(lint: Lint, name: str) -> None:
    module, _, short = name.rpartition(".")
    (found,) = lint(f"from {module} import {short}\n{GOOD}", static=True)
    assert found.code in ("LUTE102", "LUTE103")
    statement = found.instead.partition(", and ")[0]
    if statement.startswith("from "):
        (node,) = ast.parse(statement).body
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert importable(f"{node.module}.{alias.name}") == (True, [])


def test_one_finding_tells_of_all_names_of_a_statement(lint: Lint) -> None:
    (found,) = lint(f"from airflow.decorators import dag as d, task\n{GOOD}", static=True)
    assert found.message == "deprecated in Airflow 3: airflow.decorators.dag, airflow.decorators.task"
    assert found.instead == f"from {names.BOTH} import dag, task"


def test_variables_are_asked_for_without_an_airflow(lint: Lint) -> None:
    ask = "from airflow.models import Variable\nWORDS = Variable.get('x', default_var='8')\n"
    found = lint(ask + changed(CORES, "max_cores=int(WORDS)"))
    assert [finding.code for finding in found] == ["LUTE502"]


def test_the_keywords_that_only_one_version_knows_are_those() -> None:
    own, other = (
        ((names.DAG_KEYWORDS_2, names.STEP_KEYWORDS_2), (names.DAG_KEYWORDS_3, names.STEP_KEYWORDS_3))
        if MAJOR < 3
        else ((names.DAG_KEYWORDS_3, names.STEP_KEYWORDS_3), (names.DAG_KEYWORDS_2, names.STEP_KEYWORDS_2))
    )
    for known, here, there in zip((dag_keywords(), step_keywords()), own, other, strict=True):
        assert here.keys() <= known
        assert there.keys().isdisjoint(known)


def test_the_trigger_rules_are_those_of_the_installed_version() -> None:
    from airflow.providers.common.compat.sdk import TriggerRule

    own = names.TRIGGER_RULES_2 if MAJOR < 3 else names.TRIGGER_RULES_3
    assert {rule.value for rule in TriggerRule} == names.TRIGGER_RULES_BOTH | own.keys()


def test_each_import_case_says_of_itself_whether_it_imports(tmp_path: Path) -> None:
    """A file that is silenced altogether is still imported, and its import error silenced by its line."""
    case = next(case for case in CASES if case.code == "LUTE002")
    file = tmp_path / "case.py"
    file.write_text(case.bad())
    source = read_source(file)
    assert isinstance(source, Source)
    assert import_file(source).dags is None


def test_each_argument_has_its_own_line(lint: Lint) -> None:
    arguments = ["max_cores=0", "require_partition=''", "custom_slurm_params='--bogus'", "trigger_rule='odd'"]
    found = lint(changed(CORES, "\n" + ",\n".join(arguments)), static=True)
    assert [(finding.line, finding.code) for finding in found] == [
        (13, "LUTE304"),
        (14, "LUTE306"),
        (15, "LUTE307"),
        (16, "LUTE309"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message", "instead"),
    [
        (
            "max_cores=8,\ncustom_slurm_params='-n 16',\nmax_nodes=3",
            "custom_slurm_params asks for something else than max_cores=8, max_nodes=3,"
            " which do not apply to it",
            "the same in both, or only one of them",
        ),
        (
            "max_cores=8,\ncustom_slurm_params='-c 2',\nmax_nodes=3",
            "max_cores=8, max_nodes=3: no effect beside custom_slurm_params",
            "put it into custom_slurm_params, or drop custom_slurm_params",
        ),
        (
            "max_cores=8,\ncustom_slurm_params='-c two'",
            "custom_slurm_params: --cpus-per-task=two: not a positive whole number",
            "a number",
        ),
    ],
)
def test_what_is_said_of_custom_arguments(lint: Lint, arguments: str, message: str, instead: str) -> None:
    (found,) = lint(changed(CORES, arguments))
    assert (found.line, found.message, found.instead) == (13, message, instead)
