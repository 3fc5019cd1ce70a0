"""Playing a recording: the present launcher and operators against the recorded JID and Airflow."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lute
from lute.airflow_api.models import RunState
from lute.errors import ConfigError
from lute.redact import redact
from simulators import environ
from simulators.facility import CONFIG, WORKFLOWS, Facility
from simulators.kernel.trace import Trace
from simulators.recording.divergence import Divergence
from simulators.recording.model import Exchange
from simulators.recording.names import conf_names
from simulators.recording.outcome import PlayResult, end_divergences, masked_output
from simulators.recording.reader import Recording, load_recording
from simulators.recording.recorded_airflow import RecordedAirflow, dag_id_of, run_state, triggers
from simulators.recording.recorded_jid import RecordedJid
from simulators.recording.stage import Stage
from simulators.scenario.schema import Scenario

_SHORTEST_DEADLINE_S = 6 * 3600.0
_SETTLE_S = 30.0


def play(
    recording: Path,
    *,
    workflow: str | None = None,
    seed: int = 0,
    dags: Path = WORKFLOWS,
    config: Path = CONFIG,
    write: Callable[[str], object] | None = None,
) -> PlayResult:
    """Run the workflow of a recording in a world of its own, with the recorded JID and Airflow around it.

    The launcher asks the recorded Airflow. The operators run in the simulated one and ask the recorded JID.
    So there are two plays in one world: what the operators do does not change what the launcher is told.

    Args:
        recording: the file.
        workflow: the workflow that it must be of; None for any.
        write: takes the trace's lines.

    Raises:
        ConfigError: it is no whole recording of one run of this workflow, or there is no such workflow.
    """
    found = load_recording(recording)
    start = _only_start(found)
    name = dag_id_of(start).removeprefix("lute_")
    if workflow not in (None, name):
        raise ConfigError(
            f"is a recording of workflow '{name}', not of '{workflow}'", file=recording, line=start.line
        )
    conf: dict[str, Any] = start.asked["conf"]
    slurm_args = found.header.slurm_args
    span_s = found.exchanges[-1].replied_s
    scenario = Scenario(
        name=recording.name,
        workflow=name,
        slurm_args=tuple(conf.get("slurm_params") or ()) if slurm_args is None else slurm_args,
        deadline_s=max(_SHORTEST_DEADLINE_S, 2 * span_s),
    )
    trace = Trace(write)
    with ExitStack() as parts:
        world = parts.enter_context(Facility(scenario, seed=seed, dags=dags, config=config, trace=trace))
        parts.enter_context(environ.changed({"LOGNAME": str(conf.get("user"))}))
        stage, services = _stage(world, found, start)
        trace.note(
            world.start_s,
            "world",
            "header",
            version=lute.__version__,
            airflow=world.airflow.version,
            seed=seed,
            workflow=name,
            recording=recording.name,
        )
        world.launch_env = _launch_env(conf)
        params = conf.get("lute_params")
        world.launch(*(["--debug"] if isinstance(params, dict) and params.get("debug") else []))
        ended = _run(world, stage)
        return _result(world, found, stage, services, ended)


def _stage(
    world: Facility, found: Recording, start: Exchange
) -> tuple[Stage, tuple[RecordedJid, RecordedAirflow]]:
    """Put the recorded services on the network instead of the simulated ones."""
    stage = Stage(lambda: world.agenda.now_s)
    for word, name in conf_names(start.asked).items():
        stage.names.recorded(word, name)

    def begin(dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        stage.names.pair(start.asked["conf"].get("run_id"), conf.get("run_id"))
        world.airflow.trigger(dag_id, run_id, conf, "lute")

    def fail() -> None:
        for run in world.airflow.state.runs.values():
            world.airflow.set_run_state(run, RunState.FAILED)

    jid = RecordedJid(found, stage)
    airflow = RecordedAirflow(found, stage, start=begin, fail=fail)
    world.network.serve("jid.virtual:8446", jid)
    world.network.serve("airflow.virtual:8080", airflow)
    world.network.meddler = stage
    return stage, (jid, airflow)


def _run(world: Facility, stage: Stage) -> bool:
    """Let time pass until all has ended, or the run leaves the recording; return whether all has ended."""
    agenda = world.agenda
    deadline_s = world.start_s + world.scenario.deadline_s
    settled_s = None
    while not stage.divergences:
        if world.is_over and settled_s is None:
            settled_s = agenda.now_s + _SETTLE_S  # whatever still asks for something then asks too much
        next_s = agenda.next_time_s
        if settled_s is not None and (next_s is None or next_s > settled_s):
            return True
        if next_s is None or next_s > deadline_s:
            return False
        agenda.step()
    return False


def _result(
    world: Facility,
    found: Recording,
    stage: Stage,
    services: tuple[RecordedJid, RecordedAirflow],
    ended: bool,
) -> PlayResult:
    run = next(iter(world.airflow.state.runs.values()), None)
    (launch,) = world.launches
    told, tasks_from = _recorded_tasks(found)
    launcher = found.end.launcher
    result = PlayResult(
        recording=found.file,
        workflow=world.scenario.workflow,
        seed=world.seeds.seed,
        run_state="none" if run is None else str(run.state),
        launcher=launch.exit_code,
        tasks={} if run is None else {record.label: str(record.state) for record in run.tasks.values()},
        recorded_tasks=told,
        output=masked_output(launch.output + launch.errors, stage.names.of_present),
        recorded_output=None if launcher is None else masked_output(launcher.output, stage.names.of_recorded),
        divergences=list(stage.divergences),
        duration_s=world.agenda.now_s - world.start_s,
        exchanges=world.network.exchanges,
        ended=ended,
        digest="",
        entries=world.trace.entries,
    )
    if not stage.divergences:
        result.divergences += [left for service in services for left in service.ledger.unasked()]
    if launch.actor.error is not None:
        what = f"the launcher died of {type(launch.actor.error).__name__}: {redact(str(launch.actor.error))}"
        result.divergences.append(Divergence(found.file, None, what))
    if ended:
        result.divergences += end_divergences(result, found.end, tasks_from=tasks_from)
    verdict = "as expected" if not result.divergences else "not as expected"
    world.trace.note(world.agenda.now_s, "world", "verdict", verdict=result.run_state, expected=verdict)
    result.digest = world.trace.digest
    return result


def _only_start(found: Recording) -> Exchange:
    """Return the exchange that starts the DAG run."""
    starts = [trigger for trigger in triggers(found) if conf_names(trigger.asked).get("run")]
    if not starts:
        raise ConfigError(
            "holds no start of a DAG run: record Airflow, from before the launch", file=found.file
        )
    runs = {trigger.asked["dag_run_id"]: trigger for trigger in starts}
    if len(runs) > 1:
        line = list(runs.values())[1].line
        raise ConfigError(f"holds {len(runs)} DAG runs, one can be played", file=found.file, line=line)
    return starts[0]


def _launch_env(conf: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment from which the launcher makes the recorded conf again."""
    values = {
        "EXPERIMENT": conf.get("experiment"),
        "RUN_NUM": str(conf.get("run_id") or "").partition("_")[0],
        "ARP_JOB_ID": conf.get("ARP_ROOT_JOB_ID"),
        "ARP_LOCATION": conf.get("ARP_LOCATION"),
        "JID_UPDATE_COUNTERS": conf.get("JID_UPDATE_COUNTERS"),
        "KRB5CCNAME": conf.get("kerb_file"),
    }
    env = {name: str(value or "") for name, value in values.items()}
    if not env["KRB5CCNAME"]:
        del env["KRB5CCNAME"]  # set to nothing is not the same as not set
    return env


def _recorded_tasks(found: Recording) -> tuple[dict[str, str], Divergence]:
    """Return what Airflow told of the tasks at last, if it told of the run's end, and where."""
    polls = [poll for poll in found.of("airflow") if "/taskInstances?" in poll.path and poll.status == 200]
    ends = [poll for poll in found.of("airflow") if run_state(poll) in ("success", "failed")]
    told: dict[str, str] = {}
    line = None
    for poll in polls:
        if ends and poll.sent_s >= ends[0].sent_s and isinstance(poll.answered, dict):
            line = poll.line
            for task in poll.answered.get("task_instances", ()):
                index = task.get("map_index", -1)
                label = task["task_id"] if index < 0 else f"{task['task_id']}[{index}]"
                told[label] = str(task["state"] or "none")
    return told, Divergence(found.file, line, "")
