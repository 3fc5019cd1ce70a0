"""What `dag.test()` cannot show: the dagrunner and a served real Airflow, meddled with in the same way."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario, TaskModel
from simulators.serve.airflow import installed_version
from tests.contract.dagrunner.served import ServedLeg, VirtualLeg, wait_until
from tests.served import launch

pytestmark = [pytest.mark.served, pytest.mark.timeout(420)]

AnyLeg = VirtualLeg | ServedLeg
Step = Callable[[AnyLeg, "Case"], None]
_START_S = 60.0
_ASK_TIMES = 30
_END_S = 120.0
_FINAL = ("success", "failed")


@dataclass(frozen=True)
class Case:
    """One run of one DAG, and what is done to it.

    Attributes:
        task: the one that matters; by default it has the DAG's name.
        ready: its state when the step is taken.
        settle_s: how long afterwards something may still happen, in 2.11 and in 3.3.
        is_long: its task holds up all others where tasks run one at a time.
        on_2: it is worth half a minute with 2.11's SequentialExecutor.
    """

    dag_id: str
    step: Step | None = None
    ready: str = "running"
    task_id: str = ""
    settle_s: tuple[float, float] = (3.0, 8.0)
    is_long: bool = True
    on_2: bool = True

    @property
    def task(self) -> str:
        return self.task_id or self.dag_id

    @property
    def run_path(self) -> str:
        return f"/dags/{self.dag_id}/dagRuns/r"


def ask(leg: AnyLeg, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask until it is answered.

    SQLite under a real Airflow is locked at times, which is HTTP 500; and a DAG file may not have been read
    yet, which is 404.
    """
    replies = []
    for _ in range(_ASK_TIMES):
        replies.append(leg.ask(method, path, body))
        if replies[-1].status not in (404, 500):
            break
        leg.pass_time(1.0)
    assert replies[-1].status == 200, replies
    return replies[-1].body


def mark_task(state: str) -> Step:
    def step(leg: AnyLeg, case: Case) -> None:
        body = {"new_state": state} | ({"dry_run": False} if leg.major == 2 else {})
        ask(leg, "PATCH", f"{case.run_path}/taskInstances/{case.task}", body)

    return step


def mark_run(leg: AnyLeg, case: Case) -> None:
    ask(leg, "PATCH", case.run_path, {"state": "failed"})


def clear(leg: AnyLeg, case: Case) -> None:
    """Clear it; where that has an effect, end the second try as well."""
    body = {
        "dry_run": False,
        "task_ids": [case.task],
        "dag_run_id": "r",
        "only_failed": False,
        "only_running": True,
    }
    ask(leg, "POST", f"/dags/{case.dag_id}/clearTaskInstances", body)
    runs_again = wait_until(
        leg, lambda: ("k_clear", "execute 2") in leg.journal(), 25.0 if leg.major == 3 else 8.0
    )
    assert runs_again == (leg.major == 3)
    mark_run(leg, case)


def mark_deferred(leg: AnyLeg, case: Case) -> None:
    """Mark it while its trigger runs."""
    assert wait_until(leg, lambda: (case.task, "trigger") in leg.journal(), _START_S)
    mark_task("failed")(leg, case)


def restart_triggerer(leg: AnyLeg, case: Case) -> None:
    """Restart it while the trigger runs, and no other that is of interest."""
    awaited = {(case.task, "trigger"), ("t_late", "trigger cleanup"), ("t_marked", "trigger cleanup")}
    assert wait_until(leg, lambda: awaited <= set(leg.journal()), _START_S)
    leg.restart_triggerer()


_ALL = (
    Case("k_task", mark_task("failed")),
    Case("k_success", mark_task("success"), on_2=False),
    Case("k_run", mark_run),
    Case("k_clear", clear),
    Case("k_raise", mark_task("failed"), on_2=False),
    Case("k_slow", mark_task("failed"), settle_s=(11.0, 11.0)),
    Case("k_jid", mark_task("failed"), task_id="Tester"),
    Case("t_error", is_long=False),
    Case("t_nothing", is_long=False),
    Case("t_late", is_long=False),
    Case("t_marked", mark_deferred, ready="deferred", is_long=False),
    Case("t_restart", restart_triggerer, ready="deferred", is_long=False),
    Case("p_one_slot", task_id="p_one", is_long=False),
)
CASES = [case for case in _ALL if case.on_2 or installed_version()[0] > 2]


class Meddling:
    """All cases in one Airflow: at the same time where it runs tasks at the same time."""

    def __init__(self, leg: AnyLeg) -> None:
        self.leg = leg
        at_once = isinstance(leg, VirtualLeg) or leg.major == 3
        self.found: dict[str, dict[str, Any]] = {}
        alone = [] if at_once else [case for case in CASES if case.is_long]
        for case in alone:
            self._run([case])
        self._run([case for case in CASES if case not in alone])

    def _run(self, cases: list[Case]) -> None:
        leg = self.leg
        for case in cases:
            logical = {} if leg.major == 2 else {"logical_date": None}
            body = {"dag_run_id": "r", "conf": leg.conf()} | logical
            ask(leg, "POST", f"/dags/{case.dag_id}/dagRuns", body)
        for case in cases:
            if case.step is not None:
                leg.wait_for(f"{case.run_path}/taskInstances/{case.task}", case.ready)
                assert wait_until(leg, lambda case=case: self._has_begun(case), _START_S), case
                case.step(leg, case)
        for case in cases:
            assert wait_until(leg, lambda case=case: self._has_ended(case), _END_S), case
        leg.pass_time(max(case.settle_s[leg.major - 2] for case in cases))
        for case in cases:
            self.found[case.dag_id] = self._seen(case)

    def _has_begun(self, case: Case) -> bool:
        if case.dag_id == "k_jid":
            return self.leg.live_jobs() > 0
        return any(who == case.task for who, _ in self.leg.journal())

    def _has_ended(self, case: Case) -> bool:
        return ask(self.leg, "GET", case.run_path)["state"] in _FINAL

    def _seen(self, case: Case) -> dict[str, Any]:
        rows = ask(self.leg, "GET", f"{case.run_path}/taskInstances")["task_instances"]
        tasks = {row["task_id"]: (row["state"], row["try_number"]) for row in rows}
        told: dict[str, list[str]] = {}
        for who, what in self.leg.journal():
            if who in tasks:
                # Of tasks that share a pool, the order among each other counts.
                lines = told.setdefault("all" if case.dag_id == "p_one_slot" else who, [])
                if [what] != lines[-1:]:
                    lines.append(what)
        return {
            "run": ask(self.leg, "GET", case.run_path)["state"],
            "tasks": tasks,
            "journal": told,
            "jobs": self.leg.live_jobs() if case.dag_id == "k_jid" else 0,
        }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedLeg]:
    leg = ServedLeg()
    leg.start(tmp_path_factory.mktemp("served"))
    yield leg
    leg.stop()


@pytest.fixture(scope="module")
def real(served: ServedLeg) -> dict[str, dict[str, Any]]:
    return Meddling(served).found


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    leg = VirtualLeg()
    leg.start(tmp_path_factory.mktemp("virtual"))
    try:
        return Meddling(leg).found
    finally:
        leg.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.dag_id)
def test_both_take_it_alike(
    case: Case, real: dict[str, dict[str, Any]], simulated: dict[str, dict[str, Any]]
) -> None:
    assert simulated[case.dag_id] == real[case.dag_id]


_GOOD = TaskModel(duration_s=3.0)
WORKFLOWS = {
    "test": Scenario(workflow="test", tasks={"*": (_GOOD,)}),
    "test_failure": Scenario(
        workflow="test_failure",
        tasks={"*": (_GOOD,), "BinaryErrTester": (TaskModel(duration_s=3.0, exit_code=1),)},
    ),
}


# 2.11's SequentialExecutor takes a minute for each, and the second has all that the first has.
@pytest.mark.parametrize("workflow", WORKFLOWS if installed_version()[0] > 2 else ["test_failure"])
def test_the_launcher_prints_the_same(served: ServedLeg, real: object, workflow: str) -> None:
    result = run_scenario(WORKFLOWS[workflow], seed=1)
    exit_code, log = launch(served.stack, workflow)
    assert result.exit_codes == [exit_code], log
    found, expected = lines_of(result.output), lines_of(log)
    assert Counter(found) == Counter(expected)
    for task in result.tasks:
        assert [line for line in found if line.startswith(task)] == [
            line for line in expected if line.startswith(task)
        ]
    assert [found[0], found[-1]] == [expected[0], expected[-1]]


def lines_of(output: str) -> list[str]:
    """Return the launcher's lines without times, ids, the table, and what the Tasks themselves print."""
    kept: list[str] = []
    is_log = False
    output = re.sub(r"^step +state +tries .*?(?=^\S+ Workflow )", "", output, flags=re.MULTILINE | re.DOTALL)
    output = re.sub(r"(?<=The token lasts )[^;\n]*", "", output)
    # Between two polls of the launcher a short step may have come and gone.
    output = re.sub(r"^\S+ \w+: running\n", "", output, flags=re.MULTILINE)
    for line in output.splitlines():
        if re.fullmatch(r"-+ (end of )?log -+", line):
            is_log = "end of" not in line
            kept.append(line)
        elif not is_log:
            line = re.sub(r"^\d\d:\d\d:\d\d ", "", line)
            line = re.sub(r"DAG run \S+, experiment \S+", "DAG run (id), experiment (name)", line)
            kept.append(re.sub(r"job \d+", "job (id)", line))
    return kept
