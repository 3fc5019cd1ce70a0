"""One leg: the dagrunner."""

import sys
from pathlib import Path

from simulators.facility import Facility
from tests.contract.dagrunner.table import Case, Seen, conf_of, seen


def run_simulated(case: Case, dags: Path) -> Seen:
    """Run a case in the virtual world."""
    with Facility(case.scenario, seed=1, dags=dags) as world:
        parts = sys.modules["contract_parts"]
        parts.JOURNAL.clear()
        parts.POKES.clear()
        world.plan.begin()
        run = world.airflow.trigger(case.dag_id, "manual__r", conf_of(world, case.dag_id), "lute")
        assert world.finish(), {record.label: record.state for record in run.tasks.values()}
        tasks = {
            record.label: [str(record.state), record.try_number, record.max_tries]
            for record in run.tasks.values()
        }
        xcoms = {record.label: dict(record.xcoms) for record in run.tasks.values()}
        return seen(world, str(run.state), tasks, xcoms)
