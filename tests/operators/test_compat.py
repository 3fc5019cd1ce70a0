"""What differs between Airflow's versions."""

from types import SimpleNamespace
from typing import Any

import pytest

from lute.operators import _compat
from lute.operators._compat import kill_limit_s, teach_dag_the_old_keyword, was_ended_by_user


@pytest.mark.parametrize(("has_on_kill", "limit_s"), [(True, 2.0), (False, 25.0)])
def test_a_kill_takes_no_longer_than_airflow_lets_it(
    monkeypatch: pytest.MonkeyPatch, has_on_kill: bool, limit_s: float
) -> None:
    monkeypatch.setattr(_compat, "TRIGGER_HAS_ON_KILL", has_on_kill)
    assert kill_limit_s() == limit_s


@pytest.mark.parametrize(
    ("state", "is_ended"), [("deferred", False), ("failed", True), ("success", True), (None, True)]
)
def test_a_task_that_is_no_longer_deferred_was_ended_by_a_user(
    monkeypatch: pytest.MonkeyPatch, state: str | None, is_ended: bool
) -> None:
    from airflow.models.taskinstance import TaskInstance

    def found(dag_id: str, run_id: str, task_id: str, map_index: int) -> Any:
        assert (dag_id, run_id, task_id, map_index) == ("d", "r", "t", 3)
        return SimpleNamespace(state=state) if state else None

    monkeypatch.setattr(TaskInstance, "get_task_instance", found, raising=False)
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=3, state="deferred")
    assert was_ended_by_user(ti) is is_ended


def test_a_class_without_the_old_keyword_is_taught_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dag:
        def __init__(self, dag_id: str, schedule: str | None = "daily") -> None:
            self.known = dag_id, schedule

    monkeypatch.setattr(_compat, "DAG", Dag)
    teach_dag_the_old_keyword()
    taught = Dag.__init__
    teach_dag_the_old_keyword()
    assert Dag.__init__ is taught
    assert Dag("a").known == ("a", "daily")
    assert Dag("a", "hourly").known == ("a", "hourly")
    assert Dag("a", schedule="hourly").known == ("a", "hourly")
    with pytest.warns(DeprecationWarning) as caught:
        assert Dag("a", schedule_interval=None).known == ("a", None)  # type: ignore[call-arg]
    assert caught[0].filename == __file__
    assert str(caught[0].message) == (
        f"{__file__}: DAG(schedule_interval=...) is Airflow 2's keyword, write schedule=... instead"
    )


def test_a_class_that_knows_the_old_keyword_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dag:
        def __init__(self, dag_id: str, schedule_interval: str | None = "daily") -> None:
            pass

    before = Dag.__init__
    monkeypatch.setattr(_compat, "DAG", Dag)
    teach_dag_the_old_keyword()
    assert Dag.__init__ is before
