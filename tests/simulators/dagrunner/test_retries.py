"""Delays before the next try, against Airflow's own `next_retry_datetime`."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.models.taskinstance import TaskInstance as RealTaskInstance
from hypothesis import given
from hypothesis import strategies as st

from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.retries import retry_delay_s
from simulators.dagrunner.state import TaskInstance
from tests.simulators.dagrunner.running import BOTH, NewAirflow, new_airflow, only

END = datetime(2026, 11, 24, 12, tzinfo=UTC)
BACKOFFS = [False, True] if MAJOR < 3 else [0, 0.5, 1.0, 1.5, 2.0, 3.0]

__all__ = ["new_airflow"]


@given(
    delay_s=st.sampled_from([0.0, 0.3, 1.0, 7.5, 60.0, 299.0, 3600.0]),
    backoff=st.sampled_from(BACKOFFS),
    most_s=st.sampled_from([None, 0.0, 50.0, 1e6]),
    number=st.integers(1, 60),
    date=st.sampled_from([None, END]),
)
def test_the_delay_is_airflows_own(
    delay_s: float, backoff: float, most_s: float | None, number: int, date: datetime | None
) -> None:
    task = SimpleNamespace(
        retry_delay=timedelta(seconds=delay_s),
        retry_exponential_backoff=backoff,
        max_retry_delay=None if most_s is None else timedelta(seconds=most_s),
    )
    real = SimpleNamespace(
        task=task,
        try_number=number,
        dag_id="d",
        task_id="t",
        end_date=END,
        execution_date=date,
        logical_date=date,
        retry_delay_override=None,
    )
    expected = (RealTaskInstance.next_retry_datetime(real) - END).total_seconds()
    record = TaskInstance("d", "r", "t", try_number=number)
    assert retry_delay_s(task, record, logical_date=date) == pytest.approx(expected)


@pytest.mark.skipif(MAJOR < 3, reason="2.11 itself cannot compute it")
def test_a_delay_that_no_number_can_hold_is_a_day() -> None:
    task = SimpleNamespace(
        retry_delay=timedelta(seconds=60), retry_exponential_backoff=10.0, max_retry_delay=None
    )
    assert retry_delay_s(task, TaskInstance("d", "r", "t", try_number=5000)) == 24 * 3600.0


def test_the_default_is_the_instances_where_the_dag_file_says_nothing() -> None:
    quiet = SimpleNamespace(
        retry_delay=timedelta(minutes=5), retry_exponential_backoff=False, max_retry_delay=None
    )
    explicit = SimpleNamespace(
        retry_delay=timedelta(minutes=2), retry_exponential_backoff=False, max_retry_delay=None
    )
    record = TaskInstance("d", "r", "t", try_number=1)
    assert retry_delay_s(quiet, record) == 300.0
    assert retry_delay_s(quiet, record, 7.0) == 7.0
    assert retry_delay_s(explicit, record, 7.0) == 120.0


@BOTH
def test_the_next_try_comes_after_the_delay_and_not_before(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow(
        "Act(task_id='a', script=('fail', 'fail', 'succeed'), retries=2, retry_delay=timedelta(minutes=7))",
        conf=conf,
    )
    run = airflow.run()
    assert str(run.state) == "success"
    record = only(run, "a")
    assert (record.try_number, record.max_tries) == (3, 2)
    ends, starts = airflow.times("a", "up_for_retry"), airflow.times("a", "running")
    for end_s, start_s in zip(ends, starts[1:], strict=True):
        assert 420.0 <= start_s - end_s < 423.0


@BOTH
def test_a_cleared_task_has_all_its_retries_again(conf: object, new_airflow: NewAirflow) -> None:
    airflow = new_airflow("Act(task_id='a', script='fail', retries=1)", conf=conf)
    run = airflow.run()
    record = only(run, "a")
    assert (record.try_number, record.max_tries) == (2, 1)
    airflow.instance.clear(run, [record])
    assert record.max_tries == 3
