"""Running many seeds on all cores."""

import contextlib
import gc
import os
import signal
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from simulators.dagrunner.load import load_folder
from simulators.facility import CONFIG, WORKFLOWS, Facility
from simulators.faults.swarm import MAKERS, NOT_YET, draw_scenario
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TWICE = 10
"""One seed in so many is run twice; its digests must be equal."""


@dataclass(frozen=True)
class Search:
    """What is explored.

    Attributes:
        kinds: kinds of trouble that may happen.
    """

    workflow: str
    kinds: tuple[str, ...]
    dags: Path = WORKFLOWS
    config: Path = CONFIG

    def check(self) -> None:
        """Raise unless the workflow can be run.

        Raises:
            ConfigError: there is no such workflow, or its file cannot be imported.
        """
        with Facility(Scenario(workflow=self.workflow), dags=self.dags):
            pass

    def scenario(self, seed: int) -> Scenario:
        """Return the scenario of a seed."""
        tasks, caps = _shape(self.dags, self.workflow)
        return draw_scenario(seed, self.workflow, tasks, self.kinds, caps)

    def run(self, seed: int) -> Result:
        """Run a seed."""
        return run_scenario(self.scenario(seed), seed=seed, dags=self.dags, config=self.config)


@dataclass(frozen=True)
class Finding:
    """What one seed broke."""

    seed: int
    checker: str
    text: str


@dataclass
class Report:
    """What some seeds came to.

    Attributes:
        ends: state of the DAG run -> how often.
        acted: kind of fault -> in how many runs one acted.
        idle: faults that never acted, in all.
    """

    runs: int = 0
    twice: int = 0
    virtual_s: float = 0.0
    requests: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    findings: list[Finding] = field(default_factory=list)
    crashes: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take up another report."""
        self.runs += other.runs
        self.twice += other.twice
        self.virtual_s += other.virtual_s
        self.requests += other.requests
        self.ends.update(other.ends)
        self.acted.update(other.acted)
        self.idle += other.idle
        self.findings += other.findings
        self.crashes += other.crashes

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "runs": self.runs,
            "run_twice": self.twice,
            "virtual_h": round(self.virtual_s / 3600, 1),
            "requests": self.requests,
            "ends": dict(sorted(self.ends.items())),
            "faults": dict(sorted(self.acted.items())),
            "faults_that_never_acted": self.idle,
            "broken": [vars(finding) for finding in self.findings],
            "crashed": [{"seed": seed, "error": text} for seed, text in self.crashes],
        }


def survivable() -> tuple[str, ...]:
    """Return the kinds of trouble that production is meant to survive."""
    return tuple(kind for kind in MAKERS if kind not in NOT_YET)


def explore(search: Search, seeds: range, *, workers: int | None = None, batch: int = 20) -> Iterator[Report]:
    """Run seeds on all cores and yield a report for each batch, in the order of the seeds."""
    batches = [seeds[start : start + batch] for start in range(0, len(seeds), batch)]
    count = min(workers or os.cpu_count() or 1, len(batches))
    if count <= 1:
        for some in batches:
            yield run_seeds(search, some)
        return
    with ProcessPoolExecutor(count, initializer=_start_worker) as pool:
        try:
            todo = iter(batches)
            with _signals_held():
                under_way = deque(pool.submit(run_seeds, search, some) for some in islice(todo, 2 * count))
            while under_way:
                yield under_way.popleft().result()
                under_way.extend(pool.submit(run_seeds, search, some) for some in islice(todo, 1))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # waits for the batches under way, some seconds
            raise


def run_seeds(search: Search, seeds: Sequence[int]) -> Report:
    """Run some seeds in this process."""
    report = Report()
    for seed in seeds:
        try:
            result = search.run(seed)
            _take(report, result)
            if seed % _TWICE == 0:
                report.twice += 1
                again = search.run(seed)
                if again.digest != result.digest:
                    text = f"digests {result.digest[:12]} and {again.digest[:12]}"
                    report.findings.append(Finding(seed, "same_seed_same_trace", text))
        except Exception:  # noqa: BLE001 - a crash of the world is a finding, too
            report.crashes.append((seed, traceback.format_exc()))
    return report


def _take(report: Report, result: Result) -> None:
    report.runs += 1
    report.virtual_s += result.duration_s
    report.requests += result.exchanges
    report.ends[result.run_state] += 1
    report.acted.update({str(entry["what"]) for entry in result.faults})
    report.idle += len(result.idle_faults)
    seen = set()
    for found in result.broken:
        if found.checker not in seen:
            seen.add(found.checker)
            report.findings.append(Finding(result.seed, found.checker, found.text))


def spare_collector() -> None:
    """Keep the garbage collector from looking again and again at what was imported: a tenth of the time."""
    gc.collect()
    gc.freeze()


def _start_worker() -> None:
    """Leave Ctrl-C to the parent; whoever wants to end a worker alone, ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
    spare_collector()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals wait: what their handler raises in the middle of a fork is lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _shape(dags: Path, workflow: str) -> tuple[list[str], dict[str, int]]:
    """Return a workflow's tasks and their caps on cores."""
    dag, _ = load_folder(dags).dags[f"lute_{workflow}"]
    tasks = [task.task_id for task in dag.tasks]
    caps = {task.task_id: task.max_cores for task in dag.tasks if getattr(task, "max_cores", None)}
    return tasks, caps
