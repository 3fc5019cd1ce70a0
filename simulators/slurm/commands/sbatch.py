"""sbatch."""

import re
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import PurePosixPath

from lute.slurm.getopt import Given, OptionError, Takes, scan
from lute.slurm.options import SBATCH_OPTIONS
from simulators.slurm import dependency
from simulators.slurm.admission import RejectedError
from simulators.slurm.arrays import parse_array
from simulators.slurm.commands import script as scripts
from simulators.slurm.commands.exchange import (
    VERSION,
    Context,
    RefusalError,
    Reply,
    Request,
    not_simulated,
    usage_error,
)
from simulators.slurm.commands.geometry import read_geometry, read_memory
from simulators.slurm.hostlist import compress, expand
from simulators.slurm.request import ArraySpec, JobRequest
from simulators.slurm.times import parse_moment, parse_time_limit, stamp, zone_of

OBEYED = frozenset([
    "account", "array", "begin", "chdir", "comment", "constraint", "cpus-per-task", "dependency", "error",
    "exclude", "exclusive", "export", "gpus-per-node", "gres", "hold", "input", "job-name",
    "kill-on-invalid-dep", "mem", "mem-per-cpu", "nice", "nodelist", "nodes", "no-requeue", "ntasks",
    "ntasks-per-node", "open-mode", "output", "parsable", "partition", "qos", "quiet", "requeue",
    "reservation", "test-only", "time", "wait", "wrap",
])  # fmt: skip
"""Options that have their effect here."""

HARMLESS = frozenset([
    "acctg-freq", "ignore-pbs", "mail-type", "mail-user", "no-kill", "oversubscribe", "power",
    "profile", "verbose", "wait-all-nodes", "wckey",
])  # fmt: skip
"""Options without effect on a cluster of one user: accepted. Everything else is refused."""


def run(request: Request, context: Context) -> Reply:
    """Submit a job."""
    try:
        given, operands = scan(request.argv[1:], SBATCH_OPTIONS, stop_at_operand=True)
    except OptionError as error:
        return Reply(255, "", usage_error("sbatch", error))
    line = {option.name: option.value or "" for option in given}
    if "version" in line:
        return Reply(0, f"{VERSION}\n")
    if line.keys() & {"help", "usage"}:
        return Reply(0, "Usage: sbatch [OPTIONS(0)...] [ : [OPTIONS(N)...]] script(0) [args(0)...]\n")
    if "wrap" in line:
        if operands:
            return Reply(1, "", "sbatch: error: Script arguments not permitted with --wrap option\n")
        text = scripts.wrapped(line["wrap"])
    elif not request.has_input:
        return Reply(read=operands[0] if operands else "-")
    elif request.input is None:
        return Reply(1, "", f"sbatch: error: Unable to open file {operands[0] if operands else '-'}\n")
    else:
        text = request.input
    scripts.check(text)
    file = operands[0] if operands and "wrap" not in line else ""
    options = {
        option.name: option.value or ""
        for option in [*scripts.directives(text, file or "sbatch"), *_from_environment(request.env), *given]
    }
    _refuse_unsimulated(options)
    job_request, warning = _job_request(request, context, options, text, file, tuple(operands[1:]))
    if len(text.encode(errors="surrogateescape")) > scripts.MAX_BYTES:
        return _failed("Pathname of a file, directory or other parameter too long")
    if "test-only" in options:
        return _test(context, job_request, zone_of(request.env))
    try:
        job = context.controller.submit(job_request)
    except RejectedError as rejected:
        return _failed(rejected.text, rejected.warning)
    said = f"{job.id}\n" if "parsable" in options else f"Submitted batch job {job.id}\n"
    if "quiet" in options and "parsable" not in options:
        said = ""
    return Reply(0, said, warning, wait_for=job.id if "wait" in options else None)


def _test(context: Context, job_request: JobRequest, zone: tzinfo | None) -> Reply:
    """Answer `--test-only`: when and where the job would start, on standard error (measured)."""
    try:
        job, start_s, shares = context.controller.test(job_request)
    except RejectedError as rejected:
        return Reply(1, "", f"allocation failure: {rejected.text}\n")
    cpus = sum(share.cpus for share in shares)
    names = compress(context.controller.cluster.nodes[share.node].name for share in shares)
    return Reply(
        0,
        "",
        f"sbatch: Job {job.id} to start at {stamp(start_s, zone)} using {cpus} processors on nodes {names}"
        f" in partition {job.partition}\n",
    )


def _failed(text: str, before: str = "") -> Reply:
    first = f"sbatch: error: {before}\n" if before else ""
    return Reply(1, "", f"{first}sbatch: error: Batch job submission failed: {text}\n")


def _from_environment(env: Mapping[str, str]) -> list[Given]:
    """Return the options of SBATCH_* variables; they beat #SBATCH lines, not the command line (measured)."""
    return [
        Given(option.canonical, None if option.takes is Takes.NOTHING else env[option.env])
        for option in SBATCH_OPTIONS
        if option.env and option.env in env
    ]


def _refuse_unsimulated(options: Mapping[str, str]) -> None:
    if "clusters" in options:
        raise RefusalError(1, "sbatch: error: Problem talking to database\n")
    if "uid" in options:
        raise RefusalError(255, "sbatch: error: --uid only permitted by root user\n")
    for name in options:
        if name not in OBEYED and name not in HARMLESS:
            raise not_simulated("sbatch", f"--{name}")
    if "wait" in options and "array" in options:
        raise not_simulated("sbatch", "--wait of an array")
    if "constraint" in options:
        raise RefusalError(1, _failed("Invalid feature specification").stderr)
    if options.get("exclusive"):
        if options["exclusive"] not in ("user", "mcs"):
            raise RefusalError(255, "sbatch: error: Invalid --exclusive specification\n")
        raise not_simulated("sbatch", f"--exclusive={options['exclusive']}")
    text = options.get("dependency", "")
    # what real sbatch knows and the fake does not: other kinds, tasks of arrays, delays, alternatives, ids
    known = r"(after(ok|notok|any|corr|burstbuffer)?(:[0-9_+]+)+|singleton|expand:[0-9]+|[0-9_]+)"
    if not dependency.is_valid(text) and re.fullmatch(
        f"{known}([,?]{known})*", text, re.ASCII | re.IGNORECASE
    ):
        raise not_simulated("sbatch", f"--dependency={text}")


def _job_request(
    request: Request,
    context: Context,
    options: Mapping[str, str],
    text: str,
    file: str,
    arguments: tuple[str, ...],
) -> tuple[JobRequest, str]:
    """Return the submission that the options describe, and what sbatch warns of."""
    cluster = context.controller.cluster
    gpu_types = [node.gpu_type for node in cluster.nodes if node.gpus]
    geometry, warning = read_geometry(options, gpu_types[0] if gpu_types else None)
    cwd = PurePosixPath(request.cwd)
    default_name = "wrap" if "wrap" in options else PurePosixPath(file).name if file else "sbatch"
    default = cluster.default_partition()
    asked = options.get("partition") or (default.name if default else "")
    return (
        JobRequest(
            name=options.get("job-name", default_name),
            script=text,
            person=context.person,
            geometry=geometry,
            arguments=arguments,
            command=" ".join([str(cwd / file), *arguments]) if file else "(null)",
            work_dir=str(cwd / options.get("chdir", "")),
            submit_dir=str(cwd),
            submit_host=context.host,
            env=dict(request.env),
            export=options.get("export"),
            partitions=tuple(part for part in asked.split(",") if part),
            nodelist=_names(options, "nodelist"),
            exclude=_names(options, "exclude"),
            account=options.get("account", ""),
            qos=options.get("qos", ""),
            reservation=options.get("reservation", ""),
            comment=options.get("comment", ""),
            stdout=options.get("output"),
            stderr=options.get("error"),
            stdin=options.get("input"),
            umask=request.umask,
            append=_choice(options, "open-mode", {"truncate": False, "t": False, "append": True, "a": True}),
            time_limit_min=_time_limit(options),
            begin_s=_begin(options, context.controller.now_s, zone_of(request.env)),
            dependency=options.get("dependency", ""),
            kill_on_invalid_dependency=_choice(options, "kill-on-invalid-dep", {"no": False, "yes": True}),
            nice=_nice(options),
            hold="hold" in options,
            requeue=_requeue(options),
            memory_env=read_memory(options),
            gres=f"gres:gpu:{geometry.gpus_per_node}" if geometry.gpus_per_node else "",
            array=_array(options),
        ),
        warning,
    )


def _choice(options: Mapping[str, str], name: str, words: Mapping[str, bool]) -> bool:
    if name not in options:
        return False
    try:
        return words[options[name].lower()]
    except KeyError:
        raise RefusalError(255, f"sbatch: error: Invalid --{name} specification\n") from None


def _requeue(options: Mapping[str, str]) -> bool | None:
    order = [name for name in options if name in ("requeue", "no-requeue")]
    return order[-1] == "requeue" if order else None


def _names(options: Mapping[str, str], name: str) -> tuple[str, ...]:
    try:
        return tuple(expand(options[name])) if name in options else ()
    except ValueError:
        raise RefusalError(1, _failed("Invalid node name specified").stderr) from None


def _nice(options: Mapping[str, str]) -> int:
    text = options.get("nice", "0") or "100"
    if not re.fullmatch("-?[0-9]{1,10}", text):
        raise RefusalError(255, f"sbatch: error: Invalid --nice value {text}\n")
    return int(text)


def _begin(options: Mapping[str, str], now_s: float, zone: tzinfo | None) -> float:
    if "begin" not in options:
        return 0.0
    try:
        return parse_moment(options["begin"], now_s, zone)
    except ValueError:
        raise RefusalError(
            255,
            f"Invalid time specification (pos=0): {options['begin']}\n"
            "sbatch: error: Invalid --begin specification\n",
        ) from None


def _array(options: Mapping[str, str]) -> ArraySpec | None:
    if "array" not in options:
        return None
    try:
        return parse_array(options["array"])
    except ValueError:
        raise RefusalError(1, _failed("Invalid job array specification").stderr) from None


def _time_limit(options: Mapping[str, str]) -> int | None:
    if "time" not in options:
        return None
    try:
        return parse_time_limit(options["time"])
    except ValueError:
        raise RefusalError(255, "sbatch: error: Invalid --time specification\n") from None
