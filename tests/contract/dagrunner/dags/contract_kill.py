"""DAGs whose tasks somebody ends while they run, or that want another process of Airflow."""

from datetime import UTC, datetime

from airflow import DAG
from contract_parts import Act, Defer, Kill

from lute.operators.jidoperators import JIDSlurmOperator

START = datetime(2024, 1, 1, tzinfo=UTC)

with DAG("k_task", schedule=None, start_date=START):
    Kill(task_id="k_task", retries=1) >> Act(task_id="k_task_behind")

with DAG("k_success", schedule=None, start_date=START):
    Kill(task_id="k_success") >> Act(task_id="k_success_behind")

with DAG("k_run", schedule=None, start_date=START):
    # One of the last tasks fails: else a scheduler of 3.3 that looks in mid-request ends the run as success.
    Kill(task_id="k_run", retries=1)
    Act(task_id="k_run_waits", pool="one_slot", pool_slots=2) >> Kill(task_id="k_run_behind")

with DAG("k_clear", schedule=None, start_date=START):
    Kill(task_id="k_clear")

with DAG("k_raise", schedule=None, start_date=START):
    Kill(task_id="k_raise", kill="raise")

with DAG("k_slow", schedule=None, start_date=START):
    Kill(task_id="k_slow", kill="8")

with DAG("k_jid", schedule=None, start_date=START):
    # Its job waits in the queue, so that the task runs for as long as one likes.
    JIDSlurmOperator(task_id="Tester", custom_slurm_params="--partition=milano --begin=now+1hour")

with DAG("t_marked", schedule=None, start_date=START):
    Defer(task_id="t_marked", seconds=600.0, retries=1)

with DAG("t_error", schedule=None, start_date=START):
    Defer(task_id="t_error", seconds=1.0, mode="error")

with DAG("t_nothing", schedule=None, start_date=START):
    Defer(task_id="t_nothing", seconds=1.0, mode="nothing")

with DAG("t_late", schedule=None, start_date=START):
    Defer(task_id="t_late", seconds=600.0, limit_s=4)

with DAG("t_restart", schedule=None, start_date=START):
    Defer(task_id="t_restart", seconds=45.0)

with DAG("p_one_slot", schedule=None, start_date=START):
    for name in ("p_one", "p_two"):
        Act(task_id=name, script="sleep 3", pool="one_slot")
