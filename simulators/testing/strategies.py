"""Hypothesis strategies: workflows, what goes wrong, and whole scenarios.

    from simulators.testing.strategies import dags, fault_plans, scenarios

    @given(scenarios("my_dag", tasks=["Tester"]))
    def test_nothing_breaks(scenario):
        assert not run_scenario(scenario, dags=Path("dags")).broken

They shrink to no faults, tasks that succeed, and one task. Needs Hypothesis.
"""

from collections.abc import Sequence
from functools import partial

from hypothesis import strategies as st

from lute.managed_tasks import MANAGED_TASKS
from simulators.faults.kinds import parse_fault
from simulators.faults.model import Fault
from simulators.faults.swarm import MAKERS, NOT_YET
from simulators.scenario.schema import ClusterModel, Scenario, TaskModel
from simulators.testing.dag_shapes import DagShape, TaskShape

TRIGGER_RULES = (
    "all_success",
    "all_done",
    "none_failed",
    "one_success",
    "none_failed_min_one_success",
    "none_skipped",
    "one_done",
    "always",
    "one_failed",
    "all_failed",
    "all_skipped",
)
"""The rules of both Airflow versions, the usual ones first."""
SURVIVABLE = tuple(kind for kind in MAKERS if kind not in NOT_YET)
"""The kinds of trouble that production is meant to survive."""

_DEADLINE_S = 3 * 3600.0
_NEVER_S = 24 * 3600.0
_GROUPS = ("", "first", "second")


def fault_plans(
    tasks: Sequence[str], kinds: Sequence[str] = SURVIVABLE, max_size: int = 4
) -> st.SearchStrategy[tuple[Fault, ...]]:
    """Return a strategy for plans of faults.

    Args:
        tasks: labels of the workflow's tasks.
        kinds: the kinds of trouble, as for `lute-sim explore --faults`.
        max_size: most faults of a plan.
    """
    return st.lists(_faults(list(tasks), list(kinds)), max_size=max_size).map(tuple) if kinds else st.just(())


@st.composite
def _faults(draw: st.DrawFn, tasks: list[str], kinds: list[str]) -> Fault:
    make = MAKERS[draw(st.sampled_from(kinds))]
    # Every draw of this Random is one of Hypothesis's, so that what the seeds of `explore` draw shrinks here.
    return parse_fault(make(draw(st.randoms(use_true_random=False)), tasks))


def task_models() -> st.SearchStrategy[TaskModel]:
    """Return a strategy for what a job does: the simplest one runs for a second and succeeds."""
    duration_s = st.integers(1, 120).map(float)
    model = partial(st.builds, TaskModel, duration_s=duration_s)
    return st.one_of(
        model(),
        model(exit_code=st.integers(1, 255)),
        model(signal=st.sampled_from([9, 11, 15])),
        model(out_of_memory=st.just(True)),
        model(ignores_term=st.just(True)),
        model(fails_to_launch=st.just(True)),
    )


@st.composite
def scenarios(
    draw: st.DrawFn,
    workflow: str = "test",
    tasks: Sequence[str] = ("Tester",),
    kinds: Sequence[str] = SURVIVABLE,
    max_faults: int = 4,
) -> Scenario:
    """Return a strategy for scenarios of a workflow.

    Args:
        tasks: labels of the workflow's tasks.
        kinds: the kinds of trouble, as for `lute-sim explore --faults`.
        max_faults: most faults of one scenario.
    """
    models = st.lists(task_models(), min_size=1, max_size=2).map(tuple)
    return Scenario(
        name="drawn",
        workflow=workflow,
        slurm_args=("--partition=milano", "--account=lcls:virtual", f"--ntasks={draw(st.integers(1, 128))}"),
        # Slurm forgets no job: what comes of that is a kind of trouble by itself.
        cluster=ClusterModel(min_job_age_s=_NEVER_S),
        retries=draw(st.integers(0, 2)),
        retry_delay_s=draw(st.sampled_from([0.0, 30.0, 300.0])),
        tasks=draw(st.dictionaries(st.sampled_from(list(tasks)), models, max_size=2)),
        faults=draw(fault_plans(tasks, kinds, max_faults)),
        deadline_s=_DEADLINE_S,
    )


@st.composite
def dags(draw: st.DrawFn, max_tasks: int = 5) -> DagShape:
    """Return a strategy for small workflows: edges, trigger rules, retries, caps, groups, mapped steps.

    Args:
        max_tasks: most steps, up to the number of managed Tasks.
    """
    names = list(MANAGED_TASKS)[:max_tasks]
    count = draw(st.integers(1, len(names)))
    return DagShape(tuple(draw(_task_shapes(name, number)) for number, name in enumerate(names[:count])))


@st.composite
def _task_shapes(draw: st.DrawFn, name: str, number: int) -> TaskShape:
    before = st.sets(st.integers(0, number - 1), max_size=3) if number else st.just(set())
    return TaskShape(
        name=name,
        upstream=tuple(sorted(draw(before))),
        trigger_rule=draw(st.sampled_from(TRIGGER_RULES)) if number else "all_success",
        retries=draw(st.integers(0, 2)),
        max_cores=draw(st.none() | st.integers(1, 128)),
        copies=draw(st.sampled_from([0, 0, 1, 2, 3])),
        group=draw(st.sampled_from(_GROUPS)),
    )
