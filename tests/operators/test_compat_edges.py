"""How DAG files find Variables on each version of Airflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import airflow
import pytest
import sqlalchemy
from sqlalchemy.orm import Session, declarative_base

from lute.operators import _compat
from lute.operators._compat import TRIGGER_HAS_ON_KILL, variable_keys
from lute.operators.hook import JidHook

Base = declarative_base()


class OldVariable(Base):  # type: ignore[misc, valid-type]
    """Airflow 2's model of a Variable, as far as its name goes."""

    __tablename__ = "variable"
    key = sqlalchemy.Column(sqlalchemy.String, primary_key=True)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> sqlalchemy.engine.Engine:
    """Airflow 2's database, without tables."""
    engine = sqlalchemy.create_engine("sqlite://")

    @contextmanager
    def create_session() -> Iterator[Session]:
        with Session(engine) as session:
            yield session

    monkeypatch.setattr("airflow.utils.session.create_session", create_session)
    monkeypatch.setattr(_compat, "Variable", OldVariable)
    return engine


def test_airflow_2s_variables_are_found_in_its_database(database: Any) -> None:
    Base.metadata.create_all(database)
    with Session(database) as session:
        session.add_all(OldVariable(key=key) for key in ("lute_w_b", "lute_w_a", "luteXwXc", "lute_", "x"))
        session.commit()
    assert variable_keys("lute_w_") == ["lute_w_a", "lute_w_b"]


def test_a_database_that_airflow_2_has_not_set_up_has_no_variables(database: Any) -> None:
    assert variable_keys("lute_") == []


def test_a_process_without_an_airflow_finds_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(prefix: str) -> list[str]:
        raise ImportError("no line to Airflow")

    monkeypatch.setattr(_compat, "Variable", SimpleNamespace(keys=keys))
    assert variable_keys("lute_") == []


def test_triggers_hear_of_kills_from_airflow_3_on() -> None:
    assert TRIGGER_HAS_ON_KILL is not airflow.__version__.startswith("2.")


def test_airflow_makes_the_hook_of_a_connection_by_the_name_that_the_hook_tells() -> None:
    assert JidHook(**{JidHook.conn_name_attr: "other"}).jid_conn_id == "other"
