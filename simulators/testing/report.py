"""What the report of a failing test says of its world, and what is kept to run it again."""

import io
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from simulators.commands.show import show_result
from simulators.dagrunner.installed import VERSION
from simulators.facility import CONFIG
from simulators.scenario.loader import dump_scenario
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.testing.facility import FacilityHandle
from simulators.testing.runs import Run

_LAST_LINES = 12
_WIDTH = 100


@dataclass(frozen=True)
class _Kept:
    """Files of one run.

    Attributes:
        differs: the run went another way than its scenario alone does.
    """

    scenario: Path
    trace: Path
    result: Result
    differs: bool


def keep_and_tell(facility: FacilityHandle, file: Path, cwd: Path, *, all_runs: bool) -> str:
    """Write scenario and trace of the run that failed; return the section of the report, empty without a run.

    Args:
        file: path of what is written, without its suffix.
        cwd: where the user's shell is.
        all_runs: write those of all runs.
    """
    if not facility.runs:
        return ""
    failed = next((run for run in facility.runs if run.problems), facility.runs[-1])
    told = ""
    for number, run in enumerate(facility.runs, start=1):
        if run is failed or all_runs:
            kept = _keep(run, file if number == 1 else file.with_name(f"{file.name}-{number}"))
            if run is failed:
                told = _section(run, kept, cwd)
    return told


def _keep(run: Run, file: Path) -> _Kept:
    """Write the files of a run. The trace is of its scenario alone: that is what `lute-sim` can repeat."""
    scenario = run.scenario
    if scenario.name == "unnamed":
        scenario = scenario.model_copy(update={"name": file.name})
    seed = run.world.seeds.seed
    again = run_scenario(scenario, seed=seed, dags=run.dags, config=run.config)
    file.parent.mkdir(parents=True, exist_ok=True)
    scenario_file, trace = Path(f"{file}.yaml"), Path(f"{file}.jsonl")
    scenario_file.write_text(dump_scenario(scenario), encoding="utf-8")
    lines = (json.dumps(entry, separators=(",", ":")) + "\n" for entry in again.entries)
    trace.write_text("".join(lines), encoding="utf-8")
    live = run.result
    differs = live is not None and (live.tasks, live.jobs, live.broken) != (
        again.tasks,
        again.jobs,
        again.broken,
    )
    return _Kept(scenario_file, trace, live or again, differs)


def _section(run: Run, kept: _Kept, cwd: Path) -> str:
    scenario, seed = run.scenario, run.world.seeds.seed
    where = [f"--dags {_shown(run.dags, cwd)}"]
    where += [f"--config {_shown(run.config, cwd)}"] if run.config != CONFIG else []
    lines = [f"workflow {scenario.workflow}, seed {seed}, Airflow {VERSION}"]
    if run.is_of_library:
        lines.append(f"scenario {scenario.name} of the library: {scenario.about}")
    else:
        text = dump_scenario(scenario).removeprefix("name: unnamed\n")
        lines += ["scenario:", *(f"  {line}" for line in text.splitlines())]
    if run.setup.base.xfail:
        lines.append(f"production does not survive it yet: {run.setup.base.xfail}")
    lines.append(
        "the run had not ended when the test failed; by its end:" if run.result is None else "how it went:"
    )
    lines += [f"  {line}" for line in _table(kept.result)]
    lines.append("last lines of the launcher:")
    lines += [f"  {line}" for line in kept.result.output.rstrip().splitlines()[-_LAST_LINES:]]
    if kept.differs:
        lines.append("what the test did to the world no scenario can say: the commands below go another way")
    options = " ".join(where)
    lines += [
        "again:",
        f"  lute-sim run {scenario.workflow} {options} --scenario {_shown(kept.scenario, cwd)} --seed {seed}",
        f"  lute-sim replay {_shown(kept.trace, cwd)} {options}",
    ]
    return "\n".join(lines) + "\n"


def _table(result: Result) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=_WIDTH, highlight=False, soft_wrap=True, no_color=True)
    show_result(result, console, expects=False)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def _shown(path: Path, cwd: Path) -> str:
    """Return a path for a shell: short where it lies below the current folder."""
    short = path.relative_to(cwd) if path.is_relative_to(cwd) else path
    return shlex.quote(os.fspath(short))
