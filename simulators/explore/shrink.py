"""Finding the fewest faults that still break the same invariant."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario


@dataclass(frozen=True)
class Shrunk:
    """A failing case made small.

    Attributes:
        runs: how many runs it took.
    """

    scenario: Scenario
    seed: int
    result: Result
    runs: int


def shrink(
    scenario: Scenario,
    seed: int,
    checker: str,
    run: Callable[[Scenario, int], Result],
    *,
    most_runs: int = 200,
) -> Shrunk:
    """Leave out faults, then whatever else is special, as long as `checker` still finds something.

    Halves of the faults are tried first, then single ones as long as any can go (delta debugging), then the
    plain Slurm arguments, cluster, jobs and retries.

    Args:
        run: runs a scenario with a seed; one that crashes is no smaller case.
        most_runs: at most so many runs.
    """
    runs = 1
    best = scenario
    best_result = run(scenario, seed)

    def still_fails(candidate: Scenario) -> bool:
        nonlocal runs, best, best_result
        if runs >= most_runs:
            return False
        runs += 1
        try:
            result = run(candidate, seed)
        except Exception:  # noqa: BLE001 - a crash of the world is another case
            return False
        if any(found.checker == checker for found in result.broken):
            best, best_result = candidate, result
            return True
        return False

    size = len(best.faults)
    while size >= 1:
        count, position = len(best.faults), 0
        while position < len(best.faults):
            kept = best.faults[:position] + best.faults[position + size :]
            if not still_fails(best.with_faults(kept)):
                position += size
        if size > 1 or len(best.faults) == count:
            size //= 2
    plain = Scenario()
    for field in ("slurm_args", "cluster", "retries", "retry_delay_s", "launches"):
        if getattr(best, field) != getattr(plain, field):
            still_fails(best.model_copy(update={field: getattr(plain, field)}))
    for task in list(best.tasks):
        fewer = {name: models for name, models in best.tasks.items() if name != task}
        still_fails(best.model_copy(update={"tasks": fewer}))
    return Shrunk(best, seed, best_result, runs)


def runner(dags: Path, config: Path) -> Callable[[Scenario, int], Result]:
    """Return what runs a scenario with a seed."""
    return lambda scenario, seed: run_scenario(scenario, seed=seed, dags=dags, config=config)
