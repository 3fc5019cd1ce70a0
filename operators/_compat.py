"""The only file that knows Airflow 2 from Airflow 3."""

import functools
import inspect
import sys
import warnings
from typing import Any

from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    BaseHook,
    BaseOperator,
    Context,
    Variable,
    conf,
    get_parsing_context,
    mask_secret,
)
from airflow.triggers.base import BaseTrigger, TaskSuccessEvent, TriggerEvent

__all__ = [
    "DAG",
    "TRIGGER_HAS_ON_KILL",
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "BaseHook",
    "BaseOperator",
    "BaseTrigger",
    "Context",
    "TaskSuccessEvent",
    "TriggerEvent",
    "Variable",
    "defers_by_default",
    "kill_limit_s",
    "mask_secret",
    "parsed_dag_id",
    "teach_dag_the_old_keyword",
    "variable",
    "variable_keys",
    "was_ended_by_user",
]

TRIGGER_HAS_ON_KILL = hasattr(BaseTrigger, "on_kill")
"""True on Airflow 3.3, which tells a trigger that a user has ended its task."""


def defers_by_default() -> bool:
    """Return Airflow's setting `[operators] default_deferrable`."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def kill_limit_s() -> float:
    """Return how long an operator's `on_kill` may take, in seconds.

    Measured: 3.3 sends SIGKILL 5 s after SIGTERM, 2.11 after `killed_task_cleanup_time`, 60 s by default.
    """
    return 2.0 if TRIGGER_HAS_ON_KILL else 25.0


def was_ended_by_user(ti: Any) -> bool:
    """Return, in a trigger that Airflow 2 has cancelled, whether its task is no longer deferred.

    Airflow 2 cancels triggers alike when a user ends their task and when the triggerer stops. The task's
    state in the database is the new one by then (measured), that of `ti` is not.
    """
    from airflow.models.taskinstance import TaskInstance

    found = TaskInstance.get_task_instance(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)
    return found is None or str(found.state) != "deferred"


def teach_dag_the_old_keyword() -> None:
    """Let `DAG(schedule_interval=None)` mean `DAG(schedule=None)` on Airflow 3.

    The site has many DAG files written for Airflow 2, where `schedule_interval` was the keyword; Airflow 3
    removed it (TypeError). DAG files import DAG before the operators, so the class itself is changed and
    not the name. Does nothing on Airflow 2, nor when called again.
    """
    accepted = inspect.signature(DAG.__init__).parameters
    if "schedule_interval" in accepted or getattr(DAG.__init__, "knows_schedule_interval", False):
        return
    original = DAG.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if "schedule_interval" in kwargs:
            file = sys._getframe(1).f_code.co_filename
            warnings.warn(
                f"{file}: DAG(schedule_interval=...) is Airflow 2's keyword, write schedule=... instead",
                DeprecationWarning,
                stacklevel=2,
            )
            kwargs["schedule"] = kwargs.pop("schedule_interval")
        original(self, *args, **kwargs)

    init.knows_schedule_interval = True  # type: ignore[attr-defined]
    DAG.__init__ = init


def parsed_dag_id() -> str | None:
    """Return the DAG for whose sake a DAG file is being read, None where all of the file are wanted."""
    found: str | None = get_parsing_context().dag_id
    return found


def variable(key: str) -> str | None:
    """Return a Variable, None if there is none."""
    found: str | None = Variable.get(key, None)  # the keyword is default_var on Airflow 2, default on 3
    return found


def variable_keys(prefix: str) -> list[str]:
    """Return the names of the Variables that begin with `prefix`, from a DAG file.

    A process that belongs to no Airflow, such as a test that imports the file, finds none.
    """
    if hasattr(Variable, "keys"):
        try:
            return sorted(Variable.keys(prefix=prefix))
        except ImportError:  # of the line to Airflow
            return []
    # Airflow 2 has no such call, but DAG files may look into its database.
    import sqlalchemy
    from airflow.utils.session import create_session

    with create_session() as session:
        if not sqlalchemy.inspect(session.get_bind()).has_table(Variable.__tablename__):
            return []
        found = session.query(Variable.key).filter(Variable.key.startswith(prefix, autoescape=True))
        return sorted(key for (key,) in found)
