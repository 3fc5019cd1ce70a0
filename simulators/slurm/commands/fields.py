"""The fields that `squeue -o` and `sinfo -o` print, and their format strings."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from lute.slurm.states import SlurmState
from simulators.slurm import dependency
from simulators.slurm.hostlist import compress
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.state import Cluster, Job
from simulators.slurm.times import limit_text, short_duration, stamp

SHORT_STATES: Mapping[SlurmState, str] = {
    SlurmState.PENDING: "PD",
    SlurmState.RUNNING: "R",
    SlurmState.SUSPENDED: "S",
    SlurmState.COMPLETED: "CD",
    SlurmState.CANCELLED: "CA",
    SlurmState.FAILED: "F",
    SlurmState.TIMEOUT: "TO",
    SlurmState.NODE_FAIL: "NF",
    SlurmState.PREEMPTED: "PR",
    SlurmState.BOOT_FAIL: "BF",
    SlurmState.DEADLINE: "DL",
    SlurmState.OUT_OF_MEMORY: "OOM",
    SlurmState.COMPLETING: "CG",
    SlurmState.CONFIGURING: "CF",
}
"""`squeue -o %t` (manual page)."""


@dataclass(frozen=True)
class Column:
    """One piece of a format: a field with its width, or literal text if `letter` is empty."""

    letter: str
    width: int = 0
    right: bool = False
    suffix: str = ""

    def render(self, value: str) -> str:
        """Return `value` padded and cut to the width (measured), then the text that follows the field."""
        if self.width:
            value = value.rjust(self.width) if self.right else value.ljust(self.width)
            value = value[: self.width]
        return value + self.suffix


def parse_format(text: str) -> list[Column]:
    """Return the pieces of a format such as `%.18i %.9P|%T`."""
    columns = [Column("", suffix=text.partition("%")[0])]
    for dot, width, letter, suffix in re.findall(r"%(\.?)([0-9]*)(.)([^%]*)", text, re.ASCII | re.DOTALL):
        columns.append(Column(letter, int(width or 0), bool(dot), suffix))
    return columns


@dataclass(frozen=True)
class View:
    """What the fields are computed from."""

    cluster: Cluster
    now: datetime
    zone: tzinfo | None
    host: str


def run_time(job: Job, now: datetime) -> timedelta:
    """Return how long a job has run, or ran."""
    if job.start_time is None:
        return timedelta()
    return (job.end_time or now) - job.start_time


def end_time(job: Job) -> datetime | None:
    """Return when a job ended or must end, None if nobody can tell."""
    if job.end_time or job.start_time is None or job.time_limit_min in (None, UNLIMITED_MIN):
        return job.end_time
    return job.start_time + timedelta(minutes=job.time_limit_min or 0)


def _time_left(job: Job, view: View) -> str:
    if job.time_limit_min is None or job.time_limit_min == UNLIMITED_MIN:
        return "UNLIMITED"
    return short_duration(timedelta(minutes=job.time_limit_min) - run_time(job, view.now))


def _nodes_or_reason(job: Job) -> str:
    return (
        f"({job.reason})" if job.state is SlurmState.PENDING or not job.shares else compress(job.node_names)
    )


JOB_FIELDS: Mapping[str, tuple[str, Callable[[Job, View], str]]] = {
    "A": ("JOBID", lambda job, _: str(job.id)),
    "B": ("EXEC_HOST", lambda job, _: job.node_names[0] if job.shares else "n/a"),
    "C": ("CPUS", lambda job, _: str(job.num_cpus)),
    "D": ("NODES", lambda job, _: str(job.num_nodes)),
    "E": ("DEPENDENCY", lambda job, view: dependency.show(job, view.cluster.jobs)),
    "F": ("ARRAY_JOB_ID", lambda job, _: str(job.id)),
    "G": ("GROUP", lambda job, _: str(job.request.person.gid)),
    "K": ("ARRAY_TASK_ID", lambda _job, _view: "N/A"),
    "L": ("TIME_LEFT", _time_left),
    "M": ("TIME", lambda job, view: short_duration(run_time(job, view.now))),
    "N": ("NODELIST", lambda job, _: compress(job.node_names)),
    "P": ("PARTITION", lambda job, _: job.partition),
    "Q": ("PRIORITY", lambda job, _: str(job.priority)),
    "R": ("NODELIST(REASON)", lambda job, _: _nodes_or_reason(job)),
    "S": ("START_TIME", lambda job, view: stamp(job.start_time, view.zone, "N/A")),
    "T": ("STATE", lambda job, _: job.state.value),
    "U": ("UID", lambda job, _: str(job.request.person.uid)),
    "V": ("SUBMIT_TIME", lambda job, view: stamp(job.submit_time, view.zone, "N/A")),
    "Z": ("WORK_DIR", lambda job, _: job.request.work_dir),
    "a": ("ACCOUNT", lambda job, _: job.request.account or "(null)"),
    "e": ("END_TIME", lambda job, view: stamp(end_time(job), view.zone, "N/A")),
    "g": ("GROUP", lambda job, _: job.request.person.group),
    "i": ("JOBID", lambda job, _: str(job.id)),
    "j": ("NAME", lambda job, _: job.request.name),
    "k": ("COMMENT", lambda job, _: job.request.comment or "(null)"),
    "l": ("TIME_LIMIT", lambda job, _: limit_text(job.time_limit_min, short=True)),
    "o": ("COMMAND", lambda job, _: job.request.command),
    "q": ("QOS", lambda job, _: job.request.qos or "(null)"),
    "r": ("REASON", lambda job, _: job.reason),
    "t": ("ST", lambda job, _: SHORT_STATES.get(job.state, job.state.value)),
    "u": ("USER", lambda job, _: job.request.person.user),
    "v": ("RESERVATION", lambda job, _: job.request.reservation or "(null)"),
}
"""Letter of `squeue -o` -> header, and value of a job."""


def table_line(columns: Iterable[Column], value_of: Callable[[str], str]) -> str:
    """Return one line of a table; `value_of` gives the text for a letter."""
    return "".join(column.render(value_of(column.letter) if column.letter else "") for column in columns)
