"""The other leg: the installed Airflow's `dag.test()`, for all cases in one process.

usage: AIRFLOW_HOME=... python -m tests.contract.dagrunner.real DAGS_FOLDER OUTPUT
"""

import importlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulators.dagrunner.installed import MAJOR
from simulators.dagrunner.variables import disconnected
from simulators.facility import Facility
from simulators.virtual.dagtest import create_database, dag_test
from tests.contract.dagrunner.table import CASES, Case, Seen, conf_of, seen


def run_real(case: Case, dags: Path) -> Seen:
    """Run a case by `dag.test()`."""
    with Facility(case.scenario, seed=1, dags=dags) as world:
        parts = sys.modules["contract_parts"]
        parts.JOURNAL.clear()
        parts.POKES.clear()
        world.plan.begin()
        dag_test(world, case.dag_id, conf_of(world, case.dag_id))
        world.finish()
        with disconnected():
            found = _in_database(case.dag_id)
        return seen(world, *found)


def _in_database(dag_id: str) -> tuple[str, dict[str, list[Any]], dict[str, dict[str, Any]]]:
    """Return the last run's state, its tasks and their XComs."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        runs = session.query(DagRun).filter(DagRun.dag_id == dag_id).order_by(DagRun.id.desc())
        run = runs.first()
        assert run is not None
        records = session.query(TaskInstance).filter(
            TaskInstance.dag_id == dag_id, TaskInstance.run_id == run.run_id
        )
        tasks: dict[str, list[Any]] = {}
        for record in records:
            label = record.task_id if record.map_index < 0 else f"{record.task_id}[{record.map_index}]"
            tasks[label] = [str(record.state), record.try_number, record.max_tries]
        return str(run.state), tasks, _xcoms(session, dag_id, run.run_id)


def _xcoms(session: Any, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
    """Return the XComs of a run as a task would get them."""
    models = importlib.import_module("airflow.models.xcom")
    if MAJOR < 3:
        reader = model = models.XCom
    else:
        reader = importlib.import_module("airflow.sdk.execution_time.xcom").XCom
        model = models.XComModel
    # Columns, since 2.11's rows read themselves in another way.
    columns = (model.task_id, model.map_index, model.key, model.value)
    found: dict[str, dict[str, Any]] = {}
    for row in session.query(*columns).filter(model.dag_id == dag_id, model.run_id == run_id):
        label = row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]"
        found.setdefault(label, {})[row.key] = reader.deserialize_value(row)
    return found


def main(dags: Path, output: Path) -> None:
    """Run all cases; write what is seen of each, and how long it took."""
    create_database()
    found = {}
    for case in CASES:
        if "rules" not in case.name:
            (dags / "contract_rules.py").unlink(missing_ok=True)  # large, and 3.3 reads all files each time
        began_s = time.perf_counter()
        try:
            plain = {"seen": asdict(run_real(case, dags))}
        except Exception as error:  # noqa: BLE001 - the others are still of interest
            plain = {"error": f"{type(error).__name__}: {error}"}
        found[case.name] = plain | {"took_s": time.perf_counter() - began_s}
        output.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
