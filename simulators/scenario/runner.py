"""Running a scenario once."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import lute
from simulators.checkers.all import Broken, check
from simulators.checkers.history import read_history
from simulators.checkers.model import Facts
from simulators.facility import CONFIG, WORKFLOWS, Facility
from simulators.kernel.trace import Trace
from simulators.scenario.result import Result
from simulators.scenario.schema import Scenario

TRACE_FORMAT = 1
"""Goes up with every change that makes older traces replay differently."""
_ASKED_WITHIN_S = 60.0
"""So long an operator may need until it has seen its job's end."""
_CHECKED_ELSEWHERE = frozenset(["log", "print", "http"])
"""Events whose texts the checkers look at themselves, or that hold none."""


def run_scenario(
    scenario: Scenario,
    *,
    seed: int = 0,
    dags: Path = WORKFLOWS,
    config: Path = CONFIG,
    write: Callable[[str], object] | None = None,
) -> Result:
    """Run a scenario in a world of its own and check everything.

    Args:
        write: takes the trace's lines.

    Raises:
        ConfigError: there is no such workflow, or its file cannot be imported.
    """
    with Facility(scenario, seed=seed, dags=dags, config=config, trace=Trace(write)) as world:
        begin(world)
        return conclude(world, ended=world.finish())


def begin(world: Facility) -> None:
    """Write the head of a world's trace, and start its scenario."""
    world.trace.note(
        world.start_s,
        "world",
        "header",
        format=TRACE_FORMAT,
        version=lute.__version__,
        airflow=world.airflow.version,
        seed=world.seeds.seed,
        workflow=world.scenario.workflow,
        scenario=world.scenario.to_plain(),
    )
    world.begin()


def broken_so_far(world: Facility) -> list[Broken]:
    """Return what a world that still goes on has broken up to now."""
    return check(read_history(world.trace.entries), _facts(world, world.scenario, ended=True))


def conclude(world: Facility, *, ended: bool) -> Result:
    """Check a world at its end, and tell how it went.

    Args:
        ended: whether everything had ended by the deadline.
    """
    trace, scenario = world.trace, world.scenario
    duration_s = world.agenda.now_s - world.start_s
    history = read_history(trace.entries)
    broken = check(history, _facts(world, scenario, ended))
    for found in broken:
        trace.note(world.agenda.now_s, "checker", "broken", checker=found.checker, text=found.text)
    run = next(iter(world.airflow.state.runs.values()), None)
    tasks = {} if run is None else {record.label: str(record.state) for record in run.tasks.values()}
    run_state = "none" if run is None else str(run.state)
    result = Result(
        workflow=scenario.workflow,
        scenario=scenario.name,
        seed=world.seeds.seed,
        run_state=run_state,
        exit_codes=[launch.exit_code for launch in world.launches],
        tasks=tasks,
        tries={} if run is None else {record.label: record.try_number for record in run.tasks.values()},
        jobs={task: list(ids) for task, ids in world.jobs.by_task.items()},
        output=world.launches[0].output + world.launches[0].errors,
        broken=broken,
        unexpected=[],
        idle_faults=[f"{fault.what} at {fault.where}" for fault in world.plan.idle],
        faults=[dict(entry) for entry in history.faults],
        duration_s=duration_s,
        exchanges=world.network.exchanges,
        ended=ended,
        trace=trace,
    )
    result.unexpected = _unexpected(result, scenario)
    expected = "as expected" if result.is_as_expected else "not as expected"
    trace.note(world.agenda.now_s, "world", "verdict", verdict=run_state, expected=expected)
    return result


def _facts(world: Facility, scenario: Scenario, ended: bool) -> Facts:
    dag = world.airflow.state.dags.get(world.dag_id)
    steps = [task for task in (dag.dag.tasks if dag is not None else ()) if hasattr(task, "managed_task")]
    conf = world.slurm.cluster.conf
    return Facts(
        deadline_s=scenario.deadline_s,
        start_s=world.start_s,
        # Arguments of its own are not capped.
        caps={
            step.task_id: step.max_cores for step in steps if step.max_cores and not step.custom_slurm_params
        },
        steps=frozenset(step.task_id for step in steps),
        partitions=conf.partitions,
        # The signature of a token is in all of it, and enough to be one.
        secrets=tuple(token.rpartition(".")[2] for token in world.secrets),
        texts=dict(_texts(world)),
        forgets_soon=conf.min_job_age_s < _ASKED_WITHIN_S,
        ended=ended,
    )


def _texts(world: Facility) -> Iterator[tuple[str, str]]:
    """Yield what a run leaves where others may read it, each with its name.

    Not its conf, nor the environment of its jobs: they hold the token by contract.
    """
    for run in world.airflow.state.runs.values():
        for record in run.tasks.values():
            for key, value in record.xcoms.items():
                yield f"XCom {key} of {record.label}", value if isinstance(value, str) else repr(value)
    for job in world.slurm.cluster.jobs.values():
        yield f"the request of job {job.id}", repr(dataclasses.replace(job.request, env={}))
    yield from world.slurm.files.items()
    for number, entry in enumerate(world.trace.entries, start=1):
        if entry["event"] not in _CHECKED_ELSEWHERE:
            yield f"line {number} of the trace", repr(entry)


def _unexpected(result: Result, scenario: Scenario) -> list[str]:
    """Say where a run did not end as its scenario expects."""
    wanted = scenario.expect
    found: list[str] = []
    if wanted.run is not None and result.run_state != wanted.run:
        found.append(f"the run is {result.run_state}, expected {wanted.run}")
    for code in result.exit_codes:
        ended_with = "killed" if code is None else code
        if wanted.exit_code is not None and ended_with != wanted.exit_code:
            found.append(f"the launcher's exit code is {ended_with}, expected {wanted.exit_code}")
    for label, state in wanted.tasks.items():
        if result.tasks.get(label) != state:
            found.append(f"{label} is {result.tasks.get(label)}, expected {state}")
    for label, count in wanted.jobs.items():
        if len(result.jobs.get(label, [])) != count:
            found.append(f"{label} had {len(result.jobs.get(label, []))} Slurm jobs, expected {count}")
    found += [f"the launcher never said '{text}'" for text in wanted.says if text not in result.output]
    if scenario.faults and not any(found):
        found += [f"the fault {name} never acted" for name in result.idle_faults]
    return found


__all__ = ["Broken", "begin", "broken_so_far", "conclude", "run_scenario"]
