"""DAGs whose steps run in Slurm."""

from datetime import UTC, datetime, timedelta

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

START = datetime(2024, 1, 1, tzinfo=UTC)

with DAG("c_jid_retry", schedule=None, start_date=START):
    tester = JIDSlurmOperator(task_id="Tester", retries=1, retry_delay=timedelta(seconds=5))
    tester >> JIDSlurmOperator(task_id="BinaryTester", max_cores=2)

with DAG("c_jid_mapped", schedule=None, start_date=START):
    JIDSlurmOperator.partial(task_id="Tester").expand(max_cores=[1, 2])

with DAG("c_jid_time_limit", schedule=None, start_date=START):
    JIDSlurmOperator(task_id="Tester", execution_timeout=timedelta(seconds=30))
