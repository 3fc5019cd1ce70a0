"""`lute-sim run` and `lute-sim replay`."""

import json
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from lute.errors import ConfigError

WORKFLOW = Annotated[str, typer.Argument(help="a workflow of the DAGs folder; default: the scenario's")]
CONFIG = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="the Tasks' configuration")]
DAGS = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="folder of DAG files; default: workflows/airflow"),
]
JSON = Annotated[bool, typer.Option("--json", help="print one JSON object")]


def run(
    workflow: WORKFLOW = "",
    config: CONFIG = None,
    workflow_file: Annotated[
        Path | None,
        typer.Option("-W", exists=True, dir_okay=False, help="a workflow of your own, in a YAML file"),
    ] = None,
    scenario: Annotated[
        str, typer.Option(help="a scenario of the library, a file, or swarm-N for what seed N draws")
    ] = "",
    seed: Annotated[int, typer.Option(help="of all that is drawn by chance")] = 0,
    dags: DAGS = None,
    trace: Annotated[Path | None, typer.Option(help="write what happened, as JSON lines")] = None,
    timeline: Annotated[Path | None, typer.Option(help="write a page that shows it")] = None,
    recording: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="play this recording as the outside world"),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Run a workflow in the virtual world: the production launcher and operators, in milliseconds.

    Exit code 0: the workflow succeeded; 1: it failed; 2: usage; 3: an invariant was broken; 4: no verdict
    in time; 5: a recording went another way.
    """
    from simulators import facility
    from simulators.scenario.runner import run_scenario

    if recording is not None:
        if scenario:
            raise typer.BadParameter(
                "a recording is the world: it takes no scenario", param_hint="--scenario"
            )
        _play(recording, workflow, seed, dags, config, trace, timeline, as_json=as_json)
    folder, tasks_config = dags or facility.WORKFLOWS, config or facility.CONFIG
    chosen = _scenario(scenario, "" if workflow_file else workflow, folder)
    if workflow_file is not None:
        chosen = _of_user(chosen, workflow_file)
    lines: list[str] = []
    result = run_scenario(chosen, seed=seed, dags=folder, config=tasks_config, write=lines.append)
    if trace is not None:
        _write(trace, "".join(lines))
    if timeline is not None:
        words = ["lute-sim", "run", result.workflow, "--seed", str(seed)]
        words = ["lute-sim", "run", "-W", str(workflow_file), *words[3:]] if workflow_file else words
        words += ["--scenario", scenario] if scenario else []
        words += ["--dags", str(dags)] if dags else []
        _write_page(timeline, result.entries, shlex.join(words))
    _print(result, as_json=as_json, expects=bool(chosen.expect.model_fields_set))
    raise typer.Exit(int(result.exit_code))


def replay(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="a trace, or a saved failing case")
    ],
    dags: DAGS = None,
    config: CONFIG = None,
    timeline: Annotated[Path | None, typer.Option(help="write a page that shows it")] = None,
    as_json: JSON = False,
) -> None:
    """Run once more what a trace records: the same digest and verdict, or exit code 5."""
    from simulators import facility
    from simulators.scenario.replay import replay as replay_trace
    from simulators.scenario.result import ExitCode

    done = replay_trace(file, dags=dags or facility.WORKFLOWS, config=config or facility.CONFIG)
    if timeline is not None:
        _write_page(timeline, done.result.entries, shlex.join(["lute-sim", "replay", str(file)]))
    found = done.difference
    if as_json:
        plain = done.result.to_plain() | {"same": found is None}
        typer.echo(json.dumps(plain if found is None else plain | {"difference": vars(found)}))
    else:
        _print(done.result, as_json=False, expects=False)
        if found is None:
            typer.echo("the same as recorded, line by line")
        else:
            typer.echo(f"{file}:{found.line}: the replay went another way", err=True)
            typer.echo(f"  recorded: {found.recorded or '(the end)'}", err=True)
            typer.echo(f"  replayed: {found.replayed or '(the end)'}", err=True)
    raise typer.Exit(int(ExitCode.DIFFERENT if found else done.result.exit_code))


def _play(
    recording: Path,
    workflow: str,
    seed: int,
    dags: Path | None,
    config: Path | None,
    trace: Path | None,
    timeline: Path | None,
    *,
    as_json: bool,
) -> NoReturn:
    """Run against what was recorded of the outside world."""
    from simulators import facility
    from simulators.recording.play import play

    lines: list[str] = []
    played = play(
        recording,
        workflow=workflow or None,
        seed=seed,
        dags=dags or facility.WORKFLOWS,
        config=config or facility.CONFIG,
        write=lines.append,
    )
    if trace is not None:
        _write(trace, "".join(lines))
    if timeline is not None:
        again = shlex.join(["lute-sim", "run", "--recording", str(recording), "--seed", str(seed)])
        _write_page(timeline, played.entries, again)
    typer.echo(json.dumps(played.to_plain()) if as_json else played.report())
    raise typer.Exit(int(played.exit_code))


def _scenario(name: str, workflow: str, folder: Path) -> Any:
    """Return the scenario that the command line means."""
    from simulators.dagrunner.installed import VERSION
    from simulators.dagrunner.load import load_folder
    from simulators.explore.explorer import Search, survivable
    from simulators.scenario.loader import check_tasks, find_scenario, scenario_file
    from simulators.scenario.schema import Scenario
    from simulators.scenario.transplant import transplanted

    if swarm := re.fullmatch(r"swarm-(\d+)", name):
        return Search(workflow or "test", survivable(), dags=folder).scenario(int(swarm[1]))
    if not name:
        return Scenario(name="none", workflow=workflow or "test")
    chosen = find_scenario(name)
    if chosen.airflow and not VERSION.startswith(f"{chosen.airflow}."):
        raise ConfigError(
            f"scenario {chosen.name} is for Airflow {chosen.airflow}, installed is {VERSION}",
            next_step="run it in an environment with that version",
        )
    wanted = workflow.removeprefix("lute_") or chosen.workflow
    found = load_folder(folder).dags.get(f"lute_{wanted}")
    if found is None:
        return chosen.model_copy(update={"workflow": wanted})
    if wanted != chosen.workflow:
        return transplanted(chosen, wanted, list(found[0].task_ids))
    check_tasks(chosen, found[0].task_ids, scenario_file(name))
    return chosen


def _of_user(scenario: Any, file: Path) -> Any:
    """Return a scenario with a workflow of the user's own, once that is found good."""
    from lute.launch.arguments import RUN_TIME
    from lute.launch.workflow_file import read_workflow

    read_workflow(file, scenario.slurm_args)
    own = {"workflow": RUN_TIME, "user_workflow": file.read_text(encoding="utf-8-sig")}
    return scenario.model_copy(update=own)


def _print(result: Any, *, as_json: bool, expects: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.to_plain()))
        return
    from rich.console import Console

    from simulators.commands.show import show_result

    typer.echo(result.output.rstrip())
    show_result(result, Console(highlight=False, soft_wrap=True), expects=expects)


def _write_page(file: Path, entries: list[dict[str, Any]], again: str) -> None:
    """Write the page that shows a run, with the command that runs it again."""
    from simulators.timeline.page import timeline_page

    _write(file, timeline_page([entries[0] | {"replay": again}, *entries[1:]]))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=file) from error
