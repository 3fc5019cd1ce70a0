"""Airflow's Variables, as its processes have them: DAG files, operators and triggers that use `Variable`.

Airflow's own code runs up to the door. On 3.3 a process asks its supervisor, for which `_Supervisor` stands
in. On 2.11 every process has the database, for which one in memory stands in; it holds the Variables alone.

Simulated: get, list, set and delete. There is no secrets backend but the environment, and there are no
Connections but its own. Whatever else a process asks for is refused: HTTP 404 on 3.3, no such table on 2.11.
"""

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest.mock import patch

from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.state import AirflowState


class _Process:
    """What is known of this process.

    Attributes:
        uses: how often it has asked for Variables.
        states: of the Airflows to which it belongs, one inside the other.
    """

    uses = 0
    states: ClassVar[list[AirflowState]] = []


def uses() -> int:
    """Return how often this process has asked for Variables."""
    return _Process.uses


def held() -> tuple[tuple[str, str], ...]:
    """Return the Variables on which a DAG file may depend: not tokens, which change often."""
    if not _Process.states:
        return ()
    variables = _Process.states[-1].variables
    return tuple(sorted(pair for pair in variables.items() if not pair[0].startswith("lute_token_")))


@contextlib.contextmanager
def connected(state: AirflowState) -> Iterator[None]:
    """Let this process be one of the Airflow whose database holds `state`."""
    _Process.states.append(state)
    try:
        with _supervised(state) if MAJOR >= 3 else _with_database(state):
            yield
    finally:
        _Process.states.pop()


@contextlib.contextmanager
def connected_somehow() -> Iterator[None]:
    """Let this process be one of some Airflow: of one without Variables, unless it belongs to one already."""
    with contextlib.nullcontext() if _Process.states else connected(AirflowState()):
        yield


@contextlib.contextmanager
def disconnected() -> Iterator[None]:
    """Let this process be one of the installed Airflow again: for `dag.test()`, and to see what it did."""
    if MAJOR >= 3:
        runner = importlib.import_module("airflow.sdk.execution_time.task_runner")
        before = vars(runner).pop("SUPERVISOR_COMMS", None)
        try:
            yield
        finally:
            if before is not None:
                runner.SUPERVISOR_COMMS = before  # type: ignore[attr-defined]
        return
    settings = importlib.import_module("airflow.settings")
    tasks = importlib.import_module("airflow.models.taskinstance").TaskInstance
    with (
        patch.object(settings, "Session", _REAL_SESSION),
        patch.object(tasks, "get_task_instance", _REAL_TASK),
    ):
        yield


@contextlib.contextmanager
def _supervised(state: AirflowState) -> Iterator[None]:
    runner = importlib.import_module("airflow.sdk.execution_time.task_runner")
    with patch.object(runner, "SUPERVISOR_COMMS", _Supervisor(state), create=True):
        yield


class _Supervisor:
    """Answers the messages of 3.3's processes."""

    def __init__(self, state: AirflowState) -> None:
        self._state = state
        self._comms: Any = importlib.import_module("airflow.sdk.execution_time.comms")

    def send(self, message: Any) -> Any:
        """Answer."""
        kind = type(message).__name__
        if kind == "MaskSecret":
            return None
        variables = self._state.variables
        if "Variable" in kind:
            _Process.uses += 1
        if kind == "GetVariable" and message.key in variables:
            return self._comms.VariableResult(key=message.key, value=variables[message.key])
        if kind == "GetVariableKeys":
            found = sorted(key for key in variables if key.startswith(message.prefix or ""))
            page = found[message.offset : message.offset + message.limit]
            return self._comms.VariableKeysResult(keys=page, total_entries=len(found))
        if kind == "PutVariable":
            variables[message.key] = message.value
            return self._comms.OKResponse(ok=True)
        if kind == "DeleteVariable":
            is_there = variables.pop(message.key, None) is not None
            return self._comms.OKResponse(ok=is_there)
        errors = importlib.import_module("airflow.sdk.exceptions")
        detail = {"status_code": 404, "message": f"{kind} is not simulated"}
        return self._comms.ErrorResponse(error=errors.ErrorType.API_SERVER_ERROR, detail=detail)

    async def asend(self, message: Any) -> Any:
        """Answer, in a trigger."""
        return self.send(message)


@contextlib.contextmanager
def _with_database(state: AirflowState) -> Iterator[None]:
    settings = importlib.import_module("airflow.settings")
    database = _Database(state)
    try:
        tasks = importlib.import_module("airflow.models.taskinstance").TaskInstance
        with (
            patch.object(settings, "Session", database.session),
            patch.object(tasks, "get_task_instance", lambda *key: _task_of(state, *key)),
        ):
            yield
    finally:
        database.close()


def _task_of(state: AirflowState, dag_id: str, run_id: str, task_id: str, map_index: int) -> Any:
    """Return what a trigger finds in the database about its task; see `TaskInstance.get_task_instance`."""
    run = state.run(dag_id, run_id)
    return None if run is None else run.tasks.get((task_id, map_index))


class _Database:
    """The part of 2.11's database that is simulated. Each session begins with what the state holds."""

    def __init__(self, state: AirflowState) -> None:
        self._state = state
        self._engine: Any = None

    def session(self) -> Any:
        """Return a new session."""
        _Process.uses += 1
        orm = importlib.import_module("sqlalchemy.orm")
        variable = importlib.import_module("airflow.models.variable").Variable
        if self._engine is None:
            self._engine = self._new_engine(variable)
        held = dict(self._state.variables)
        rows = [{"key": key, "val": value, "is_encrypted": False} for key, value in held.items()]
        with self._engine.begin() as connection:
            connection.execute(variable.__table__.delete())
            if rows:
                connection.execute(variable.__table__.insert(), rows)
        state = self._state

        class Session(orm.Session):  # type: ignore[misc, name-defined]
            def commit(self) -> None:
                super().commit()
                now = {found.key: found.val for found in self.query(variable)}
                if now != held:
                    state.variables.clear()
                    state.variables.update(now)

        return Session(bind=self._engine)

    def close(self) -> None:
        """Forget it all."""
        if self._engine is not None:
            self._engine.dispose()

    @staticmethod
    def _new_engine(variable: Any) -> Any:
        sqlalchemy = importlib.import_module("sqlalchemy")
        pool = importlib.import_module("sqlalchemy.pool").StaticPool
        engine = sqlalchemy.create_engine("sqlite://", poolclass=pool)
        variable.__table__.create(engine)
        # Empty: asked for the JID's Connection, and there must be an answer.
        importlib.import_module("airflow.models.connection").Connection.__table__.create(engine)
        return engine


_REAL_SESSION: Any = None if MAJOR >= 3 else importlib.import_module("airflow.settings").Session
_REAL_TASK: Any = (
    None
    if MAJOR >= 3
    else importlib.import_module("airflow.models.taskinstance").TaskInstance.get_task_instance
)
"""Of the installed Airflow, before anybody replaces them."""
