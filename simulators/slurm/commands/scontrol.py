"""scontrol: `show job|node|partition`, `ping`, `hold`, `release`, `requeue`, `requeuehold`, `update`."""

from collections.abc import Callable, Sequence

from lute.slurm.getopt import Option, Takes
from simulators.slurm.commands.exchange import (
    VERSION,
    Context,
    RefusalError,
    Reply,
    Request,
    not_simulated,
    options_of,
)
from simulators.slurm.commands.fields import View
from simulators.slurm.commands.ids import find_jobs, parse_id
from simulators.slurm.commands.records import job_record, node_record, partition_record
from simulators.slurm.commands.update import update
from simulators.slurm.controller import NotPendingError, UnknownJobError
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster
from simulators.slurm.times import zone_of

OPTIONS: tuple[Option, ...] = (
    Option("all", "a"),
    Option("cluster", "", Takes.VALUE, alias_of="clusters"),
    Option("clusters", "M", Takes.VALUE),
    Option("details", "d"),
    Option("federation", "F"),
    Option("future"),
    Option("help", "h"),
    Option("hide"),
    Option("local"),
    Option("oneliner", "o"),
    Option("quiet", "Q"),
    Option("sibling"),
    Option("uid", "u", Takes.VALUE),
    Option("usage"),
    Option("verbose", "v"),
    Option("version", "V"),
)
_ACCEPTED = frozenset(
    ["all", "details", "help", "hide", "local", "oneliner", "quiet", "usage", "verbose", "version"]
)


def run(request: Request, context: Context) -> Reply:
    """Show or change something."""
    given, words = options_of("scontrol", request.argv[1:], OPTIONS)
    options = {option.name for option in given}
    if "version" in options or words == ["version"]:
        return Reply(0, f"{VERSION}\n")
    if options & {"help", "usage"} or words == ["help"]:
        return Reply(0, "scontrol [<OPTION>] [<COMMAND>]\n")
    for name in options - _ACCEPTED:
        raise not_simulated("scontrol", f"--{name}")
    if not words:
        raise not_simulated("scontrol", "interactive use")
    if words[0] == "ping":
        return Reply(0, f"Slurmctld(primary) at {context.host} is UP\n")
    if words[0] == "show":
        return _show(request, context, words[1:], one_line="oneliner" in options, detail="details" in options)
    if words[0] in ("hold", "release", "uhold"):
        return _change_jobs(words, lambda job_id: _hold(context, job_id, words[0]))
    if words[0] in ("requeue", "requeuehold"):
        hold = words[0] == "requeuehold"
        return _change_jobs(words, lambda job_id: context.controller.requeue(job_id, hold=hold))
    if words[0] == "update":
        return update(words[1:], context)
    if words[0] in ("suspend", "resume", "reconfigure", "shutdown", "wait_job", "create", "delete", "top"):
        raise not_simulated("scontrol", words[0])
    raise RefusalError(1, f"invalid keyword: {words[0]}\n")


def _show(request: Request, context: Context, words: Sequence[str], *, one_line: bool, detail: bool) -> Reply:
    if not words:
        raise RefusalError(1, "too few arguments for keyword:show\n")
    kind, wanted = words[0], words[1] if len(words) > 1 else ""
    cluster = context.controller.cluster
    if kind in ("job", "jobs"):
        jobs = _wanted_jobs(cluster, wanted)
        if not jobs:
            return Reply(0, "No jobs in the system\n")
        context.controller.life.plan()
        view = View(cluster, context.controller.now_s, zone_of(request.env), context.host)
        return _records([job_record(job, view, detail=detail) for job in jobs], one_line=one_line)
    if kind in ("node", "nodes"):
        if wanted and wanted not in cluster.index:
            return Reply(1, f"Node {wanted} not found\n")
        nodes = [cluster.nodes[cluster.index[wanted]]] if wanted else cluster.nodes
        return _records([node_record(cluster, node) for node in nodes], one_line=one_line)
    if kind in ("partition", "partitions"):
        if wanted and wanted not in cluster.partitions:
            return Reply(1, f"Partition {wanted} not found\n")
        parts = [cluster.partitions[wanted]] if wanted else list(cluster.partitions.values())
        return _records([partition_record(cluster, part) for part in parts], one_line=one_line)
    if kind in (
        "config",
        "reservation",
        "reservations",
        "steps",
        "step",
        "hostnames",
        "hostlist",
        "assoc_mgr",
    ):
        raise not_simulated("scontrol", f"show {kind}")
    raise RefusalError(1, f"invalid entity:{kind} for keyword:show \n")


def _wanted_jobs(cluster: Cluster, wanted: str) -> list[Job]:
    if not wanted:
        return list(cluster.jobs.values())
    job_id = parse_id(wanted)
    if job_id is None:
        raise RefusalError(1, "scontrol_print_job error: Invalid job id specified\n")
    try:
        return find_jobs(cluster, job_id)
    except UnknownJobError:
        raise RefusalError(1, "slurm_load_jobs error: Invalid job id specified\n") from None


def _records(records: Sequence[Sequence[str]], *, one_line: bool) -> Reply:
    """Join the lines of each record: indented by three blanks, or all in one line (`-o`)."""
    if one_line:
        return Reply(0, "".join(f"{' '.join(lines).rstrip()} \n" for lines in records))
    return Reply(0, "".join("\n   ".join(lines) + "\n\n" for lines in records))


def _hold(context: Context, job_id: int, word: str) -> None:
    by = "admin" if context.person.uid == 0 and word == "hold" else "user"
    context.controller.hold(job_id, by="" if word == "release" else by)


def _change_jobs(words: Sequence[str], change: Callable[[int], None]) -> Reply:
    """Do something to each job that is named."""
    if len(words) < 2:
        raise RefusalError(1, f"too few arguments for keyword:{words[0]}\n")
    for word in ",".join(words[1:]).split(","):
        try:
            job_id = parse_id(word)
            if job_id is None or job_id.task is not None:
                raise UnknownJobError(word)
            change(job_id.number)
        except UnknownJobError:
            more = "" if words[0].startswith("requeue") else "slurm_suspend error: Invalid job id specified\n"
            raise RefusalError(1, f"Invalid job id specified for job {word}\n{more}") from None
        except NotPendingError:
            raise RefusalError(1, f"Job is no longer pending execution for job {word}\n") from None
    return Reply()
