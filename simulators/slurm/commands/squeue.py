"""squeue."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from lute.slurm.getopt import Option, Takes
from lute.slurm.states import SlurmState
from simulators.slurm.commands.exchange import (
    Context,
    RefusalError,
    Reply,
    Request,
    accepted_options,
    node_names,
    not_simulated,
)
from simulators.slurm.commands.fields import (
    JOB_FIELDS,
    SHORT_STATES,
    Column,
    View,
    parse_format,
    table_line,
)
from simulators.slurm.commands.ids import JobId, find_jobs, parse_id
from simulators.slurm.commands.jobs_json import jobs_document
from simulators.slurm.controller import UnknownJobError
from simulators.slurm.job import ArrayPlace, Job
from simulators.slurm.times import zone_of

DEFAULT_FORMAT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
LONG_FORMAT = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"

_VALUE = Takes.VALUE
OPTIONS: tuple[Option, ...] = (
    Option("accounts", "A", _VALUE, env="SQUEUE_ACCOUNT"),
    Option("all", "a"),
    Option("array", "r", env="SQUEUE_ARRAY"),
    Option("array-unique"),
    Option("format", "o", _VALUE),
    Option("Format", "O", _VALUE),
    Option("federation"),
    Option("help"),
    Option("hide"),
    Option("iterate", "i", _VALUE),
    Option("jobs", "j", Takes.MAYBE),
    Option("json"),
    Option("local"),
    Option("long", "l"),
    Option("licenses", "L", _VALUE),
    Option("clusters", "M", _VALUE),
    Option("me"),
    Option("name", "n", _VALUE, env="SQUEUE_NAMES"),
    Option("noconvert"),
    Option("node", "", _VALUE, alias_of="nodelist"),
    Option("nodes", "", _VALUE, alias_of="nodelist"),
    Option("nodelist", "w", _VALUE),
    Option("noheader", "h"),
    Option("partitions", "p", _VALUE, env="SQUEUE_PARTITION"),
    Option("priority", "P"),
    Option("qos", "q", _VALUE, env="SQUEUE_QOS"),
    Option("reservation", "R", _VALUE),
    Option("sib"),
    Option("sort", "S", _VALUE, env="SQUEUE_SORT"),
    Option("start"),
    Option("steps", "s", Takes.MAYBE),
    Option("states", "t", _VALUE, env="SQUEUE_STATES"),
    Option("usage"),
    Option("user", "u", _VALUE, env="SQUEUE_USERS"),
    Option("users", "", _VALUE, alias_of="user"),
    Option("verbose", "v"),
    Option("version", "V"),
    Option("yaml"),
)

_OBEYED = frozenset(
    [
        "accounts",
        "array",
        "format",
        "help",
        "jobs",
        "json",
        "long",
        "me",
        "name",
        "nodelist",
        "noheader",
        "partitions",
        "qos",
        "sort",
        "start",
        "states",
        "usage",
        "user",
        "version",
    ]
)
_HARMLESS = frozenset(["all", "hide", "local", "noconvert", "verbose"])
_STATE_NAMES = (
    "PENDING,RUNNING,SUSPENDED,COMPLETED,CANCELLED,FAILED,TIMEOUT,NODE_FAIL,PREEMPTED,BOOT_FAIL,DEADLINE,"
    "OUT_OF_MEMORY,COMPLETING,CONFIGURING,RESIZING,RESV_DEL_HOLD,REQUEUED,REQUEUE_FED,REQUEUE_HOLD,REVOKED,"
    "SIGNALING,SPECIAL_EXIT,STAGE_OUT,STOPPED"
)
_STATE_ORDER = {name: number for number, name in enumerate(_STATE_NAMES.split(","))}
"""Default sorting puts pending jobs before running ones (manual page: by partition, state, priority)."""


def run(request: Request, context: Context) -> Reply:
    """List jobs."""
    tokens = _join_job_list(request.argv[1:])
    options, _ = accepted_options(request, tokens, OPTIONS, _OBEYED | _HARMLESS, "[OPTIONS]")
    cluster = context.controller.cluster
    view = View(cluster, context.controller.now_s, zone_of(request.env), context.host)
    if "json" in options:  # measured: all filters are ignored
        return Reply(0, jobs_document(view))
    jobs, warning = _selected(options, context, list(cluster.jobs.values()))
    if "array" in options:
        jobs = [one for job in jobs for one in _one_by_one(job)]
    jobs = _sorted(jobs, options.get("sort", "P,t,-p"))
    columns = parse_format(_form(options, request.env))
    for column in columns:
        if column.letter and column.letter not in JOB_FIELDS:
            raise not_simulated("squeue", f"--format=%{column.letter}")
    if any(column.letter in ("S", "e") for column in columns):
        context.controller.life.plan()
    lines = [] if "noheader" in options else [_header(columns, long="long" in options)]
    if "long" in options and "noheader" not in options:
        now = datetime.fromtimestamp(view.now_s).astimezone(view.zone)
        lines.insert(0, now.strftime("%a %b %d %H:%M:%S %Y"))
    pieces = [
        (JOB_FIELDS[column.letter][1] if column.letter else _nothing, column.render) for column in columns
    ]
    lines += ["".join([render(value(job, view)) for value, render in pieces]) for job in jobs]
    return Reply(0, "".join(f"{line}\n" for line in lines), warning)


def _nothing(_job: Job, _view: View) -> str:
    return ""


def _form(options: Mapping[str, str], env: Mapping[str, str]) -> str:
    if "format" in options:
        return options["format"]
    if "start" in options:
        raise not_simulated("squeue", "--start without --format; use --format with %S")
    return LONG_FORMAT if "long" in options else env.get("SQUEUE_FORMAT", DEFAULT_FORMAT)


def _one_by_one(job: Job) -> list[Job]:
    """Return a record for each task that waits, as `-r` shows them."""
    array = job.array
    if array is None or not array.waiting:
        return [job]
    return [replace(job, array=ArrayPlace(array.job_id, task)) for task in array.waiting]


def _header(columns: Sequence[Column], *, long: bool) -> str:
    names = {letter: header for letter, (header, _) in JOB_FIELDS.items()}
    if long:
        names["l"] = "TIME_LIMI"
    return table_line(columns, lambda letter: names[letter])


def _join_job_list(tokens: Sequence[str]) -> list[str]:
    """Attach the list of `-j LIST`: getopt calls it optional, but squeue takes the next word too."""
    joined: list[str] = []
    for token in tokens:
        if joined and joined[-1] in ("-j", "--jobs", "--job") and not token.startswith("-"):
            joined[-1] = f"--jobs={token}"
        else:
            joined.append(token)
    return joined


def _selected(options: dict[str, str], context: Context, jobs: list[Job]) -> tuple[list[Job], str]:
    warning = ""
    if options.get("jobs"):
        ids = [_job_id(word) for word in options["jobs"].split(",") if word]
        found: dict[int, Job] = {}
        for wanted in ids:
            with suppress(UnknownJobError):
                found.update({job.id: job for job in find_jobs(context.controller.cluster, wanted)})
        if len(ids) == 1 and not found:  # measured: with one id only
            raise RefusalError(1, "slurm_load_jobs error: Invalid job id specified\n")
        jobs = [job for job in jobs if job.id in found]
    states = _states(options["states"]) if "states" in options else None
    if states is None:
        jobs = [job for job in jobs if not job.state.is_final]
    else:
        jobs = [job for job in jobs if job.state in states]
    if "me" in options:
        jobs = [job for job in jobs if job.request.person.uid == context.person.uid]
    if "user" in options:
        known = {context.person.user, str(context.person.uid)}
        asked = options["user"].split(",")
        warning = "".join(
            f"squeue: error: Invalid user: {user}\n\n"
            for user in asked
            if user not in known and not user.isdigit()
        )
        if not warning or known & set(asked):
            jobs = [
                job for job in jobs if {job.request.person.user, str(job.request.person.uid)} & set(asked)
            ]
        else:
            jobs = []
    if "nodelist" in options:
        nodes = set(node_names(options["nodelist"], "squeue"))
        jobs = [job for job in jobs if nodes & set(job.node_names)]
    for name, value_of in _FILTERS.items():
        if name in options:
            values = set(options[name].split(","))
            jobs = [job for job in jobs if values & value_of(job)]
    return jobs, warning


_FILTERS: Mapping[str, Callable[[Job], set[str]]] = {
    "accounts": lambda job: {job.request.account},
    "name": lambda job: {job.request.name},
    "partitions": lambda job: set(job.partition.split(",")),
    "qos": lambda job: {job.request.qos},
}


def _job_id(word: str) -> JobId:
    wanted = parse_id(word)
    if wanted is None:
        raise RefusalError(1, f"squeue: error: Invalid job id: {word}\n")
    return wanted


def _states(text: str) -> set[SlurmState]:
    """Return the states that `-t` names, in long or short form, in any case."""
    wanted: set[SlurmState] = set()
    for word in text.split(","):
        if word.lower() == "all":
            return set(SlurmState)
        found = [
            state
            for state in SlurmState
            if word.upper() in (state.value, SHORT_STATES.get(state, state.value))
        ]
        if not found:
            raise RefusalError(
                1,
                f"squeue: error: Invalid job state specified: {word}\n"
                f"squeue: error: Valid job states include: {_STATE_NAMES}\n",
            )
        wanted.update(found)
    return wanted


def _sorted(jobs: list[Job], keys: str) -> list[Job]:
    for key in reversed(keys.split(",")):
        letter = key.lstrip("+-")
        if letter not in _SORT_KEYS:
            raise not_simulated("squeue", f"--sort={key}")
        jobs = sorted(jobs, key=_SORT_KEYS[letter], reverse=key.startswith("-"))
    return jobs


_SORT_KEYS: Mapping[str, Callable[[Job], tuple[str | int]]] = {
    "P": lambda job: (job.partition,),
    "i": lambda job: (job.id,),
    "j": lambda job: (job.request.name,),
    "p": lambda job: (job.priority,),
    "t": lambda job: (_STATE_ORDER.get(job.state.value, 99),),
}
