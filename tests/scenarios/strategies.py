"""Scenarios of all shapes, for Hypothesis."""

from typing import Any

from hypothesis import strategies as st

from simulators.faults.kinds import KINDS
from simulators.faults.model import ExchangeFault, Fault, Moment, SetupFault, WorldFault
from simulators.scenario.schema import ClusterModel, Expected, Scenario, TaskModel

TEXT = st.text(max_size=40)
LABEL = st.text(min_size=1, max_size=12)
SECONDS = st.floats(0, 1e6) | st.integers(0, 10**6).map(float)
POSITIVE_S = st.floats(0, 1e6, exclude_min=True)


def optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def models() -> st.SearchStrategy[TaskModel]:
    bounds = st.tuples(SECONDS, SECONDS).map(lambda pair: tuple(sorted(pair)))
    return st.builds(
        TaskModel,
        duration_s=SECONDS | bounds,
        exit_code=st.integers(0, 255),
        signal=st.integers(0, 64),
        on_term=optional(st.integers(0, 255)),
        log=TEXT,
    )


def _of_kind(kind: type[Fault]) -> st.SearchStrategy[Fault]:
    given: dict[str, st.SearchStrategy[Any]] = {
        "what": st.just(next(name for name, found in KINDS.items() if found is kind)),
        "task": optional(LABEL),
    }
    if issubclass(kind, ExchangeFault):
        given |= {
            "call": st.integers(1, 99),
            "calls": optional(st.integers(1, 99)),
            "at_s": SECONDS,
            "for_s": optional(POSITIVE_S),
            "probability": st.floats(0, 1, exclude_min=True),
        }
    if issubclass(kind, SetupFault):
        return st.builds(kind, **given)
    if issubclass(kind, WorldFault):
        given |= {"delay_s": SECONDS, "nth": st.integers(1, 9)}
        timed = st.builds(kind, at_s=SECONDS, after=st.none(), **given)
        return timed | st.builds(kind, at_s=st.none(), after=st.sampled_from(Moment), **given)
    return st.builds(kind, **given)


FAULTS: st.SearchStrategy[Fault] = st.sampled_from(sorted(KINDS)).flatmap(lambda name: _of_kind(KINDS[name]))


def scenarios() -> st.SearchStrategy[Scenario]:
    return st.builds(
        Scenario,
        name=LABEL,
        about=TEXT,
        seen=TEXT,
        workflow=LABEL,
        airflow=st.sampled_from([None, 2, 3]),
        launches=st.integers(1, 100),
        slurm_args=st.lists(TEXT, max_size=3).map(tuple),
        retries=st.integers(0, 100),
        retry_delay_s=SECONDS,
        cluster=st.builds(
            ClusterModel,
            partitions=optional(
                st.dictionaries(LABEL, st.dictionaries(LABEL, st.integers(), max_size=2), max_size=2)
            ),
            min_job_age_s=POSITIVE_S,
        ),
        tasks=st.dictionaries(LABEL, st.lists(models(), max_size=3).map(tuple), max_size=3),
        faults=st.lists(FAULTS, max_size=4).map(tuple),
        deadline_s=POSITIVE_S,
        expect=st.builds(
            Expected,
            run=st.sampled_from([None, "success", "failed", "none"]),
            exit_code=st.sampled_from([None, "killed", 0, 1, 143]),
            tasks=st.dictionaries(LABEL, TEXT, max_size=2),
            jobs=st.dictionaries(LABEL, st.integers(0, 9), max_size=2),
            says=st.lists(TEXT, max_size=2).map(tuple),
        ),
        xfail=TEXT,
    )
