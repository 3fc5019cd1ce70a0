"""A workflow of the user's own: given to Airflow, waited for, taken away, whatever happens."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lute.airflow_api.models import Dag, ImportErrorReport
from lute.errors import ConfigError, LuteError, PermanentError, TransientError
from lute.launch import run_time
from lute.launch.arguments import LaunchArguments
from lute.launch.output import Output
from lute.launch.process import Process
from lute.launch.run_time import check_deployed, check_workflow, published
from lute.launch.workflow import workflow_dag
from lute.workflows.model import Step, Workflow, parse_workflow
from tests.fakes import START, FakeClock, fake_runtime

WORKFLOW = Workflow(
    title="my.yaml",
    steps=(
        Step(task_id="Tester", next=("b.ReadTester",)),
        Step(task_id="b.ReadTester"),
        Step(task_id="ReadTester"),
    ),
)
LINKS = {"Tester": ["b.ReadTester"], "b.ReadTester": [], "ReadTester": []}
KEY, DAG_ID = "lute_workflow_r1", "lute_run_time_r1"
REFUSED = PermanentError("refused", endpoint="e", http_status=403)
DOWN = TransientError("down", endpoint="e")


class FakeAirflow:
    """An Airflow that has made a DAG of a Variable some time after it was last told to look.

    Attributes:
        trouble: what happens instead, by the name of the method.
        told: what it was told to do, and when.
    """

    def __init__(self, clock: FakeClock, slow_s: float = 3.0) -> None:
        self.clock = clock
        self.slow_s = slow_s
        self.stored = {"other": "x"}
        self.dags = {"lute_run_time": Dag("lute_run_time", False)}
        self.links: Any = LINKS
        self.reports: list[ImportErrorReport] = []
        self.trouble: dict[str, Exception] = {}
        self.told: list[tuple[str, Any]] = []

    def _do(self, name: str, what: Any = None) -> None:
        self.told.append((name, what))
        if name in self.trouble:
            raise self.trouble[name]

    def check_health(self) -> None:
        self._do("check_health")

    def dag(self, dag_id: str) -> Dag | None:
        if dag_id == DAG_ID and KEY in self.stored and self.clock.elapsed_s >= self.slow_s:
            self.dags.setdefault(dag_id, Dag(dag_id, True))
        return self.dags.get(dag_id)

    def downstream(self, dag_id: str) -> dict[str, list[str]]:
        assert dag_id == DAG_ID
        if isinstance(self.links, Exception):
            raise self.links
        return dict(self.links)

    def import_errors(self) -> list[ImportErrorReport]:
        return self.reports

    def unpause(self, dag_id: str) -> None:
        self._do("unpause", dag_id)

    def parse_dag_file(self, dag_id: str) -> None:
        self._do("parse", (dag_id, self.clock.elapsed_s))

    def set_variable(self, key: str, value: str) -> None:
        self._do("set", key)
        self.stored[key] = value

    def variables(self, prefix: str) -> dict[str, str]:
        self._do("variables", prefix)
        return {key: text for key, text in self.stored.items() if key.startswith(prefix)}

    def delete_variable(self, key: str) -> None:
        self._do("delete", key)
        del self.stored[key]

    def hurry(self, reply_s: float) -> None:
        self._do("hurry", reply_s)


class Signals:
    def __init__(self) -> None:
        self.are_ignored = False

    def raise_interrupted(self) -> None:
        raise NotImplementedError

    def ignore(self) -> None:
        self.are_ignored = True


class Stage:
    """A launcher and its Airflow."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.airflow = FakeAirflow(self.clock)
        self.signals = Signals()
        self.process = Process(env={"A": "b"}, runtime=fake_runtime(self.clock), signals=self.signals)
        self.said: list[str] = []

    def published(self, body: Callable[[], object] = lambda: None) -> str:
        with published(self.airflow, WORKFLOW, "r1", self.process, self.said.append) as dag_id:  # type: ignore[arg-type]
            assert not self.signals.are_ignored
            body()
        return dag_id

    def names(self) -> list[str]:
        return [name for name, _ in self.airflow.told]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_workflow_is_there_while_it_is_needed(stage: Stage) -> None:
    stage.airflow.slow_s = 20.0
    stored: list[Workflow] = []
    assert stage.published(lambda: stored.append(parse_workflow(stage.airflow.stored[KEY]))) == DAG_ID
    assert stored == [WORKFLOW.model_copy(update={"created": START})]
    assert stage.airflow.stored == {"other": "x"}
    assert stage.airflow.told == [
        ("check_health", None),
        ("set", KEY),
        ("variables", "lute_workflow_"),
        ("parse", ("lute_run_time", 0.0)),
        ("parse", ("lute_run_time", 15.0)),
        ("unpause", DAG_ID),
        ("delete", KEY),
    ]
    assert stage.clock.elapsed_s == 20.0
    assert stage.signals.are_ignored
    assert stage.said == []


@pytest.mark.parametrize(
    "links",
    [
        {},
        {"Tester": [], "b.ReadTester": [], "ReadTester": []},
        LINKS | {"more": []},
        PermanentError("not found", endpoint="e", http_status=404),
    ],
)
def test_a_dag_is_not_run_before_it_has_exactly_the_steps(stage: Stage, links: Any) -> None:
    stage.airflow.links = links
    stage.airflow.dags[DAG_ID] = Dag(DAG_ID, False)
    stage.clock.at_sleep = lambda now_s: setattr(stage.airflow, "links", LINKS) if now_s >= 7 else None
    stage.published(lambda: stage.said.append(f"runs at {stage.clock.elapsed_s}"))
    assert stage.said == ["runs at 7.0"]
    assert "unpause" not in stage.names()


def test_an_airflow_that_refuses_to_tell_is_not_waited_for(stage: Stage) -> None:
    stage.airflow.links = REFUSED
    with pytest.raises(PermanentError, match="refused"):
        stage.published()
    assert stage.clock.elapsed_s == 3.0


def test_an_airflow_that_makes_no_dag_is_given_up_and_tidied(stage: Stage) -> None:
    stage.airflow.slow_s = 1e9
    with pytest.raises(PermanentError) as caught:
        stage.published()
    assert caught.value.reason == "Airflow has not made a DAG of the workflow within 300 s"
    assert (caught.value.endpoint, caught.value.next_step) == (
        DAG_ID,
        "ask its administrators to look for run_time.py in the log of the DAG processor",
    )
    assert stage.clock.elapsed_s == 300.0
    assert stage.names().count("parse") == 20
    assert stage.airflow.told[-2:] == [("hurry", 5.0), ("delete", KEY)]
    assert KEY not in stage.airflow.stored


@pytest.mark.parametrize(("trouble", "is_deleted"), [(REFUSED, False), (DOWN, True)])
def test_what_may_have_been_stored_is_taken_away(stage: Stage, trouble: LuteError, is_deleted: bool) -> None:
    stage.airflow.trouble["set"] = trouble
    stage.airflow.stored[KEY] = "lost reply"
    with pytest.raises(type(trouble)):
        stage.published()
    assert ("delete" in stage.names()) is is_deleted
    assert stage.signals.are_ignored is is_deleted


def test_a_launcher_that_is_interrupted_tidies_in_haste(stage: Stage) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.published(interrupted)
    assert stage.airflow.told[-2:] == [("hurry", 5.0), ("delete", KEY)]
    assert stage.signals.are_ignored


def test_what_cannot_be_taken_away_is_told(stage: Stage) -> None:
    stage.airflow.trouble["delete"] = DOWN
    stage.published()
    assert stage.said == [
        f"WARNING: Airflow keeps the Variable {KEY}, it could not be removed: down [e]",
    ]


def test_what_killed_launchers_left_is_removed_after_two_weeks(stage: Stage) -> None:
    ages = {"old": timedelta(days=14, seconds=1), "young": timedelta(days=14)}
    for name, age in ages.items():
        created = WORKFLOW.model_copy(update={"created": START - age})
        stage.airflow.stored[f"lute_workflow_{name}"] = created.to_json()
    stage.airflow.stored |= {"lute_workflow_odd": "{", "lute_workflow_undated": WORKFLOW.to_json()}
    stage.published()
    assert stage.airflow.stored.keys() == {
        "other",
        "lute_workflow_young",
        "lute_workflow_odd",
        "lute_workflow_undated",
    }
    assert stage.said == ["Removed what a launcher that was killed has left in Airflow: lute_workflow_old"]


def test_forgotten_workflows_are_no_fault_of_this_launch(stage: Stage) -> None:
    stage.airflow.trouble["variables"] = DOWN
    assert stage.published() == DAG_ID
    assert stage.said == ["WARNING: forgotten workflows could not be looked for: down [e]"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "has no DAG lute_run_time"),
        (["/dags/other.py"], "has no DAG lute_run_time"),
        (["/dags/other.py", "/dags/run_time.py"], "could not import run_time.py: why /dags/run_time.py"),
    ],
)
def test_an_airflow_without_the_file_is_told_of_at_once(stage: Stage, files: list[str], said: str) -> None:
    del stage.airflow.dags["lute_run_time"]
    stage.airflow.reports = [ImportErrorReport(file, f"why {file}") for file in files]
    with pytest.raises(ConfigError) as caught:
        stage.published()
    assert caught.value.what == f"this Airflow takes no workflow files: it {said}"
    assert caught.value.next_step == (
        "ask its administrators to deploy workflows/airflow/run_time.py: scripts/deploy_dags.sh"
    )
    assert stage.names() == ["check_health"]
    stage.airflow.trouble["check_health"] = DOWN
    with pytest.raises(TransientError):
        check_deployed(stage.airflow)  # type: ignore[arg-type]


def test_the_parameters_are_checked_in_the_steps_order(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(run_time, "check_parameters", lambda *arguments: checked.append(arguments))
    steps = (*WORKFLOW.steps, Step(task_id="BinaryTester", next=("ReadTester",)))
    check_workflow(WORKFLOW.model_copy(update={"steps": steps}), Path("/c.yaml"), {"A": "b"})
    ((file, env, before),) = checked
    assert (file, env) == (Path("/c.yaml"), {"A": "b"})
    assert before == {"Test": set(), "TestBinary": set(), "TestReadOutput": {"Test", "TestBinary"}}


def test_a_launch_gives_airflow_the_users_workflow_and_runs_its_dag(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(run_time, "check_workflow", lambda *arguments: checked.append(arguments))
    given = LaunchArguments(Path("/c.yaml"), "run_time", False, False, None, None, (), run_time=WORKFLOW)
    output = Output(stage.clock, stage.said.append)
    stage.airflow.trouble["delete"] = DOWN
    with workflow_dag(given, "r1", stage.airflow, stage.process, output) as dag_id:  # type: ignore[arg-type]
        assert dag_id == DAG_ID
    assert checked == [(WORKFLOW, Path("/c.yaml"), {"A": "b"})]
    assert stage.said[0].endswith(" Workflow of my.yaml: giving it to Airflow")
    assert "WARNING: Airflow keeps the Variable" in stage.said[1]
