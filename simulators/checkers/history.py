"""What happened in a run, put in order for the checkers: read from its trace alone."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

FINAL_JOB = frozenset(
    [
        "COMPLETED",
        "FAILED",
        "CANCELLED",
        "TIMEOUT",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "DEADLINE",
        "BOOT_FAIL",
    ]
)
FINAL_RUN = frozenset(["success", "failed", "deleted"])
_LAUNCHED = re.compile(r"Workflow \S+ (?:launched|attached): DAG run ([^\s,]+)(?:, .*)?")


@dataclass
class JobFacts:
    """One Slurm job.

    Attributes:
        task: label of the task whose operator submitted it, with `#2` in the second run.
        number: which try of the task that was.
        states: (moment, state), in order; moments in POSIX seconds.
        cores: moment at which it started -> node -> cores; several if it was requeued.
    """

    job_id: int
    task: str
    number: int
    name: str
    cpus: int
    states: list[tuple[float, str]] = field(default_factory=list)
    cores: dict[float, dict[str, int]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The task's label, the same in every run."""
        return self.task.partition("#")[0]

    @property
    def state(self) -> str:
        """The last state."""
        return self.states[-1][1]

    @property
    def submit_s(self) -> float:
        """When it was submitted."""
        return self.states[0][0]

    @property
    def end_s(self) -> float | None:
        """When it ended, None if it has not."""
        return self.states[-1][0] if self.state in FINAL_JOB else None


@dataclass
class TaskFacts:
    """One task of one run; `states` are (moment, state, try)."""

    run_id: str
    label: str
    states: list[tuple[float, str, int]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The last state."""
        return self.states[-1][1]


@dataclass
class RunFacts:
    """One DAG run; `states` are (moment, state)."""

    run_id: str
    number: int
    states: list[tuple[float, str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The last state."""
        return self.states[-1][1]

    @property
    def end_s(self) -> float | None:
        """When it ended, None if it has not."""
        return self.states[-1][0] if self.state in FINAL_RUN else None


@dataclass
class LauncherFacts:
    """One launcher.

    Attributes:
        exit_code: None for one that was killed, or has not ended.
        crash: what it died of, if nobody foresaw that.
        signals: names of the signals that it got.
        run_id: of the run that it says it has launched; empty if it says none.
    """

    name: str
    start_s: float
    end_s: float | None = None
    exit_code: int | None = None
    crash: str = ""
    signals: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    run_id: str = ""


@dataclass
class History:
    """A run.

    Attributes:
        exchanges: the entries of HTTP requests, in order.
        logs: (client, text) of the operators' own logs.
        faults: the entries of faults that acted, each time that they did.
        controller: (moment, "up" or "down") of slurmctld, in order.
        end_s: the moment of the last entry.
    """

    jobs: dict[int, JobFacts] = field(default_factory=dict)
    tasks: dict[tuple[str, str], TaskFacts] = field(default_factory=dict)
    runs: dict[str, RunFacts] = field(default_factory=dict)
    launchers: dict[str, LauncherFacts] = field(default_factory=dict)
    exchanges: list[Mapping[str, Any]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Mapping[str, Any]] = field(default_factory=list)
    controller: list[tuple[float, str]] = field(default_factory=list)
    end_s: float = 0.0

    def slurm_down_s(self, begin_s: float, end_s: float) -> float:
        """Return for how long in this time Slurm answered nobody, so that no job could be cancelled."""
        total_s, down_s = 0.0, None
        for time_s, state in [*self.controller, (self.end_s, "up")]:
            if state == "down" and down_s is None:
                down_s = time_s
            elif state == "up" and down_s is not None:
                total_s += max(0.0, min(end_s, time_s) - max(begin_s, down_s))
                down_s = None
        return total_s

    def airflow_hidden_s(self, begin_s: float, end_s: float) -> float:
        """Return for how long in this time a launcher asked Airflow in vain, so that it saw no end."""
        total_s = 0.0
        hidden_s: dict[str, float] = {}
        asked = (entry for entry in self.exchanges if entry["endpoint"].startswith("airflow."))
        for entry in asked:
            if entry["failure"] or entry["status"] >= 500:
                hidden_s.setdefault(entry["actor"], entry["sent_s"])
            elif (since_s := hidden_s.pop(entry["actor"], None)) is not None:
                total_s += max(0.0, min(end_s, entry["t"]) - max(begin_s, since_s))
        return total_s

    def run_of(self, client: str) -> RunFacts | None:
        """Return the run to which a task's name in requests and jobs belongs."""
        number = int(client.partition("#")[2] or 1)
        return next((run for run in self.runs.values() if run.number == number), None)

    def task_of(self, job: JobFacts) -> TaskFacts | None:
        """Return the task whose job it is."""
        run = self.run_of(job.task)
        return None if run is None else self.tasks.get((run.run_id, job.label))

    def name_of(self, task: TaskFacts) -> str:
        """Return a task's name in requests, jobs and faults."""
        run = self.runs.get(task.run_id)
        return task.label if run is None or run.number == 1 else f"{task.label}#{run.number}"

    def was_disturbed(self, launcher: LauncherFacts) -> bool:
        """Tell whether any request of a launcher went wrong, or was answered by a fault."""
        failed = any(
            entry["actor"] == launcher.name and (entry["failure"] or entry["status"] >= 400)
            for entry in self.exchanges
        )
        return failed or any(entry["target"] == launcher.name for entry in self.faults)


def read_history(entries: Iterable[Mapping[str, Any]]) -> History:
    """Read a trace."""
    history = History()
    for entry in entries:
        history.end_s = entry["t"]
        reader = _READERS.get(entry["event"])
        if reader is not None:
            reader(history, entry)
    return history


def _job(history: History, entry: Mapping[str, Any]) -> None:
    job_id = entry["job"]
    job = history.jobs.get(job_id)
    if job is None:
        job = history.jobs[job_id] = JobFacts(
            job_id, entry["task"], entry["try"], entry["name"], entry["cpus"]
        )
    job.states.append((entry["t"], entry["state"]))
    if "nodes" in entry:
        job.cores[entry["t"]] = entry["nodes"]


def _task(history: History, entry: Mapping[str, Any]) -> None:
    key = (entry["run_id"], entry["task"])
    task = history.tasks.setdefault(key, TaskFacts(*key))
    task.states.append((entry["t"], entry["state"], entry["try"]))


def _run(history: History, entry: Mapping[str, Any]) -> None:
    run_id = entry["run_id"]
    run = history.runs.setdefault(run_id, RunFacts(run_id, len(history.runs) + 1))
    run.states.append((entry["t"], entry["state"]))


def _start(history: History, entry: Mapping[str, Any]) -> None:
    history.launchers[entry["actor"]] = LauncherFacts(entry["actor"], entry["t"])


def _print(history: History, entry: Mapping[str, Any]) -> None:
    launcher = history.launchers[entry["actor"]]
    launcher.lines.append(entry["text"])
    if not launcher.run_id and (launched := _LAUNCHED.fullmatch(entry["text"])):
        launcher.run_id = launched[1]


def _end(history: History, entry: Mapping[str, Any]) -> None:
    launcher = history.launchers[entry["actor"]]
    launcher.end_s, launcher.exit_code = entry["t"], entry["exit_code"]
    launcher.crash = entry.get("crash", "")


_READERS: dict[str, Callable[[History, Mapping[str, Any]], None]] = {
    "job": _job,
    "task": _task,
    "run": _run,
    "start": _start,
    "print": _print,
    "end": _end,
    "signal": lambda history, entry: history.launchers[entry["actor"]].signals.append(entry["signal"]),
    "http": lambda history, entry: history.exchanges.append(entry),
    "log": lambda history, entry: history.logs.append((entry["actor"], entry["text"])),
    "controller": lambda history, entry: history.controller.append((entry["t"], entry["state"])),
    "fault": lambda history, entry: history.faults.append(entry),
    "hit": lambda history, entry: history.faults.append(entry),
}
