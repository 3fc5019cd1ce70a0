"""sacct."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from lute.slurm.getopt import Option, Takes
from simulators.slurm.accounting import Row
from simulators.slurm.commands.exchange import (
    Context,
    RefusalError,
    Reply,
    Request,
    accepted_options,
    not_simulated,
)
from simulators.slurm.commands.ids import JobId, parse_id
from simulators.slurm.hostlist import compress
from simulators.slurm.times import clock_duration, parse_moment, stamp, zone_of

DEFAULT_FORMAT = "jobid,jobname,partition,account,alloccpus,state,exitcode"

_VALUE = Takes.VALUE
OPTIONS: tuple[Option, ...] = (
    Option("allusers", "a"),
    Option("accounts", "A", _VALUE),
    Option("allclusters", "L"),
    Option("allocations", "X"),
    Option("brief", "b"),
    Option("clusters", "M", _VALUE),
    Option("completion", "c"),
    Option("constraints", "C", _VALUE),
    Option("delimiter", "", _VALUE),
    Option("duplicates", "D"),
    Option("endtime", "E", _VALUE),
    Option("format", "o", _VALUE, env="SACCT_FORMAT"),
    Option("help", "h"),
    Option("helpformat", "e"),
    Option("jobs", "j", _VALUE),
    Option("json"),
    Option("long", "l"),
    Option("name", "", _VALUE),
    Option("noconvert"),
    Option("noheader", "n"),
    Option("parsable", "p"),
    Option("parsable2", "P"),
    Option("partition", "r", _VALUE),
    Option("starttime", "S", _VALUE),
    Option("state", "s", _VALUE),
    Option("truncate", "T"),
    Option("units", "", _VALUE),
    Option("user", "u", _VALUE),
    Option("usage"),
    Option("verbose", "v"),
    Option("version", "V"),
    Option("yaml"),
)
_ACCEPTED = frozenset([
    "allusers", "allocations", "duplicates", "endtime", "format", "jobs", "name", "noconvert", "noheader",
    "parsable", "parsable2", "starttime", "user", "verbose", "brief",
])  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """One line: a job, or its batch step."""

    row: Row
    is_step: bool
    zone: tzinfo | None
    now_s: float

    @property
    def state(self) -> str:
        return self.row.step_state if self.is_step else self.row.state

    @property
    def exit_code(self) -> str:
        row = self.row
        code, number = (row.step_code, row.step_signal) if self.is_step else (row.exit_code, row.exit_signal)
        return f"{code}:{number}"

    @property
    def elapsed_s(self) -> float:
        row = self.row
        return 0 if row.start_s is None else int(row.end_s or self.now_s) - int(row.start_s)


_FIELDS: Mapping[str, tuple[str, int, Callable[[_Line], str]]] = {
    "jobid": ("JobID", -12, lambda line: line.row.shown_id + (".batch" if line.is_step else "")),
    "jobidraw": ("JobIDRaw", -12, lambda line: f"{line.row.job_id}{'.batch' if line.is_step else ''}"),
    "jobname": ("JobName", 10, lambda line: "batch" if line.is_step else line.row.name),
    "partition": ("Partition", 10, lambda line: "" if line.is_step else line.row.partition),
    "account": ("Account", 10, lambda line: line.row.account),
    "alloccpus": ("AllocCPUS", 10, lambda line: str(line.row.cpus)),
    "ncpus": ("NCPUS", 10, lambda line: str(line.row.cpus)),
    "state": ("State", 10, lambda line: line.state),
    "exitcode": ("ExitCode", 8, lambda line: line.exit_code),
    "user": ("User", 9, lambda line: "" if line.is_step else line.row.user),
    "nodelist": (
        "NodeList",
        15,
        lambda line: compress(line.row.nodes[:1] if line.is_step else line.row.nodes) or "None assigned",
    ),
    "nnodes": ("NNodes", 8, lambda line: str(1 if line.is_step else max(1, len(line.row.nodes)))),
    "submit": ("Submit", 19, lambda line: stamp(line.row.submit_s, line.zone)),
    "start": ("Start", 19, lambda line: stamp(line.row.start_s, line.zone)),
    "end": ("End", 19, lambda line: stamp(line.row.end_s, line.zone)),
    "elapsed": ("Elapsed", 10, lambda line: clock_duration(line.elapsed_s)),
    "elapsedraw": ("ElapsedRaw", 10, lambda line: str(int(line.elapsed_s))),
}
"""Field -> header, width (negative: left-aligned) and value (measured)."""


def run(request: Request, context: Context) -> Reply:
    """Show what the accounting database holds."""
    if context.accounting is None:
        return Reply(1, "", "Slurm accounting storage is disabled\n")
    options, _ = accepted_options(request, request.argv[1:], OPTIONS, _ACCEPTED, "[OPTIONS]")
    now_s, zone = context.controller.now_s, zone_of(request.env)
    names = options.get("format", "jobid,state,exitcode" if "brief" in options else DEFAULT_FORMAT)
    columns = []
    for item in names.lower().split(","):
        name, percent, width = item.partition("%")
        if name not in _FIELDS or not re.fullmatch("(-?[0-9]{1,3})?", width) or bool(percent) != bool(width):
            raise not_simulated("sacct", f"--format={item}")
        header, usual, value = _FIELDS[name]
        columns.append((header, int(width) if percent else usual, value))
    lines = _lines(options, context, zone, now_s)
    rendered = [] if "noheader" in options else [_header(columns, options)]
    rendered += [_render([(value(line), width) for _, width, value in columns], options) for line in lines]
    return Reply(0, "".join(f"{line}\n" for line in rendered))


def _lines(options: Mapping[str, str], context: Context, zone: tzinfo | None, now_s: float) -> list[_Line]:
    assert context.accounting is not None  # noqa: S101 - run has checked
    wanted = [_job_id(word) for word in options["jobs"].split(",")] if "jobs" in options else None
    rows = context.accounting.rows(now_s, duplicates="duplicates" in options)
    try:
        since_s = parse_moment(options["starttime"], now_s, zone) if "starttime" in options else 0.0
        until_s = parse_moment(options["endtime"], now_s, zone) if "endtime" in options else float("inf")
    except ValueError:
        raise RefusalError(1, "sacct: error: Invalid time specification\n") from None
    lines = []
    for row in rows:
        if wanted is not None and not any(_is_wanted(row, job_id) for job_id in wanted):
            continue
        if "name" in options and row.name not in options["name"].split(","):
            continue
        if "user" in options and row.user not in options["user"].split(","):
            continue
        if (row.end_s or float("inf")) < since_s or row.submit_s > until_s:
            continue
        lines.append(_Line(row, False, zone, now_s))
        if "allocations" not in options and row.step_state:
            lines.append(_Line(row, True, zone, now_s))
    return lines


def _job_id(word: str) -> JobId:
    wanted = parse_id(word)
    if wanted is None:
        raise RefusalError(1, f"sacct: fatal: Bad job/step specified: {word}\n")
    return wanted


def _is_wanted(row: Row, wanted: JobId) -> bool:
    if wanted.task is not None:
        return row.shown_id == str(wanted)
    return row.job_id == wanted.number or row.shown_id.partition("_")[0] == str(wanted.number)


def _header(columns: list[tuple[str, int, Callable[[_Line], str]]], options: Mapping[str, str]) -> str:
    line = _render([(header, width) for header, width, _ in columns], options)
    if options.keys() & {"parsable", "parsable2"}:
        return line
    return line + "\n" + "".join("-" * abs(width) + " " for _, width, _ in columns)


def _render(values: list[tuple[str, int]], options: Mapping[str, str]) -> str:
    if "parsable" in options:
        return "".join(f"{value}|" for value, _ in values)
    if "parsable2" in options:
        return "|".join(value for value, _ in values)
    return "".join(_cell(value, width) + " " for value, width in values)


def _cell(value: str, width: int) -> str:
    """Pad a value, or cut it with a `+` (measured)."""
    size = abs(width)
    if len(value) > size:
        return value[: size - 1] + "+"
    return value.ljust(size) if width < 0 else value.rjust(size)
