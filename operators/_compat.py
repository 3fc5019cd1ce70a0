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
    mask_secret,
)

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "BaseHook",
    "BaseOperator",
    "Context",
    "mask_secret",
    "teach_dag_the_old_keyword",
]


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
