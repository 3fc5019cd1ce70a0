"""The accounting database: what sacct sees, a little later than the controller (measured lags)."""

from collections import deque
from dataclasses import dataclass

from lute.slurm.states import SlurmState
from simulators.slurm.arrays import shown_id
from simulators.slurm.job import Job
from simulators.slurm.state import Cluster


@dataclass(frozen=True, slots=True)
class Row:
    """What the database holds of one run of a job. Times are POSIX seconds.

    Attributes:
        shown_id: as sacct prints it; `job_id` is the number.
        run: how often the job was requeued before.
        state: in sacct's words, `CANCELLED by 1001` among them.
        exit_code, exit_signal: as sacct prints them, which is not what scontrol prints (measured).
        step_state, step_code, step_signal: those of its batch step; empty if it never started.
    """

    job_id: int
    shown_id: str
    run: int
    name: str
    user: str
    account: str
    partition: str
    cpus: int
    nodes: tuple[str, ...]
    state: str
    exit_code: int
    exit_signal: int
    step_state: str
    step_code: int
    step_signal: int
    submit_s: float
    start_s: float | None
    end_s: float | None


class AccountingDatabase:
    """Takes every change of a job and shows it once its lag has passed.

    Register `note` with `Lifecycle.on_change`.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rows: dict[tuple[int, int], deque[tuple[float, Row]]] = {}

    def note(self, job: Job, now_s: float) -> None:
        """Take a change."""
        latencies = self._cluster.conf.latencies
        run = job.restarts
        key = job.id, run
        is_new = key not in self._rows
        if run and is_new and (job.id, run - 1) in self._rows:
            self._close(job, now_s)
        lag_s = latencies.accounting_start_s if is_new else latencies.accounting_end_s
        versions = self._rows.setdefault(key, deque())
        visible_s = now_s + lag_s
        if versions:
            visible_s = max(visible_s, versions[-1][0])
        versions.append((visible_s, _row(job)))
        while len(versions) > 1 and versions[1][0] <= now_s:
            versions.popleft()

    def rows(self, now_s: float, *, duplicates: bool = False) -> list[Row]:
        """Return what is visible, a row a job; with `duplicates` one for each of its runs."""
        shown: dict[object, Row] = {}
        for (job_id, run), versions in sorted(self._rows.items()):
            visible = [row for visible_s, row in versions if visible_s <= now_s]
            if visible:
                shown[(job_id, run) if duplicates else job_id] = visible[-1]
        return list(shown.values())

    def _close(self, job: Job, now_s: float) -> None:
        """End the row of the run before a requeue."""
        versions = self._rows[job.id, job.restarts - 1]
        before = versions[-1][1]
        state = job.requeued_as.value if job.requeued_as else "REQUEUED"
        fields = {name: getattr(before, name) for name in Row.__slots__}
        fields |= {"state": state, "step_state": "CANCELLED", "end_s": now_s}
        versions.append((now_s + self._cluster.conf.latencies.accounting_end_s, Row(**fields)))


def _row(job: Job) -> Row:
    state = job.state
    word = state.value
    code, number = _masked(job.exit_code), job.exit_signal
    step, step_code, step_number = (word if job.shares else ""), code, number
    if state is SlurmState.COMPLETING:
        word = step = "RUNNING"  # assumed: the end is sent once it is known
        code = number = step_code = step_number = 0
    elif state is SlurmState.PENDING:
        step = ""
    elif state is SlurmState.CANCELLED:
        word = "CANCELLED" if job.canceller_uid is None else f"CANCELLED by {job.canceller_uid}"
        code = number = 0
        step = _step_state(job) if job.shares else ""
    elif state in (SlurmState.TIMEOUT, SlurmState.NODE_FAIL, SlurmState.PREEMPTED):
        code = number = 0
        step = _step_state(job)
    elif state is SlurmState.FAILED and number:
        step = "CANCELLED"
    request = job.request
    return Row(
        job.id,
        shown_id(job),
        job.restarts,
        request.name,
        request.person.user,
        request.account,
        job.partition,
        job.num_cpus if job.shares else 0,
        job.node_names,
        word,
        code,
        number,
        step,
        step_code,
        step_number,
        job.submit_s,
        job.start_s,
        job.end_s,
    )


def _step_state(job: Job) -> str:
    """Return the state of the batch step of a job that Slurm ended: as its script took it (measured)."""
    if job.exit_signal:
        return "CANCELLED"
    return "FAILED" if job.exit_code else "COMPLETED"


def _masked(exit_code: int) -> int:
    """Return an exit code as the database keeps it: without its highest bit (measured: 255 is 127)."""
    return exit_code & 0x7F
