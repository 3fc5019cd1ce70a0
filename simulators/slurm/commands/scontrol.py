"""scontrol: `show job|node|partition`, `ping`, `hold`, `release`."""

from collections.abc import Sequence

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
from simulators.slurm.commands.records import job_record, node_record, partition_record
from simulators.slurm.controller import AlreadyEndedError, UnknownJobError
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
        return _show(request, context, words[1:], one_line="oneliner" in options)
    if words[0] in ("hold", "release", "uhold"):
        return _hold(context, words)
    if words[0] in (
        "update",
        "requeue",
        "requeuehold",
        "suspend",
        "resume",
        "reconfigure",
        "shutdown",
        "wait_job",
    ):
        raise not_simulated("scontrol", words[0])
    raise RefusalError(1, f"invalid keyword: {words[0]}\n")


def _show(request: Request, context: Context, words: Sequence[str], *, one_line: bool) -> Reply:
    if not words:
        raise RefusalError(1, "too few arguments for keyword:show\n")
    kind, wanted = words[0], words[1] if len(words) > 1 else ""
    cluster, now = context.controller.cluster, context.controller.now()
    if kind in ("job", "jobs"):
        if wanted:
            if not (wanted.isascii() and wanted.isdigit()):
                raise RefusalError(1, "scontrol_print_job error: Invalid job id specified\n")
            if int(wanted) not in cluster.jobs:
                raise RefusalError(1, "slurm_load_jobs error: Invalid job id specified\n")
            jobs = [cluster.jobs[int(wanted)]]
        else:
            jobs = list(cluster.jobs.values())
        if not jobs:
            return Reply(0, "No jobs in the system\n")
        zone = zone_of(request.env)
        return _records(
            [job_record(job, cluster, now, zone, context.host) for job in jobs], one_line=one_line
        )
    if kind in ("node", "nodes"):
        if wanted and wanted not in cluster.nodes:
            return Reply(1, f"Node {wanted} not found\n")
        names = [wanted] if wanted else list(cluster.nodes)
        return _records([node_record(cluster, name) for name in names], one_line=one_line)
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


def _records(records: Sequence[Sequence[str]], *, one_line: bool) -> Reply:
    """Join the lines of each record: indented by three blanks, or all in one line (`-o`)."""
    if one_line:
        return Reply(0, "".join(f"{' '.join(lines)} \n" for lines in records))
    return Reply(0, "".join("\n   ".join(lines) + "\n\n" for lines in records))


def _hold(context: Context, words: Sequence[str]) -> Reply:
    if len(words) < 2:
        raise RefusalError(1, f"too few arguments for keyword:{words[0]}\n")
    for word in ",".join(words[1:]).split(","):
        try:
            if not (word.isascii() and word.isdigit()):
                raise UnknownJobError(word)
            context.controller.hold(int(word), held=words[0] != "release")
        except UnknownJobError:
            raise RefusalError(1, f"Invalid job id specified for job {word}\n") from None
        except AlreadyEndedError:
            raise RefusalError(1, f"Job is no longer pending execution for job {word}\n") from None
    return Reply()
