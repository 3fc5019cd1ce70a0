"""Whole runs of a workflow in the virtual world: how many in a second of this computer's time."""

import cProfile
import io
import pstats
import time
from pathlib import Path

from simulators.explore.explorer import spare_collector
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario, TaskModel

DAGS = Path(__file__).parent / "dags"


def stack_scenario(job_s: float) -> Scenario:
    """Return ten tasks whose jobs all run for `job_s` seconds."""
    return Scenario(name="bench", workflow="ten_tasks", tasks={"*": (TaskModel(duration_s=job_s),)})


def run_stack(runs: int, job_s: float) -> dict[str, object]:
    """Run the workflow again and again, each time with another seed, launcher and HTTP encoding included."""
    scenario = stack_scenario(job_s)
    results: list[Result] = [_run(scenario, 0)]  # imports and first-time work of Airflow
    spare_collector()
    started_s = time.process_time()
    results = [_run(scenario, seed) for seed in range(1, runs + 1)]
    cpu_s = time.process_time() - started_s
    virtual_s = sum(result.duration_s for result in results)
    requests = sum(result.exchanges for result in results)
    bad = [result for result in results if result.exit_code != 0]
    return {
        "bench": "stack",
        "airflow": results[0].entries[0]["airflow"],
        "tasks": len(results[0].tasks),
        "job_s": job_s,
        "runs": runs,
        "failed": len(bad),
        "runs_per_cpu_s": round(runs / cpu_s, 2),
        "virtual_s_per_run": round(virtual_s / runs, 1),
        "compression": round(virtual_s / cpu_s),
        "requests_per_run": round(requests / runs),
        "cpu_us_per_request": round(cpu_s / requests * 1e6, 1),
    }


def profile_stack(runs: int, job_s: float, rows: int) -> str:
    """Return where the time of such runs goes, by the functions' own time."""
    scenario = stack_scenario(job_s)
    _run(scenario, 0)
    spare_collector()
    profile = cProfile.Profile()
    profile.enable()
    for seed in range(1, runs + 1):
        _run(scenario, seed)
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(rows)
    return text.getvalue()


def _run(scenario: Scenario, seed: int) -> Result:
    return run_scenario(scenario, seed=seed, dags=DAGS)
