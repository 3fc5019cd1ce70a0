"""`lute-sim record`, and what `lute-sim run --recording` calls."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lute.errors import ConfigError, did_you_mean
from lute.settings import environment


class SlurmKind(StrEnum):
    """Which Slurm the stack has."""

    FAKE = "fake"
    REAL = "real"


def record(
    output: Annotated[Path, typer.Option("-o", "--output", dir_okay=False, help="the file of the recording")],
    workflow: Annotated[str, typer.Argument(help="record this workflow in a served stack")] = "",
    config: Annotated[Path, typer.Option(help="the Tasks' configuration")] = Path("config/test.yaml"),
    airflow: Annotated[
        str,
        typer.Option(help="with a workflow: 2 or 3, default the installed one; without: Airflow's address"),
    ] = "",
    slurm: Annotated[
        SlurmKind, typer.Option(help="real: the installed Slurm, as a private cluster")
    ] = SlurmKind.FAKE,
    jid: Annotated[str, typer.Option(help="without a workflow: the JID's address")] = "",
) -> None:
    """Record what a JID and an Airflow are asked and what they answer; tokens and passwords are left out.

    With a workflow: in a served stack, as `lute-sim demo`. Without: two proxies in front of a real site's JID
    and Airflow, until Ctrl-C.
    """
    if workflow:
        if jid or airflow not in ("", "2", "3"):
            raise typer.BadParameter(
                "addresses are for a recording without a workflow", param_hint="--airflow, --jid"
            )
        raise typer.Exit(_record_workflow(output, workflow, config, airflow, slurm is SlurmKind.REAL))
    if not jid and not airflow:
        raise typer.BadParameter("name a workflow, or give --jid URL and --airflow URL")
    for option, url in (("--jid", jid), ("--airflow", airflow)):
        if url and not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"'{url}' is no http address", param_hint=option)
    _record_site(output, jid=jid, airflow=airflow)


def _record_workflow(output: Path, workflow: str, config: Path, airflow: str, real_slurm: bool) -> int:
    from simulators.recording.session import record_workflow
    from simulators.serve.airflow import installed_version
    from simulators.serve.stack import DAGS

    known = sorted(file.stem for file in DAGS.glob("*.py"))
    if workflow not in known:
        raise ConfigError(f"there is no workflow '{workflow}': {did_you_mean(workflow, known)}")
    if not config.is_file():
        raise ConfigError("there is no such configuration file", file=config.absolute())
    return record_workflow(
        output,
        workflow,
        config.absolute(),
        environment(),
        airflow=int(airflow) if airflow else installed_version()[0],
        real_slurm=real_slurm,
        say=_say,
    )


def _record_site(output: Path, *, jid: str, airflow: str) -> None:
    from lute.seams import SystemClock
    from simulators.recording.proxy import proxy
    from simulators.recording.scrub import Scrubber
    from simulators.recording.writer import Recorder

    services = {name: url.rstrip("/") for name, url in (("jid", jid), ("airflow", airflow)) if url}
    recorder = Recorder(output, SystemClock(), Scrubber(), services=services)
    with ExitStack() as parts:
        stopped = parts.enter_context(_stopped_by_signals())
        parts.callback(recorder.close)
        if airflow:
            front = parts.enter_context(proxy("airflow", airflow, recorder))
            _say(f'for the launcher, in the site file: [airflow] url = "{front}"')
        if jid:
            front = parts.enter_context(proxy("jid", jid, recorder))
            connection = f'{{"conn_type": "jid", "host": "{front}"}}'
            _say(f"for the operators, in the environment of Airflow: AIRFLOW_CONN_JID_DEFAULT='{connection}'")
        _say(f"recording into {output}; Ctrl-C ends it")
        stopped.wait()
    _say(f"recorded {recorder.count} exchanges")


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that a signal to end sets; further signals change nothing, so that all is closed."""
    stopped = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in numbers}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    typer.echo(f"lute-sim: {text}", err=True)
