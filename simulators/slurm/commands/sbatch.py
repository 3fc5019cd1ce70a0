"""sbatch."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from lute.slurm.getopt import Given, OptionError, Takes, scan
from lute.slurm.options import SBATCH_OPTIONS
from simulators.slurm import dependency
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
from simulators.slurm.controller import RejectedError
from simulators.slurm.request import JobRequest
from simulators.slurm.times import parse_time_limit

OBEYED = frozenset([
    "account", "chdir", "comment", "cpus-per-task", "dependency", "error", "exclusive", "export", "hold",
    "input", "job-name", "kill-on-invalid-dep", "mem", "mem-per-cpu", "nodes", "no-requeue", "ntasks",
    "ntasks-per-node", "open-mode", "output", "parsable", "partition", "qos", "quiet", "requeue",
    "reservation", "time", "wait", "wrap",
])  # fmt: skip
"""Options that have their effect here."""

HARMLESS = frozenset([
    "acctg-freq", "ignore-pbs", "mail-type", "mail-user", "nice", "no-kill", "oversubscribe", "power",
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
    try:
        job = context.controller.submit(job_request)
    except RejectedError as rejected:
        return _failed(rejected.text, rejected.warning)
    said = f"{job.id}\n" if "parsable" in options else f"Submitted batch job {job.id}\n"
    if "quiet" in options and "parsable" not in options:
        said = ""
    return Reply(0, said, warning, wait_for=job.id if "wait" in options else None)


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
    if options.get("exclusive"):
        if options["exclusive"] not in ("user", "mcs"):
            raise RefusalError(255, "sbatch: error: Invalid --exclusive specification\n")
        raise not_simulated("sbatch", f"--exclusive={options['exclusive']}")
    text = options.get("dependency", "")
    known = re.fullmatch(r"[a-z]+(:[0-9]+(\+[0-9]+)?)*([,?][a-z]+(:[0-9]+(\+[0-9]+)?)*)*", text, re.ASCII)
    if known and not dependency.is_valid(text) and re.match("after|singleton|expand", text):
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
    geometry, warning = read_geometry(options)
    cwd = PurePosixPath(request.cwd)
    default_name = "wrap" if "wrap" in options else PurePosixPath(file).name if file else "sbatch"
    default = context.controller.cluster.default_partition()
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
            account=options.get("account", ""),
            qos=options.get("qos", ""),
            reservation=options.get("reservation", ""),
            comment=options.get("comment", ""),
            stdout=options.get("output"),
            stderr=options.get("error"),
            stdin=options.get("input"),
            append=_choice(options, "open-mode", {"truncate": False, "t": False, "append": True, "a": True}),
            time_limit_min=_time_limit(options),
            dependency=options.get("dependency", ""),
            kill_on_invalid_dependency=_choice(options, "kill-on-invalid-dep", {"no": False, "yes": True}),
            hold="hold" in options,
            requeue=_requeue(options),
            memory_env=read_memory(options),
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


def _requeue(options: Mapping[str, str]) -> bool:
    order = [name for name in options if name in ("requeue", "no-requeue")]
    return not order or order[-1] == "requeue"


def _time_limit(options: Mapping[str, str]) -> int | None:
    if "time" not in options:
        return None
    try:
        return parse_time_limit(options["time"])
    except ValueError:
        raise RefusalError(255, "sbatch: error: Invalid --time specification\n") from None
