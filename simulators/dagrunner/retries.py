"""When a failed try is followed by the next."""

import hashlib
import math
from datetime import datetime
from typing import Any

from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.state import TaskInstance

DEFAULT_S = 300.0
"""Airflow's own `core.default_task_retry_delay`: what a task has whose DAG file says nothing."""
_LONGEST_S = 24 * 3600.0


def retry_delay_s(
    task: Any, record: TaskInstance, default_s: float = DEFAULT_S, *, logical_date: datetime | None = None
) -> float:
    """Return the seconds from a failed try's end to the next try, as Airflow's `next_retry_datetime`.

    With `retry_exponential_backoff` the delay grows with each try and varies by a hash of the task, at most
    to `max_retry_delay` or a day. It doubles in Airflow 2; Airflow 3 takes a number there, the factor.

    Args:
        default_s: the instance's default, for tasks whose DAG file says nothing.
        logical_date: of the run; the hash depends on it.
    """
    delay_s = float(task.retry_delay.total_seconds())
    if delay_s == DEFAULT_S:
        delay_s = default_s
    factor = _factor(task.retry_exponential_backoff)
    if factor == 1.0:
        return delay_s
    try:
        least = max(1, math.ceil(delay_s * factor ** (record.try_number - 1)))
    except OverflowError:
        least = int(_LONGEST_S)
    text = f"{record.dag_id}#{record.task_id}#{logical_date}#{record.try_number}"
    spread = int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
    delay_s = min(float(least + spread % least), _LONGEST_S)
    if task.max_retry_delay:
        delay_s = min(delay_s, task.max_retry_delay.total_seconds())
    return delay_s


def _factor(backoff: bool | float | None) -> float:
    """Return by what the delay grows with each try."""
    if backoff is True or (MAJOR < 3 and backoff):
        return 2.0
    return float(backoff) if backoff and backoff > 0 else 1.0
