"""scancel."""

import re
import signal

from lute.slurm.getopt import Option, Takes
from lute.slurm.states import SlurmState
from simulators.slurm.commands.exchange import (
    Context,
    RefusalError,
    Reply,
    Request,
    accepted_options,
    not_simulated,
)
from simulators.slurm.commands.ids import JobId, find_jobs, parse_id
from simulators.slurm.controller import AlreadyEndedError, UnknownJobError
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster

_VALUE = Takes.VALUE
OPTIONS: tuple[Option, ...] = (
    Option("account", "A", _VALUE, env="SCANCEL_ACCOUNT"),
    Option("batch", "b"),
    Option("ctld"),
    Option("cluster", "", _VALUE, alias_of="clusters"),
    Option("clusters", "M", _VALUE),
    Option("full", "f"),
    Option("help"),
    Option("hurry", "H"),
    Option("interactive", "i"),
    Option("me"),
    Option("name", "n", _VALUE, env="SCANCEL_NAME"),
    Option("nodelist", "w", _VALUE),
    Option("partition", "p", _VALUE, env="SCANCEL_PARTITION"),
    Option("qos", "q", _VALUE, env="SCANCEL_QOS"),
    Option("quiet", "Q"),
    Option("reservation", "R", _VALUE),
    Option("sibling", "", _VALUE),
    Option("signal", "s", _VALUE),
    Option("state", "t", _VALUE, env="SCANCEL_STATE"),
    Option("usage"),
    Option("user", "u", _VALUE, env="SCANCEL_USER"),
    Option("verbose", "v"),
    Option("version", "V"),
    Option("wckey", "", _VALUE),
)
_FILTERS = frozenset(["account", "me", "name", "partition", "qos", "state", "user"])
_OBEYED = _FILTERS | frozenset(["batch", "full", "help", "quiet", "signal", "usage", "verbose", "version"])
_HARMLESS = frozenset(["ctld", "hurry"])
_STATES = {"PENDING": "PD", "RUNNING": "R", "SUSPENDED": "S"}


def run(request: Request, context: Context) -> Reply:
    """End or signal jobs; an unknown or finished job is no error (measured)."""
    options, operands = accepted_options(
        request, request.argv[1:], OPTIONS, _OBEYED | _HARMLESS, "[OPTIONS] [job_id[_array_id][.step_id]]"
    )
    number = _signal_number(options["signal"]) if "signal" in options else None
    ids = _job_ids(operands)
    if not ids and not options.keys() & _FILTERS:
        raise RefusalError(1, "scancel: error: No job identification provided\n")
    cluster = context.controller.cluster
    if options.keys() & _FILTERS:
        chosen = [job for job in cluster.jobs.values() if _matches(job, options, context)]
        named = {job.id for wanted in ids for job in _found(cluster, wanted)}
        said = [_end(context, job.id, number, options) for job in chosen if not ids or job.id in named]
    else:
        said = [_end_named(context, wanted, number, options) for wanted in ids]
    return Reply(0, "", "".join(said) if "verbose" in options else "")


def _found(cluster: Cluster, wanted: JobId) -> list[Job]:
    try:
        return find_jobs(cluster, wanted)
    except UnknownJobError:
        return []


def _end_named(context: Context, wanted: JobId, number: int | None, options: dict[str, str]) -> str:
    """End what an id stands for; one task of an array that waits gets a record of its own first."""
    controller = context.controller
    jobs = _found(controller.cluster, wanted)
    if not jobs:
        return (
            f"scancel: Terminating job {wanted}\n"
            f"scancel: error: Kill job error on job id {wanted}: Invalid job id specified\n"
        )
    if wanted.task is not None and jobs[0].array and wanted.task in jobs[0].array.waiting:
        jobs = [controller.split_task(jobs[0], wanted.task)]
    active = [job for job in jobs if not job.state.is_final] or jobs
    return "".join(_end(context, job.id, number, options) for job in active)


def _end(context: Context, job_id: int, number: int | None, options: dict[str, str]) -> str:
    """End or signal one job; return what `-v` says."""
    controller = context.controller
    try:
        if number is None or (number == signal.SIGKILL and not options.keys() & {"batch", "full"}):
            controller.cancel(job_id, context.person.uid)
        elif options.keys() & {"batch", "full"}:
            controller.send(job_id, number, script_only="full" not in options)
        else:
            controller.job(job_id)  # manual page: only the job's steps get it, and there are none here
    except UnknownJobError:
        return f"scancel: error: Kill job error on job id {job_id}: Invalid job id specified\n"
    except AlreadyEndedError:
        return (
            f"scancel: Terminating job {job_id}\n"
            f"scancel: error: Kill job error on job id {job_id}: Job/step already completing or completed\n"
        )
    return f"scancel: Terminating job {job_id}\n"


def _job_ids(operands: list[str]) -> list[JobId]:
    ids = []
    for operand in operands:
        for word in operand.split(","):
            if re.fullmatch(r"[0-9]+(_[0-9]+)?\.[0-9]+|[0-9]+_\[.*", word, re.ASCII):
                raise not_simulated("scancel", word)
            wanted = parse_id(word)
            if wanted is None:
                raise RefusalError(1, f"scancel: error: Invalid job id {word}\n")
            ids.append(wanted)
    return ids


def _signal_number(text: str) -> int:
    if re.fullmatch("[0-9]{1,2}", text):
        return int(text)
    name = text.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{name}"]
    except KeyError:
        raise RefusalError(1, f"Unknown job signal: {text}\n") from None


def _matches(job: Job, options: dict[str, str], context: Context) -> bool:
    if job.state.is_final:
        return False
    person = job.request.person
    if "me" in options and person.uid != context.person.uid:
        return False
    if "user" in options:
        user = options["user"]
        if not user.isdigit() and user != context.person.user:
            raise RefusalError(1, f"scancel: error: Invalid user name: {user}\n")
        if user not in (person.user, str(person.uid)):
            return False
    if "state" in options:
        word = options["state"].upper()
        if word not in _STATES and word not in _STATES.values():
            raise RefusalError(
                1,
                f"Invalid job state specified: {options['state']}\n"
                "Valid job states are PENDING, RUNNING, and SUSPENDED\n",
            )
        state = SlurmState.RUNNING if job.state is SlurmState.COMPLETING else job.state
        if word not in (state.value, _STATES.get(state.value)):
            return False
    values = {
        "account": job.request.account,
        "name": job.request.name,
        "partition": job.partition,
        "qos": job.request.qos,
    }
    return all(options[name] == value for name, value in values.items() if name in options)
