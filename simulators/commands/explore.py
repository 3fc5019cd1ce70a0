"""`lute-sim explore`."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from lute.errors import ConfigError, did_you_mean
from simulators.commands.run import CONFIG, DAGS, JSON

T = TypeVar("T")


def explore(
    workflow: Annotated[str, typer.Argument(help="a workflow of the DAGs folder")],
    seeds: Annotated[str, typer.Option(help="A:B, from seed A to before seed B")] = "0:200",
    out: Annotated[Path | None, typer.Option(file_okay=False, help="where failing cases are kept")] = None,
    faults: Annotated[str, typer.Option(help="only these kinds of trouble, with commas between")] = "",
    all_faults: Annotated[
        bool, typer.Option("--all", help="also what production is known not to survive yet")
    ] = False,
    config: CONFIG = None,
    dags: DAGS = None,
    workers: Annotated[int, typer.Option(min=0, help="processes; 0 for one per core")] = 0,
    as_json: JSON = False,
) -> None:
    """Run a workflow with many seeds: each draws what goes wrong, and what breaks an invariant is shrunk.

    Exit code 0: nothing was broken; 2: usage; 3: something was. Ctrl-C prints what was done so far.
    """
    from simulators import facility
    from simulators.explore.explorer import Report, Search, survivable
    from simulators.explore.explorer import explore as search_seeds
    from simulators.faults.swarm import EARLY_PURGE, MAKERS

    known = (*MAKERS, EARLY_PURGE)
    wanted = [name for name in faults.split(",") if name]
    for name in wanted:
        if name not in known:
            raise ConfigError(f"unknown kind of trouble '{name}': {did_you_mean(name, known)}")
    kinds = tuple(wanted) or (known if all_faults else survivable())
    search = Search(
        workflow.removeprefix("lute_"), kinds, dags or facility.WORKFLOWS, config or facility.CONFIG
    )
    search.check()
    chosen = _seeds(seeds)
    report = Report()
    cases: list[dict[str, Any]] = []
    with _progress(len(chosen), shown=not as_json) as tell:

        def take(part: Report) -> None:
            report.add(part)
            tell(report)

        stopped = not _take_all(search_seeds(search, chosen, workers=workers or None), take)
    where = [*(["--dags", str(dags)] if dags else []), *(["--config", str(config)] if config else [])]
    which = ["--faults", faults] if wanted else ["--all"] if all_faults else []
    stopped = stopped or not _take_all(_shrunk(search, report, out, where, which), cases.append)
    if as_json:
        typer.echo(json.dumps(report.to_plain() | {"stopped": stopped, "shrunk": cases}))
    else:
        _print(report, cases, len(chosen), stopped=stopped)
    if stopped:
        raise typer.Exit(130)
    raise typer.Exit(3 if report.findings or report.crashes else 0)


def _seeds(text: str) -> range:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if not found or int(found[1]) >= int(found[2]):
        raise typer.BadParameter("A:B with A less than B", param_hint="--seeds")
    return range(int(found[1]), int(found[2]))


def _take_all(items: Iterable[T], take: Callable[[T], object]) -> bool:
    """Take one item after the other; return False if a signal put an end to that."""
    from simulators.stop import Stop

    try:
        for item in items:
            take(item)
    except (Stop, KeyboardInterrupt):
        return False
    return True


def _progress(total: int, *, shown: bool) -> Any:
    """Return a context that shows how far it is; it gives a function to call with the report so far."""
    import contextlib

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    @contextlib.contextmanager
    def shower() -> Any:
        console = Console(stderr=True)
        if not shown or not console.is_terminal:
            yield lambda _report: None
            return
        columns = (
            "seeds",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}"),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total, said="")
            yield lambda report: bar.update(
                task, completed=report.runs, said=f"{len(report.findings)} broken"
            )

    return shower()


def _shrunk(
    search: Any, report: Any, out: Path | None, options: list[str], kinds: list[str]
) -> Iterator[dict[str, Any]]:
    """Shrink the first finding of each checker, keep it, and yield what to tell."""
    from simulators.explore.cases import keep_case
    from simulators.explore.shrink import runner, shrink

    for checker in dict.fromkeys(finding.checker for finding in report.findings):
        first = next(finding for finding in report.findings if finding.checker == checker)
        if checker == "same_seed_same_trace":
            continue
        small = shrink(search.scenario(first.seed), first.seed, checker, runner(search.dags, search.config))
        yield keep_case(small, checker, out, options, kinds)


def _print(report: Any, cases: list[dict[str, Any]], wanted: int, *, stopped: bool) -> None:
    if stopped:
        typer.echo(f"stopped after {report.runs} of {wanted} seeds")
    ends = ", ".join(f"{count} {state}" for state, count in sorted(report.ends.items()))
    typer.echo(
        f"{report.runs} seeds ({report.twice} run twice), {report.virtual_s / 3600:.0f} h of virtual time,"
        f" {report.requests} requests; runs: {ends}"
    )
    acted = ", ".join(f"{kind} {count}" for kind, count in report.acted.most_common())
    typer.echo(f"faults that acted, in so many runs: {acted or 'none'}; {report.idle} never got to act")
    for seed, text in report.crashes:
        typer.echo(f"seed {seed} crashed the world:\n{text}", err=True)
    for checker in dict.fromkeys(finding.checker for finding in report.findings):
        found = [finding for finding in report.findings if finding.checker == checker]
        typer.echo(f"BROKEN {checker} in {len(found)} runs; first: seed {found[0].seed}: {found[0].text}")
        for case in cases:
            if case["checker"] == checker:
                typer.echo(f"  shrunk in {case['runs']} runs to {len(case['faults'])} faults:")
                for fault in case["faults"]:
                    typer.echo(f"    {fault}")
                typer.echo(f"  {case['text']}")
                typer.echo(f"  again: {case['again']}")
    if not report.findings and not report.crashes:
        typer.echo("nothing was broken")
