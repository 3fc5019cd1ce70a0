"""What a controller keeps on disk, so that one that is killed and started again loses no job.

JSON lines, appended before anybody is told: `request` (what a job asks for, once), `job` (a job as it is
now), `forget`, `node` and `partition`. A torn last line, from a kill in the middle of a write, never counted.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO

from lute.slurm.states import SlurmState
from simulators.slurm.job import ArrayPlace, Job
from simulators.slurm.placement import Share
from simulators.slurm.request import ArraySpec, Geometry, JobRequest, Person
from simulators.slurm.state import Cluster, Node, Partition

_FORGOTTEN = 100
"""The journal starts anew after so many jobs were forgotten, or as many as there are, if that is more."""
_SIMPLE = [
    item.name
    for item in fields(Job)
    if item.name not in ("request", "state", "outcome", "requeued_as", "shares", "array")
]


class Journal:
    """The journal of one cluster.

    Args:
        path: its file; private, because environments of jobs are in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._cluster: Cluster | None = None
        self._known: set[int] = set()
        self._forgotten = 0

    def load(self, cluster: Cluster) -> None:
        """Bring `cluster` to where the journal says, and start a new one from there."""
        requests: dict[int, JobRequest] = {}
        records: dict[int, dict[str, Any]] = {}
        for entry in self._entries():
            kind = entry.pop("kind")
            if kind == "request":
                requests[entry["id"]] = _request(entry["request"])
            elif kind == "job":
                records.pop(entry["id"], None)
                records[entry["id"]] = entry
            elif kind == "forget":
                records.pop(entry["id"], None)
            elif kind == "node":
                _set_node(cluster, cluster.nodes[cluster.index[entry["name"]]], entry)
            elif kind == "partition":
                cluster.partitions[entry["name"]].state = entry["state"]
            if "next_id" in entry:
                cluster.next_id, cluster.next_priority = entry["next_id"], entry["next_priority"]
        for record in sorted(records.values(), key=lambda record: record["id"]):
            job = _job(record, requests[record["request_id"]])
            cluster.jobs[job.id] = job
            if job.is_placed:
                cluster.restore(job)
        self._cluster = cluster
        self._start_anew(cluster)

    def note_job(self, job: Job, cluster: Cluster) -> None:
        """Keep a job as it is now."""
        request_id = job.array.job_id if job.array else job.id
        if request_id not in self._known:
            self._known.add(request_id)
            self._write({"kind": "request", "id": request_id, "request": asdict(job.request)})
        record = {name: getattr(job, name) for name in _SIMPLE}
        record |= {
            "kind": "job",
            "request_id": request_id,
            "state": job.state.value,
            "outcome": job.outcome and job.outcome.value,
            "requeued_as": job.requeued_as and job.requeued_as.value,
            "shares": [list(share) for share in job.shares],
            "array": job.array and [job.array.job_id, job.array.task_id, job.array.waiting],
            "next_id": cluster.next_id,
            "next_priority": cluster.next_priority,
        }
        self._write(record)

    def note_forgotten(self, job_id: int) -> None:
        """Keep that a job is forgotten; now and then start anew, so that its environment is forgotten too."""
        self._write({"kind": "forget", "id": job_id})
        self._forgotten += 1
        if self._cluster is not None and self._forgotten >= max(_FORGOTTEN, len(self._cluster.jobs)):
            self._start_anew(self._cluster)

    def note_node(self, node: Node) -> None:
        """Keep the state of a node."""
        state = {"admin": node.admin, "responding": node.responding, "reason": node.reason}
        self._write({"kind": "node", "name": node.name, **state})

    def note_partition(self, partition: Partition) -> None:
        """Keep the state of a partition."""
        self._write({"kind": "partition", "name": partition.name, "state": partition.state})

    def remove(self) -> None:
        """Give the journal up: its cluster has ended."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._path.unlink(missing_ok=True)

    def _entries(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    return
                yield json.loads(line)

    def _start_anew(self, cluster: Cluster) -> None:
        """Replace the file by one that holds only what is needed."""
        if self._file is not None:
            self._file.close()
        self._known.clear()
        self._forgotten = 0
        new = self._path.with_name(f"{self._path.name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        self._file = new.open("a", encoding="utf-8")
        self._write({"kind": "start", "next_id": cluster.next_id, "next_priority": cluster.next_priority})
        for job in cluster.jobs.values():
            self.note_job(job, cluster)
        for node in cluster.nodes:
            if node.admin:
                self.note_node(node)
        for partition in cluster.partitions.values():
            self.note_partition(partition)
        new.replace(self._path)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()  # the kernel has it: a kill of this process cannot take it back


def _request(record: dict[str, Any]) -> JobRequest:
    spec = record.pop("array")
    memory = record.pop("memory_env")
    for name in ("arguments", "partitions", "nodelist", "exclude"):
        record[name] = tuple(record[name])
    return JobRequest(
        **record
        | {
            "person": Person(**record["person"]),
            "geometry": Geometry(**record["geometry"]),
            "array": spec and ArraySpec(**spec | {"tasks": tuple(spec["tasks"])}),
            "memory_env": memory and (memory[0], memory[1]),
        }
    )


def _job(record: dict[str, Any], request: JobRequest) -> Job:
    array = record["array"]
    job = Job(
        request=request,
        state=SlurmState(record["state"]),
        outcome=SlurmState(record["outcome"]) if record["outcome"] else None,
        requeued_as=SlurmState(record["requeued_as"]) if record["requeued_as"] else None,
        shares=tuple(Share(*share) for share in record["shares"]),
        array=ArrayPlace(*array) if array else None,
        **{name: record[name] for name in _SIMPLE},
    )
    job.cores, job.node_names = tuple(job.cores), tuple(job.node_names)
    return job


def _set_node(cluster: Cluster, node: Node, entry: dict[str, Any]) -> None:
    node.admin, node.responding, node.reason = entry["admin"], entry["responding"], entry["reason"]
    cluster.set_available(node)
