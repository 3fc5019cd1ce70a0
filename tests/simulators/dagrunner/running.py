"""Simulated Airflows that run DAG files given as text, in virtual time."""

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lute.airflow_api.models import TaskState
from lute.seams import Runtime, installed
from simulators.dagrunner.instance import Instance
from simulators.dagrunner.state import DagRun, TaskInstance
from simulators.dagrunner.variables import connected
from simulators.dagrunner.version import AIRFLOW_2, AIRFLOW_3, AirflowConf
from simulators.kernel.actors import Actors
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace

PARTS = Path(__file__).parents[2] / "contract" / "dagrunner" / "dags" / "contract_parts.py"
BOTH = pytest.mark.parametrize("conf", [AIRFLOW_2, AIRFLOW_3], ids=["2.11", "3.3"])
_HEAD = """
from datetime import datetime, timedelta
from airflow import DAG
from contract_parts import Act, Defer, Kill
START = datetime(2024, 1, 1)
"""


class Airflow:
    """One instance with the DAG files of a folder.

    Args:
        tasks: what the DAG `d` consists of, as Python; empty for none.
        dag: further arguments of DAG.
    """

    def __init__(
        self,
        folder: Path,
        tasks: str = "",
        *,
        dag: str = "",
        conf: AirflowConf = AIRFLOW_3,
        retries: int = 0,
    ) -> None:
        shutil.copy(PARTS, folder)
        self.folder = folder
        if tasks:
            self.write("d", f"with DAG('d', schedule=None, start_date=START, {dag}):\n", tasks)
        self.agenda = Agenda(1_800_000_000.0)
        self.actors = Actors(self.agenda)
        self.trace = Trace()
        self.instance = Instance(
            self.actors, Seeds(1), self.trace, dags=folder, users={}, conf=conf, retries=retries
        )
        self.running: dict[str, int] = {}
        self.most_running = 0
        self.instance.database.on_task.append(self._count)

    def write(self, name: str, head: str, tasks: str) -> Path:
        """Write a DAG file."""
        body = "".join(f"    {line}\n" for line in tasks.strip().splitlines())
        path = self.folder / f"{name}.py"
        path.write_text(_HEAD + head + body)
        return path

    @property
    def passed_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self.agenda.now_s - 1_800_000_000.0

    def trigger(self, run_id: str = "r", dag_id: str = "d") -> DagRun:
        return self.instance.trigger(dag_id, run_id, {}, "somebody")

    def pass_time(self, seconds: float) -> None:
        self.agenda.advance(self.agenda.now_s + seconds)

    def until(self, task: TaskInstance, state: TaskState, limit_s: float = 1000.0) -> None:
        """Let time pass until a task has a state."""
        end_s = self.agenda.now_s + limit_s
        while task.state is not state:
            next_s = self.agenda.next_time_s
            assert next_s is not None, f"{task.label} stays {task.state}"
            assert next_s < end_s, f"{task.label} is still {task.state}"
            self.agenda.step()

    def run(self, run_id: str = "r", dag_id: str = "d", limit_s: float = 100_000.0) -> DagRun:
        """Run a DAG to its end."""
        run = self.trigger(run_id, dag_id)
        self.end(run, limit_s)
        return run

    def end(self, run: DagRun, limit_s: float = 100_000.0) -> None:
        """Let time pass until a run has ended."""
        end_s = self.agenda.now_s + limit_s
        while not run.state.is_final:
            next_s = self.agenda.next_time_s
            assert next_s is not None, states(run)
            assert next_s < end_s, states(run)
            self.agenda.step()

    def logs(self, task: str) -> str:
        """Return what a task logged."""
        lines = [e["text"] for e in self.trace.entries if e["event"] == "log" and e["actor"] == task]
        return "\n".join(lines)

    def times(self, task: str, state: str) -> list[float]:
        """Return when a task came to a state, in seconds since the beginning."""
        return [
            e["t"] - 1_800_000_000.0
            for e in self.trace.entries
            if e["event"] == "task" and e["task"] == task and e["state"] == state
        ]

    def _count(self, run: DagRun, record: TaskInstance, before: TaskState) -> None:
        now = sum(
            task.state is TaskState.RUNNING
            for other in self.instance.state.runs.values()
            for task in other.tasks.values()
        )
        self.most_running = max(self.most_running, now)


NewAirflow = Callable[..., Airflow]


@pytest.fixture
def new_airflow(tmp_path: Path) -> Iterator[NewAirflow]:
    """Make an Airflow; its actors end with the test."""
    with contextlib.ExitStack() as stack:

        def make(tasks: str = "", **given: object) -> Airflow:
            folder = tmp_path / f"dags{len(made)}"
            folder.mkdir()
            airflow = Airflow(folder, tasks, **given)  # type: ignore[arg-type]
            made.append(airflow)
            runtime = Runtime(clock=VirtualClock(airflow.agenda, airflow.actors))
            stack.enter_context(installed(lambda: runtime))
            stack.enter_context(connected(airflow.instance.state))
            stack.callback(airflow.actors.close)
            parts = sys.modules.get("contract_parts")
            if parts is not None:
                parts.JOURNAL.clear()
                parts.POKES.clear()
            return airflow

        made: list[Airflow] = []
        yield make


def states(run: DagRun) -> dict[str, str]:
    """Return label -> state."""
    return {record.label: str(record.state) for record in run.tasks.values()}


def journal(task: str) -> list[str]:
    """Return what the DAG's operators noted of a task."""
    return [what for who, what in sys.modules["contract_parts"].JOURNAL if who == task]


def only(run: DagRun, label: str) -> TaskInstance:
    """Return a task of a run."""
    return next(record for record in run.tasks.values() if record.label == label)
