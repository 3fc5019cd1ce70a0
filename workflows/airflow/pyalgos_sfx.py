"""Workflow `pyalgos_sfx`: serial femtosecond crystallography, from detector images to figures of merit."""

from datetime import datetime
from pathlib import Path

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag = DAG(
    dag_id=f"lute_{Path(__file__).stem}",
    start_date=datetime(2024, 3, 18),
    schedule=None,
    description="SFX: find peaks with PyAlgos, index and merge with CrystFEL, compare the halves",
)

peak_finder = JIDSlurmOperator(task_id="PeakFinderPyAlgos", dag=dag)
indexer = JIDSlurmOperator(task_id="CrystFELIndexer", max_cores=120, dag=dag)
merger = JIDSlurmOperator(task_id="PartialatorMerger", max_cores=120, dag=dag)
hkl_comparer = JIDSlurmOperator(task_id="HKLComparer", max_cores=8, dag=dag)

peak_finder >> indexer >> merger >> hkl_comparer
