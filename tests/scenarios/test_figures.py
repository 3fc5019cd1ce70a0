"""Figures of the whole chain that virtual time makes exact."""

from collections import Counter
from pathlib import Path

import pytest

from simulators.faults.kinds import parse_fault
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario, TaskModel

_DAG = """
from datetime import UTC, datetime
from airflow import DAG
from airflow.providers.common.compat.sdk import TaskGroup
from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(dag_id="lute_wide", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None)
for number in range(100):
    with TaskGroup(f"part_{number:03}", dag=dag):
        JIDSlurmOperator(task_id="Tester", max_cores=1, poke_interval=POKE, dag=dag)
"""


def asked(result: Result) -> Counter[str]:
    return Counter(entry["endpoint"] for entry in result.entries if entry["event"] == "http")


@pytest.mark.parametrize(("poke_interval_s", "most"), [(10, 4.5), (5, 8.0)])
def test_a_hundred_jobs_that_wait_for_an_hour_cost_the_jid_little(
    tmp_path: Path, poke_interval_s: int, most: float
) -> None:
    (tmp_path / "wide.py").write_text(_DAG.replace("POKE", str(poke_interval_s)))
    scenario = Scenario(
        workflow="wide",
        deferrable=True,
        tasks={"*": (TaskModel(duration_s=3600),)},
        slurm_args=("--partition=milano", "--account=lcls:virtual", "--ntasks=1"),
    )
    result = run_scenario(scenario, seed=1, dags=tmp_path)
    assert (result.run_state, result.broken) == ("success", [])
    count = asked(result)
    to_airflow = sum(number for endpoint, number in count.items() if endpoint.startswith("airflow."))
    assert count["jid.start_job"] == count["jid.job_log_file"] == 100
    assert count["jid.job_statuses"] / 100 <= most
    assert to_airflow / result.duration_s <= 0.5


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_step_that_is_ended_takes_its_job_with_it_at_once(deferrable: bool) -> None:
    fault = parse_fault(
        {"what": "mark_task", "after": "job_running", "delay_s": 30, "task": "Tester", "state": "failed"}
    )
    for seed in range(8):
        scenario = Scenario(
            deferrable=deferrable, faults=(fault,), tasks={"Tester": (TaskModel(duration_s=600),)}
        )
        result = run_scenario(scenario, seed=seed)
        (marked,) = result.faults
        ended_s = next(
            entry["t"]
            for entry in result.entries
            if entry["event"] == "job" and entry["job"] == 1 and entry["state"] in ("COMPLETING", "CANCELLED")
        )
        # Airflow itself notices within a heartbeat of 5 s.
        assert ended_s - marked["t"] <= 5 + 5
