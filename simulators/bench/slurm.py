"""How fast the fake Slurm replays a load in virtual time, and what the load meets there."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from simulators.kernel.events import Agenda, Event
from simulators.slurm.admission import RejectedError
from simulators.slurm.conf import SlurmConf
from simulators.slurm.controller import Controller
from simulators.slurm.job import Job
from simulators.slurm.request import Geometry, JobRequest, Person
from simulators.slurm.state import new_cluster
from simulators.workload.load import LoadJob, Outcome

_ORIGIN_S = 1_800_000_000.0
_PERSON = Person("bench", 1001, "bench", 1001, "/home/bench", "/bin/bash")
_PARTITION = "batch"
TOO_LARGE = "more processors than the cluster has"
REJECTED = "rejected"


class Replay:
    """One load on one cluster.

    Jobs are submitted one at a time, when their moment comes, and forgotten some minutes after their end, so
    that the memory needed does not grow with the load.

    Args:
        nodes: nodes of the cluster.
        cores: cores of each.
        scheduler_parameters: as in slurm.conf; `bf_interval=0` is first come, first served.

    Attributes:
        skipped: why jobs of the load did not run, and how many.
    """

    def __init__(self, nodes: int, cores: int, scheduler_parameters: str = "") -> None:
        width = len(str(nodes))
        members = {f"node{number:0{width}d}": cores for number in range(1, nodes + 1)}
        conf = SlurmConf(partitions={_PARTITION: members}, scheduler_parameters=scheduler_parameters)
        self._conf = conf
        self._agenda = Agenda(_ORIGIN_S)
        self._controller = Controller(new_cluster(conf), self._agenda, self)
        self._controller.life.on_end.append(self._ended)
        self._cores = nodes * cores
        self._loads: dict[int, LoadJob] = {}
        self._ends: dict[int, Event] = {}
        self._states: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._digest = hashlib.sha256()
        self._waited_s = self._used_core_s = 0.0
        self._first_s = self._last_s = 0.0

    def run(self, jobs: Iterable[LoadJob]) -> dict[str, object]:
        """Replay `jobs` to the end of the last one; return the figures, ready for JSON.

        `cpu_s` is the processor time of all of it, reading or drawing the load included; `digest` is equal
        for equal schedules.
        """
        cpu_s = time.process_time()
        self._submit_next(iter(jobs))
        self._agenda.run()
        cpu_s = time.process_time() - cpu_s
        count = self._states.total()
        makespan_s = self._last_s - self._first_s
        return {
            "jobs": count,
            "skipped": dict(self.skipped),
            "cpu_s": round(cpu_s, 2),
            "jobs_per_cpu_s": round(count / cpu_s) if cpu_s else 0,
            "peak_memory_mb": _peak_memory_mb(),
            "makespan_s": round(makespan_s, 1),
            "mean_wait_s": round(self._waited_s / count, 2) if count else 0.0,
            "utilisation": round(self._used_core_s / makespan_s / self._cores, 4) if makespan_s else 0.0,
            "final_states": dict(sorted(self._states.items())),
            "policy": "backfill" if self._conf.scheduler.bf_interval else "fifo",
            "scheduler_parameters": self._conf.scheduler_parameters,
            "digest": self._digest.hexdigest()[:16],
        }

    def start(self, job: Job) -> None:
        """Let a job run; see `Launcher`."""
        load = self._loads[job.id]
        self._ends[job.id] = self._agenda.after(load.run_s, self._ender(job.id, load.outcome))

    def stop(self, job: Job, cause: str) -> None:  # noqa: ARG002
        """End a job early; see `Launcher`."""
        self._ends[job.id].cancel()
        self._agenda.after(0.0, lambda: self._controller.ended(job.id, 0, 15))

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        """Send no signal: nobody asks for one; see `Launcher`."""

    def _ender(self, job_id: int, outcome: Outcome) -> Callable[[], None]:
        if outcome is Outcome.CANCELLED:
            return lambda: self._controller.cancel(job_id, _PERSON.uid)
        exit_code = int(outcome is Outcome.FAILED)
        return lambda: self._controller.ended(job_id, exit_code, 0)

    def _submit_next(self, jobs: Iterable[LoadJob]) -> None:
        """Plan the next submission; one whose moment has passed comes at once."""
        jobs = iter(jobs)
        load = next(jobs, None)
        if load is None:
            return

        def submit() -> None:
            self._submit(load)
            self._submit_next(jobs)

        self._agenda.at(max(self._agenda.now_s, _ORIGIN_S + load.submit_s), submit)

    def _submit(self, load: LoadJob) -> None:
        if load.procs > self._cores:
            self.skipped[TOO_LARGE] += 1
            return
        try:
            job = self._controller.submit(_request(load.procs, max(1, int(-(-load.limit_s // 60)))))
        except RejectedError as error:
            self.skipped[f"{REJECTED}: {error.text}"] += 1
            return
        self._first_s = self._first_s or job.submit_s
        self._loads[job.id] = load

    def _ended(self, job: Job) -> None:
        del self._loads[job.id], self._ends[job.id]
        start_s, end_s = job.start_s or 0.0, job.end_s or 0.0
        self._states[job.state] += 1
        self._waited_s += start_s - job.submit_s
        self._used_core_s += (end_s - start_s) * job.held_cpus
        self._last_s = max(self._last_s, end_s)
        self._digest.update(f"{job.id} {start_s:.6f} {end_s:.6f} {job.shares}\n".encode())


@lru_cache(maxsize=4096)
def _request(procs: int, limit_min: int) -> JobRequest:
    """Return the request of all jobs of the same size and time limit: to make one each would take longer."""
    geometry = Geometry(ntasks=procs)
    return JobRequest("bench", "", _PERSON, geometry, partitions=(_PARTITION,), time_limit_min=limit_min)


def _peak_memory_mb() -> float:
    """Return the most memory this process ever had; ru_maxrss may be that of the process that started it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
