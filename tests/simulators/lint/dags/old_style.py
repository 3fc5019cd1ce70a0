"""As DAG files were written for Airflow 2 and the first operators: a module per step, every import old."""

import os
from datetime import datetime

from airflow import DAG

from lute.operators.jidoperators import JIDSlurmOperator

dag_id: str = f"lute_{os.path.splitext(os.path.basename(__file__))[0]}"
description: str = "Old style"

dag: DAG = DAG(
    dag_id=dag_id,
    start_date=datetime(2024, 3, 18),  # noqa: DTZ001
    schedule_interval=None,
    description=description,
)

producer: JIDSlurmOperator = JIDSlurmOperator(task_id="SmallDataProducer", dag=dag)
tester: JIDSlurmOperator = JIDSlurmOperator(max_cores=2, task_id="Tester", dag=dag)

producer >> tester
