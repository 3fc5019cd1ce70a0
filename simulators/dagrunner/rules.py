"""Trigger rules: whether a task may run, given how its upstream tasks ended.

The table is Airflow's own (`ti_deps/deps/trigger_rule_dep.py` of 2.11.2 and 3.3.2, read): for each rule, the
state that a task gets without running, and whether it may run.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lute.airflow_api.models import TaskState


@dataclass(frozen=True)
class Upstream:
    """How many upstream task instances there are, and how many ended in which way."""

    total: int
    success: int = 0
    skipped: int = 0
    failed: int = 0
    upstream_failed: int = 0
    removed: int = 0

    @property
    def done(self) -> int:
        """How many have ended."""
        return self.success + self.skipped + self.failed + self.upstream_failed + self.removed

    @property
    def is_done(self) -> bool:
        """True if all have ended."""
        return self.done >= self.total

    @property
    def bad(self) -> int:
        """How many failed, themselves or by their own upstream."""
        return self.failed + self.upstream_failed

    @classmethod
    def of(cls, states: Iterable[TaskState]) -> "Upstream":
        """Count the states of all upstream task instances."""
        found = list(states)
        return cls(
            total=len(found),
            success=found.count(TaskState.SUCCESS),
            skipped=found.count(TaskState.SKIPPED),
            failed=found.count(TaskState.FAILED),
            upstream_failed=found.count(TaskState.UPSTREAM_FAILED),
            removed=found.count(TaskState.REMOVED),
        )


Verdict = TaskState | bool
"""A state to take without running; or True: run; or False: wait."""


def _all_success(up: Upstream) -> Verdict:
    if up.bad:
        return TaskState.UPSTREAM_FAILED
    if up.skipped:
        return TaskState.SKIPPED
    return up.success + up.removed >= up.total


def _all_failed(up: Upstream) -> Verdict:
    if up.success or up.skipped:
        return TaskState.SKIPPED
    return up.bad >= up.total


def _all_done(up: Upstream) -> Verdict:
    return up.is_done


def _all_done_min_one_success(up: Upstream) -> Verdict:
    if up.skipped:
        return TaskState.SKIPPED
    if up.is_done and not up.success:
        return TaskState.UPSTREAM_FAILED
    return up.is_done and up.success > 0


def _one_success(up: Upstream) -> Verdict:
    if up.is_done and up.done == up.skipped:
        return TaskState.SKIPPED
    if up.is_done and not up.success:
        return TaskState.UPSTREAM_FAILED
    return up.success > 0


def _one_failed(up: Upstream) -> Verdict:
    if up.is_done and not up.bad:
        return TaskState.SKIPPED
    return up.bad > 0


def _one_done(up: Upstream) -> Verdict:
    if up.is_done and not (up.failed or up.success):
        return TaskState.SKIPPED
    return up.success + up.failed > 0


def _none_failed(up: Upstream) -> Verdict:
    if up.bad:
        return TaskState.UPSTREAM_FAILED
    return up.is_done


def _none_failed_min_one_success(up: Upstream) -> Verdict:
    if up.bad:
        return TaskState.UPSTREAM_FAILED
    if up.total and up.skipped == up.total:
        return TaskState.SKIPPED
    if up.is_done and not up.success:
        return TaskState.UPSTREAM_FAILED
    return up.is_done


def _none_skipped(up: Upstream) -> Verdict:
    if up.skipped:
        return TaskState.SKIPPED
    return up.is_done


def _all_skipped(up: Upstream) -> Verdict:
    if up.success or up.bad:
        return TaskState.SKIPPED
    return up.skipped >= up.total


def _always(_up: Upstream) -> Verdict:
    return True


RULES: dict[str, Callable[[Upstream], Verdict]] = {
    "all_success": _all_success,
    "all_failed": _all_failed,
    "all_done": _all_done,
    "all_done_min_one_success": _all_done_min_one_success,
    "one_success": _one_success,
    "one_failed": _one_failed,
    "one_done": _one_done,
    "none_failed": _none_failed,
    "none_failed_or_skipped": _none_failed_min_one_success,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "none_skipped": _none_skipped,
    "all_skipped": _all_skipped,
    "always": _always,
    "dummy": _always,
}


def judge(rule: str, upstream: Upstream) -> Verdict:
    """Say what a trigger rule means for a task. Without upstream tasks every rule lets it run."""
    return RULES[rule](upstream) if upstream.total else True
