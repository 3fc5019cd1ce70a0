"""Workflows that users write in a YAML file: `launch_airflow.py -W FILE`, see docs/run_time_workflows.md.

The DAG of this name stays empty. Each launch gets a DAG of its own for as long as it runs.
"""

from datetime import datetime
from pathlib import Path

from airflow import DAG

from lute.operators.run_time import run_time_dags

dag = DAG(
    dag_id=f"lute_{Path(__file__).stem}",
    start_date=datetime(2024, 3, 18),
    schedule=None,
    description="Not to be run: each `launch_airflow.py -W FILE` has a DAG of its own while it runs",
)

globals().update(run_time_dags())
