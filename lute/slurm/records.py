"""Reading what Slurm prints about a job. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lute.slurm.states import SlurmState, parse_state

_KEYS = [
    "JobId", "ArrayJobId", "ArrayTaskId", "ArrayTaskThrottle", "HetJobId", "HetJobOffset", "HetJobIdSet",
    "JobName", "UserId", "GroupId", "MCS_label", "Priority", "Nice", "Account", "QOS", "WCKey", "JobState",
    "Reason", "FailedNode", "Dependency", "Requeue", "Restarts", "BatchFlag", "Reboot", "ExitCode",
    "DerivedExitCode", "RunTime", "TimeLimit", "TimeMin", "SubmitTime", "EligibleTime", "AccrueTime",
    "StartTime", "EndTime", "Deadline", "PreemptEligibleTime", "PreemptTime", "SuspendTime",
    "SecsPreSuspend", "LastSchedEval", "Scheduler", "Partition", "AllocNode:Sid", "ReqNodeList",
    "ExcNodeList", "NodeList", "SchedNodeList", "BatchHost", "NumNodes", "NumCPUs", "NumTasks", "CPUs/Task",
    "ReqB:S:C:T", "TRES", "ReqTRES", "AllocTRES", "Socks/Node", "NtasksPerN:B:S:C", "CoreSpec", "ThreadSpec",
    "JOB_GRES", "Nodes", "MinCPUsNode", "MinMemoryNode", "MinMemoryCPU", "MinTmpDiskNode", "Features",
    "Reservation", "DelayBoot", "OverSubscribe", "Contiguous", "Licenses", "Network", "Command", "WorkDir",
    "AdminComment", "SystemComment", "Comment", "BurstBuffer", "Switches", "StdErr", "StdIn", "StdOut",
    "BatchScript", "Power", "TresPerJob", "TresPerNode", "TresPerSocket", "TresPerTask", "MemPerTres",
    "CpusPerTres", "TresBind", "TresFreq", "NtasksPerTRES", "MailUser", "MailType",
    "KillOInInvalidDependent", "Container", "ClusterFeatures",
]  # fmt: skip
_KEY = re.compile(rf"(?<!\S)({'|'.join(map(re.escape, _KEYS))})=")
_IDENTITY = re.compile(r"(?:\n {3}|\s)UserId=[^\s()]+\([0-9]+\)\s+GroupId=")


@dataclass(frozen=True)
class SlurmJob:
    """One job as Slurm knows it.

    Attributes:
        state: None if Slurm used a word that is not known here.
        reason: why it waits or how it ended, in Slurm's word.
        exit_code: `code:signal`; tells little, decide on the state (measured).
        nodes: its nodes in Slurm's short form, empty before it starts.
        num_cpus: its cores.
        start_time: the planned one for some pending jobs.
        end_time: the latest possible one for running jobs.
        stdout_path: its log.
    """

    job_id: str
    name: str
    state: SlurmState | None
    reason: str
    exit_code: str
    nodes: str
    num_cpus: int | None
    partition: str
    account: str
    submit_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    stdout_path: str
    work_dir: str


@dataclass(frozen=True)
class QueueEntry:
    """One line of the queue.

    Attributes:
        state: None if Slurm used a word that is not known here.
    """

    job_id: str
    name: str
    state: SlurmState | None
    reason: str
    user: str
    partition: str
    account: str


@dataclass(frozen=True)
class MarkedJob:
    """A job that has not ended.

    Attributes:
        state: None if Slurm used a word that is not known here.
        comment: what its submitter wrote on it.
    """

    job_id: str
    state: SlurmState | None
    comment: str


MARK_FORMAT = "%i|%T|%k"
"""For `squeue -o`: the comment comes last, because it may hold anything."""
QUEUE_FORMAT = "%i|%T|%r|%u|%P|%a|%j"
"""For `squeue -o`: the name comes last, because it may hold anything."""


def parse_job(text: str) -> SlurmJob | None:
    """Return the first job in the output of `scontrol show job`, with or without `-o`; None if there is none.

    Times are read as UTC: ask scontrol with TZ=UTC.
    """
    fields = parse_fields(text)
    if "JobId" not in fields or "JobState" not in fields:
        return None
    cpus = re.match("[0-9]+", fields.get("NumCPUs", ""))
    return SlurmJob(
        job_id=fields["JobId"],
        name=fields.get("JobName", ""),
        state=parse_state(fields["JobState"]),
        reason=_given(fields.get("Reason", "")),
        exit_code=fields.get("ExitCode", ""),
        nodes=_given(fields.get("NodeList", "")),
        num_cpus=int(cpus.group()) if cpus else None,
        partition=_given(fields.get("Partition", "")),
        account=_given(fields.get("Account", "")),
        submit_time=_time(fields.get("SubmitTime", "")),
        start_time=_time(fields.get("StartTime", "")),
        end_time=_time(fields.get("EndTime", "")),
        stdout_path=_given(fields.get("StdOut", "")),
        work_dir=_given(fields.get("WorkDir", "")),
    )


def parse_fields(text: str) -> dict[str, str]:
    """Return the fields of the first record of `scontrol show job`.

    A value reaches to the next known key, so it may hold blanks and even `=`. Of a repeated key the first
    counts: what users choose freely (command, paths, comment) stands behind the rest, except the name.
    """
    start = re.search(r"^JobId=", text, re.MULTILINE)
    if start is None:
        return {}
    text = text[start.start() :]
    another = re.search(r"\n(?=JobId=[0-9]+ (?:Array|Het|JobName=))", text)
    text = text[: another.start()] if another else text
    fields: dict[str, str] = {}
    head, name_key, rest = text.partition("JobName=")
    identity = _IDENTITY.search(rest)
    if name_key and identity:
        fields["JobName"] = rest[: identity.start()]
        _collect(fields, head)
        _collect(fields, rest[identity.start() :])
    else:
        _collect(fields, text)
    return fields


def parse_queue(text: str) -> list[QueueEntry]:
    """Return the entries in the output of `squeue -h -o QUEUE_FORMAT`; lines that are none are left out."""
    entries = []
    for line in text.split("\n"):
        parts = line.split("|", 6)
        if len(parts) == 7 and re.match("[0-9]", parts[0]):
            job_id, state, reason, user, partition, account, name = parts
            entries.append(
                QueueEntry(job_id, name, parse_state(state), _given(reason), user, partition, _given(account))
            )
    return entries


def parse_marks(text: str) -> list[MarkedJob]:
    """Return the jobs in the output of `squeue -h -o MARK_FORMAT`; lines that are none are left out."""
    found = [line.split("|", 2) for line in text.split("\n")]
    return [
        MarkedJob(parts[0], parse_state(parts[1]), _given(parts[2]))
        for parts in found
        if len(parts) == 3 and re.match("[0-9]", parts[0])
    ]


def _collect(fields: dict[str, str], text: str) -> None:
    marks = list(_KEY.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        value = text[mark.end() : following.start() if following else len(text)]
        fields.setdefault(mark[1], value.strip())


def _given(value: str) -> str:
    return "" if value in ("(null)", "None") else value


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None  # Unknown, None, N/A
