"""Run one DAG file by `dag.test()` in the installed Airflow.

usage: python run_dag.py DAG_FILE CONF_FILE
"""

import json
import runpy
import sys
from pathlib import Path


def main(dag_file: str, conf_file: str) -> None:
    dag = runpy.run_path(dag_file)["dag"]
    dag.test(run_conf=json.loads(Path(conf_file).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
