"""Trigger rules: the table against the installed Airflow's own code, and what it means in words."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TriggerRule
from airflow.ti_deps.dep_context import DepContext
from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep
from hypothesis import given
from hypothesis import strategies as st

from lute.airflow_api.models import TaskState
from simulators.dagrunner.rules import RULES, Upstream, Verdict, judge

REAL_RULES = sorted(rule.value for rule in TriggerRule if rule.value != "all_done_setup_success")
NOT_EVALUATED = {"always", "dummy", "none_failed_or_skipped"}
"""A task that always runs is not asked; 2.11's operators replace its two deprecated names by the new ones."""
ENDS = (
    TaskState.SUCCESS,
    TaskState.SKIPPED,
    TaskState.FAILED,
    TaskState.UPSTREAM_FAILED,
)
UNFINISHED = (TaskState.NONE, TaskState.RUNNING, TaskState.UP_FOR_RETRY, TaskState.DEFERRED)


def real_verdict(rule: str, upstream: list[TaskState]) -> Verdict:
    """Ask Airflow's own TriggerRuleDep, with as little of a task instance as it looks at."""
    others = [
        SimpleNamespace(
            task_id=f"t{number}", is_setup=False, is_teardown=False, get_needs_expansion=lambda: False
        )
        for number in range(len(upstream))
    ]
    finished = [
        SimpleNamespace(task_id=other.task_id, map_index=-1, state=str(state), task=other)
        for other, state in zip(others, upstream, strict=True)
        if state.is_final
    ]
    marks: list[TaskState] = []

    def set_state(state: Any, session: Any = None) -> bool:
        marks.append(TaskState(str(getattr(state, "value", state))))
        return True

    task = SimpleNamespace(
        task_id="target",
        trigger_rule=TriggerRule(rule),
        upstream_list=others,
        upstream_task_ids={other.task_id for other in others},
        dag=SimpleNamespace(task_dict={other.task_id: other for other in others}),
        get_closest_mapped_task_group=lambda: None,
        get_upstreams_only_setups=list,
        is_teardown=False,
    )
    ti = SimpleNamespace(
        task=task,
        map_index=-1,
        dag_id="d",
        run_id="r",
        set_state=set_state,
        get_dagrun=lambda *_args, **_kwargs: None,
    )
    context = DepContext(flag_upstream_failed=True, finished_tis=finished)
    statuses = list(TriggerRuleDep()._evaluate_trigger_rule(ti=ti, dep_context=context, session=None))
    if marks:
        return marks[-1]
    return all(status.passed for status in statuses)


def test_every_rule_of_the_installed_airflow_is_in_the_table() -> None:
    assert set(REAL_RULES) <= set(RULES)


@given(
    rule=st.sampled_from(sorted(set(REAL_RULES) - NOT_EVALUATED)),
    upstream=st.lists(st.sampled_from(ENDS + UNFINISHED), min_size=1, max_size=6),
)
def test_the_table_is_as_airflows_own_code(rule: str, upstream: list[TaskState]) -> None:
    assert judge(rule, Upstream.of(upstream)) == real_verdict(rule, upstream)


@given(rule=st.sampled_from(sorted(RULES)), upstream=st.lists(st.sampled_from(ENDS), min_size=1))
def test_a_rule_decides_once_all_upstream_tasks_have_ended(rule: str, upstream: list[TaskState]) -> None:
    verdict = judge(rule, Upstream.of(upstream))
    assert verdict is not False, "the run would never end"


@given(
    rule=st.sampled_from(sorted(RULES)),
    upstream=st.lists(st.sampled_from(ENDS + UNFINISHED), min_size=1, max_size=6),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_upstream_tasks_means_nothing(rule: str, upstream: list[TaskState], seed: Any) -> None:
    other = list(upstream)
    seed.shuffle(other)
    assert judge(rule, Upstream.of(upstream)) == judge(rule, Upstream.of(other))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_without_upstream_tasks_every_rule_lets_a_task_run(rule: str) -> None:
    assert judge(rule, Upstream.of([])) is True


@pytest.mark.parametrize(
    ("rule", "upstream", "verdict"),
    [
        ("all_success", "ss", True),
        ("all_success", "sn", False),
        ("all_success", "fn", TaskState.UPSTREAM_FAILED),
        ("all_success", "kf", TaskState.UPSTREAM_FAILED),
        ("all_success", "ks", TaskState.SKIPPED),
        ("all_failed", "fu", True),
        ("all_failed", "fs", TaskState.SKIPPED),
        ("all_done", "sfku", True),
        ("all_done", "sn", False),
        ("one_success", "sn", True),
        ("one_success", "fk", TaskState.UPSTREAM_FAILED),
        ("one_success", "kk", TaskState.SKIPPED),
        ("one_failed", "fn", True),
        ("one_failed", "un", True),
        ("one_failed", "sk", TaskState.SKIPPED),
        ("one_done", "nf", True),
        ("one_done", "nk", False),
        ("one_done", "ku", TaskState.SKIPPED),
        ("none_failed", "sk", True),
        ("none_failed", "sf", TaskState.UPSTREAM_FAILED),
        ("none_failed_min_one_success", "sk", True),
        ("none_failed_min_one_success", "kk", TaskState.SKIPPED),
        ("none_skipped", "sf", True),
        ("none_skipped", "kn", TaskState.SKIPPED),
        ("all_skipped", "kk", True),
        ("all_skipped", "ks", TaskState.SKIPPED),
        ("all_done_min_one_success", "sf", True),
        ("all_done_min_one_success", "sk", TaskState.SKIPPED),
        ("all_done_min_one_success", "fu", TaskState.UPSTREAM_FAILED),
        ("always", "nn", True),
    ],
)
def test_what_the_rules_mean(rule: str, upstream: str, verdict: Verdict) -> None:
    letters = {
        "s": TaskState.SUCCESS,
        "k": TaskState.SKIPPED,
        "f": TaskState.FAILED,
        "u": TaskState.UPSTREAM_FAILED,
        "n": TaskState.RUNNING,
    }
    assert judge(rule, Upstream.of(letters[letter] for letter in upstream)) == verdict


@pytest.mark.parametrize("removed", [1, 2])
def test_removed_elements_do_not_hold_a_task_up(removed: int) -> None:
    """A mapped task that shrank when it was cleared leaves such elements."""
    states = [TaskState.SUCCESS] + [TaskState.REMOVED] * removed
    for rule in ("all_success", "none_failed", "all_done"):
        assert judge(rule, Upstream.of(states)) is True
