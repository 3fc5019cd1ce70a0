"""The fields that `squeue -o` and `sinfo -o` print, and their format strings."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from lute.slurm.states import SlurmState
from simulators.slurm import arrays, dependency
from simulators.slurm.backfill import effective_limit
from simulators.slurm.hostlist import compress
from simulators.slurm.job import Job
from simulators.slurm.request import UNLIMITED_MIN
from simulators.slurm.state import Cluster
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

_MAX_WIDTH = 4096
"""Widest column, in characters; more would only serve to eat memory (assumed)."""


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
    for dot, width, letter, suffix in re.findall(
        r"%(\.?)([0-9]{0,9})[0-9]*(.)([^%]*)", text, re.ASCII | re.DOTALL
    ):
        columns.append(Column(letter, min(int(width or 0), _MAX_WIDTH), bool(dot), suffix))
    return columns


@dataclass(frozen=True)
class View:
    """What the fields are computed from; `now_s` is POSIX time."""

    cluster: Cluster
    now_s: float
    zone: tzinfo | None
    host: str


def run_time_s(job: Job, now_s: float) -> float:
    """Return how long a job has run, or ran; in whole seconds of the clock, as Slurm counts."""
    if job.start_s is None:
        return 0
    return int(job.end_s or now_s) - int(job.start_s)


def limit_min(job: Job, cluster: Cluster) -> int:
    """Return the time limit of a job in minutes, that of its partition if it has none."""
    return effective_limit(job, cluster.partitions[job.partition.partition(",")[0]])


def num_nodes(job: Job, cluster: Cluster) -> int:
    """Return how many nodes a job has, or will need as far as Slurm can tell before (measured)."""
    if job.shares:
        return len(job.shares)
    nodes = cluster.partitions[job.partition.partition(",")[0]].nodes
    biggest = max(cluster.cpus[node] for node in nodes)
    return max(job.num_nodes, -(-job.min_cpus // biggest))


def start_time_s(job: Job) -> float | None:
    """Return when a job started or is expected to, None if nobody can tell."""
    if job.start_s is not None:
        return job.start_s
    if job.eligible_s > job.submit_s:
        return job.eligible_s
    return job.planned_start_s


def end_time_s(job: Job, cluster: Cluster) -> float | None:
    """Return when a job ended or must end, None if nobody can tell."""
    start_s = start_time_s(job)
    limit = limit_min(job, cluster)
    if job.end_s is not None or start_s is None or limit == UNLIMITED_MIN:
        return job.end_s
    return start_s + limit * 60


def reason_or_nodes(job: Job) -> str:
    """Return where a job runs, or in parentheses why it does not."""
    if job.state is SlurmState.PENDING or not job.shares:
        return f"({job.reason})"
    return compress(job.node_names)


def _time_left(job: Job, view: View) -> str:
    limit = limit_min(job, view.cluster)
    if limit == UNLIMITED_MIN:
        return "UNLIMITED"
    return short_duration(limit * 60 - run_time_s(job, view.now_s))


def _task(job: Job) -> str:
    if job.array is None:
        return "N/A"
    return str(job.array.task_id) if job.array.task_id is not None else arrays.waiting_list(job)


JOB_FIELDS: Mapping[str, tuple[str, Callable[[Job, View], str]]] = {
    "A": ("JOBID", lambda job, _: str(job.id)),
    "B": ("EXEC_HOST", lambda job, _: job.node_names[0] if job.shares else "n/a"),
    "C": ("CPUS", lambda job, _: str(job.num_cpus)),
    "D": ("NODES", lambda job, view: str(num_nodes(job, view.cluster))),
    "E": ("DEPENDENCY", lambda job, view: dependency.show(job, view.cluster.jobs)),
    "F": ("ARRAY_JOB_ID", lambda job, _: str(job.array.job_id if job.array else job.id)),
    "G": ("GROUP", lambda job, _: str(job.request.person.gid)),
    "K": ("ARRAY_TASK_ID", lambda job, _: _task(job)),
    "L": ("TIME_LEFT", _time_left),
    "M": ("TIME", lambda job, view: short_duration(run_time_s(job, view.now_s))),
    "N": ("NODELIST", lambda job, _: compress(job.node_names)),
    "P": ("PARTITION", lambda job, _: job.partition),
    "Q": ("PRIORITY", lambda job, _: str(job.priority)),
    "R": ("NODELIST(REASON)", lambda job, _: reason_or_nodes(job)),
    "S": ("START_TIME", lambda job, view: stamp(start_time_s(job), view.zone, "N/A")),
    "T": ("STATE", lambda job, _: job.state.value),
    "U": ("UID", lambda job, _: str(job.request.person.uid)),
    "V": ("SUBMIT_TIME", lambda job, view: stamp(job.submit_s, view.zone, "N/A")),
    "Z": ("WORK_DIR", lambda job, _: job.request.work_dir),
    "a": ("ACCOUNT", lambda job, _: job.request.account or "(null)"),
    "b": ("TRES_PER_NODE", lambda job, _: job.request.gres or "N/A"),
    "e": ("END_TIME", lambda job, view: stamp(end_time_s(job, view.cluster), view.zone, "N/A")),
    "g": ("GROUP", lambda job, _: job.request.person.group),
    "i": ("JOBID", lambda job, _: arrays.shown_id(job)),
    "j": ("NAME", lambda job, _: job.request.name),
    "k": ("COMMENT", lambda job, _: job.request.comment or "(null)"),
    "l": ("TIME_LIMIT", lambda job, view: limit_text(limit_min(job, view.cluster), short=True)),
    "o": ("COMMAND", lambda job, _: job.request.command),
    "q": (
        "QOS",
        lambda job, view: job.request.qos or ("normal" if view.cluster.conf.accounting else "(null)"),
    ),
    "r": ("REASON", lambda job, _: job.reason),
    "t": ("ST", lambda job, _: SHORT_STATES.get(job.state, job.state.value)),
    "u": ("USER", lambda job, _: job.request.person.user),
    "v": ("RESERVATION", lambda job, _: job.request.reservation or "(null)"),
}
"""Letter of `squeue -o` -> header, and value of a job."""


def table_line(columns: Iterable[Column], value_of: Callable[[str], str]) -> str:
    """Return one line of a table; `value_of` gives the text for a letter."""
    return "".join(column.render(value_of(column.letter) if column.letter else "") for column in columns)
