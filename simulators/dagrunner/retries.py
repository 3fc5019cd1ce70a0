"""When a failed try is followed by the next."""

import hashlib
import math
from typing import Any

from simulators.dagrunner.state import TaskInstance

DEFAULT_S = 300.0
"""Airflow's own `core.default_task_retry_delay`: what a task has whose DAG file says nothing."""
_LONGEST_S = 24 * 3600.0


def retry_delay_s(task: Any, record: TaskInstance, default_s: float = DEFAULT_S) -> float:
    """Return the seconds from a failed try's end to the next try (Airflow's `next_retry_datetime`, read).

    With `retry_exponential_backoff` the delay doubles with each try and varies by a hash of the task, at most
    `max_retry_delay` or a day. Airflow 3 takes a number there, the factor.

    Args:
        default_s: the instance's default, for tasks whose DAG file says nothing.
    """
    delay_s = float(task.retry_delay.total_seconds())
    if delay_s == DEFAULT_S:
        delay_s = default_s
    backoff = task.retry_exponential_backoff
    factor = 2.0 if backoff is True else float(backoff or 1.0)
    if factor > 1.0:
        least = max(1, math.ceil(delay_s * factor ** (record.try_number - 1)))
        text = f"{record.dag_id}#{record.task_id}#{record.run_id}#{record.try_number}"
        spread = int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
        delay_s = min(float(least + spread % least), _LONGEST_S)
        if task.max_retry_delay is not None:
            delay_s = min(delay_s, task.max_retry_delay.total_seconds())
    return delay_s
