"""squeue."""

from collections.abc import Callable, Mapping, Sequence

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
from simulators.slurm.commands.fields import (
    JOB_FIELDS,
    SHORT_STATES,
    Column,
    View,
    parse_format,
    table_line,
)
from simulators.slurm.state import Job
from simulators.slurm.times import zone_of

DEFAULT_FORMAT = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
LONG_FORMAT = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"

_VALUE = Takes.VALUE
OPTIONS: tuple[Option, ...] = (
    Option("accounts", "A", _VALUE),
    Option("all", "a"),
    Option("array", "r"),
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
    Option("name", "n", _VALUE),
    Option("noconvert"),
    Option("node", "", _VALUE, alias_of="nodelist"),
    Option("nodes", "", _VALUE, alias_of="nodelist"),
    Option("nodelist", "w", _VALUE),
    Option("noheader", "h"),
    Option("partitions", "p", _VALUE),
    Option("priority", "P"),
    Option("qos", "q", _VALUE),
    Option("reservation", "R", _VALUE),
    Option("sib"),
    Option("sort", "S", _VALUE),
    Option("start"),
    Option("steps", "s", Takes.MAYBE),
    Option("states", "t", _VALUE),
    Option("usage"),
    Option("user", "u", _VALUE),
    Option("users", "", _VALUE, alias_of="user"),
    Option("verbose", "v"),
    Option("version", "V"),
    Option("yaml"),
)

_OBEYED = frozenset(
    [
        "accounts",
        "format",
        "help",
        "jobs",
        "long",
        "me",
        "name",
        "noheader",
        "partitions",
        "qos",
        "sort",
        "states",
        "usage",
        "user",
        "version",
    ]
)
_HARMLESS = frozenset(["all", "array", "hide", "local", "noconvert", "verbose"])
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
    options, _ = accepted_options("squeue", tokens, OPTIONS, _OBEYED | _HARMLESS, "[OPTIONS]")
    cluster = context.controller.cluster
    jobs, warning = _selected(options, context, list(cluster.jobs.values()))
    jobs = _sorted(jobs, options.get("sort", "P,t,-p"))
    view = View(cluster, context.controller.now(), zone_of(request.env), context.host)
    form = options.get("format") or (LONG_FORMAT if "long" in options else request.env.get("SQUEUE_FORMAT"))
    columns = parse_format(form or DEFAULT_FORMAT)
    for column in columns:
        if column.letter and column.letter not in JOB_FIELDS:
            raise not_simulated("squeue", f"--format=%{column.letter}")
    lines = [] if "noheader" in options else [_header(columns, long="long" in options)]
    if "long" in options and "noheader" not in options:
        lines.insert(0, view.now.astimezone(view.zone).strftime("%a %b %d %H:%M:%S %Y"))
    lines += [_line(columns, job, view) for job in jobs]
    return Reply(0, "".join(f"{line}\n" for line in lines), warning)


def _line(columns: Sequence[Column], job: Job, view: View) -> str:
    return table_line(columns, lambda letter: JOB_FIELDS[letter][1](job, view))


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
    ids: list[int] | None = None
    if options.get("jobs"):
        ids = [_job_id(word) for word in options["jobs"].split(",") if word]
        if len(ids) == 1 and ids[0] not in context.controller.cluster.jobs:  # measured: with one id only
            raise RefusalError(1, "slurm_load_jobs error: Invalid job id specified\n")
        jobs = [job for job in jobs if job.id in ids]
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
            f"squeue: error: Invalid user: {user}\n"
            for user in asked
            if user not in known and not user.isdigit()
        )
        if not warning or known & set(asked):
            jobs = [
                job for job in jobs if {job.request.person.user, str(job.request.person.uid)} & set(asked)
            ]
        else:
            jobs = []
    for name, value_of in _FILTERS.items():
        if name in options:
            wanted = set(options[name].split(","))
            jobs = [job for job in jobs if wanted & value_of(job)]
    return jobs, warning


_FILTERS: Mapping[str, Callable[[Job], set[str]]] = {
    "accounts": lambda job: {job.request.account},
    "name": lambda job: {job.request.name},
    "partitions": lambda job: set(job.partition.split(",")),
    "qos": lambda job: {job.request.qos},
}


def _job_id(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise RefusalError(1, f"squeue: error: Invalid job id: {word}\n")
    return int(word)


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
