"""The workflow of `lute-sim bench stack`: ten tasks on seven levels, with fan-out and fan-in."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id=f"lute_{Path(__file__).stem}",
    start_date=datetime(2024, 3, 18),
    schedule=None,
    description="Ten tasks on seven levels",
)

levels = [
    [JIDSlurmOperator(task_id=name, max_cores=8, dag=dag) for name in names]
    for names in (
        ["Prepare"],
        ["Calibrate"],
        ["FindLeft", "FindRight"],
        ["Combine"],
        ["IndexA", "IndexB", "IndexC"],
        ["Merge"],
        ["Compare"],
    )
]
for before, after in pairwise(levels):
    for task in before:
        task >> after
