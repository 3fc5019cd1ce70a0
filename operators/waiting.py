"""Waiting for a job: when to ask, and what the answers mean. No clock, no HTTP and no Airflow in here.

The blocking form of the operator and the trigger of the deferrable one ask in their own ways, and go by this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from lute.errors import PermanentError, TransientError
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.settings import TimeoutSettings

_SHORTEST_POLL_S = 0.35
_POLL_AGE_FRACTION = 0.16
_LONGEST_BACK_OFF_S = 30.0
_IDENTITY = frozenset({"_id", "tool_id", "experiment", "user", "def"})
"""What of a document says which job it is and how it was asked for: no reply may change it."""
_FIRST_DOUBT_S = 600.0
_NEXT_DOUBT_S = 1800.0
_MOST_TOGETHER = 6
"""Six times as long with six jobs or more, so that many of them cost no more than a few."""
_OUTAGE_FOR_DOUBT_S = 60.0
"""Slurm forgets a job 300 s after its end (MinJobAge): who was away may have missed it."""
_TURNS_AFTER_OUTAGE_S = 60.0


@dataclass(frozen=True)
class Limits:
    """How long a step waits for what, in seconds.

    Attributes:
        poke_interval_s: longest time between two polls.
        queue_s: the job waits in the queue for at most so long; None for any time.
        run_s: it runs for at most so long; None for any time.
    """

    poke_interval_s: float
    queue_s: float | None = None
    run_s: float | None = None


def poll_interval_s(age_s: float, longest_s: float) -> float:
    """Return how long to wait before the next poll of a job that was submitted `age_s` seconds ago.

    A sixth of the age, so that the end of a short job is seen at once and a long job costs few requests.
    """
    return min(longest_s, max(_SHORTEST_POLL_S, age_s * _POLL_AGE_FRACTION))


class Wait:
    """One job that is waited for.

    All moments are POSIX seconds, so that another process may go on.

    Args:
        submitted_s: when it was submitted.
        now_s: when this wait begins.

    Attributes:
        record: the job as the JID last told of it.
    """

    def __init__(
        self,
        record: JobRecord,
        limits: Limits,
        timeouts: TimeoutSettings,
        *,
        submitted_s: float,
        now_s: float,
    ) -> None:
        self.record = record
        self._limits = limits
        self._timeouts = timeouts
        self._submitted_s = submitted_s
        self._understood_s = self._reached_s = now_s
        self._since_s = submitted_s
        self._failures = 0
        # Jobs that were submitted together must not be doubted together: each has its turn.
        self._turn = crc32(record.tool_id.encode()) / 2**32
        self._doubt_from_s, self._doubt_pause_s = now_s, _FIRST_DOUBT_S * (1 + self._turn)

    @property
    def is_over(self) -> bool:
        """Whether the job's status is final."""
        return self.record.status is not None and not self.record.status.is_active

    def pause_s(self, now_s: float) -> float:
        """Return how long to wait before the next poll."""
        if self._failures:
            return min(_LONGEST_BACK_OFF_S, 0.5 * 2.0 ** min(self._failures, 10))
        return poll_interval_s(now_s - self._submitted_s, self._limits.poke_interval_s)

    def told(self, found: Sequence[JobRecord], now_s: float) -> str:
        """Take the answer to a poll; return what is new, in words, or nothing.

        Raises:
            PermanentError: nobody has told a status for too long, or a limit of the step is exceeded.
        """
        if self._failures and now_s - self._reached_s > _OUTAGE_FOR_DOUBT_S:
            self._doubt_from_s, self._doubt_pause_s = now_s + self._turn * _TURNS_AFTER_OUTAGE_S, 0.0
        self._reached_s, self._failures = now_s, 0
        before = self.record
        mine = [now for now in found if now.tool_id == before.tool_id]
        if len(found) == 1 and not found[0].tool_id:
            mine = list(found)  # nobody else's
        self.record = (
            _updated(before, mine[0])
            if mine
            else replace(before, status=None, status_word="(not in the reply)")
        )
        if self.record.status is None:
            if now_s - self._understood_s > self._timeouts.unknown_status_s:
                raise self._not_understood(now_s)
        else:
            self._understood_s = now_s
        if self.record.status is not before.status:
            self._since_s = now_s
        self._check_limits(now_s)
        return "" if self.record.status is before.status else self.record.status_word or "(no status)"

    def untold(self, error: TransientError, now_s: float) -> None:
        """Take the failure of a poll.

        Raises:
            TransientError: that one, after too long an outage.
        """
        self._failures += 1
        if now_s - self._reached_s > self._timeouts.outage_s:
            raise error

    def doubts(self, now_s: float, together: int = 1) -> bool:
        """Whether to ask the submit script, now, if Slurm still knows the job.

        A JID repeats the last status of a job that Slurm has forgotten (assumed), for ever.

        Args:
            together: so many jobs are waited for here: the more, the more seldom each is doubted.
        """
        pause_s = self._doubt_pause_s * min(together, _MOST_TOGETHER)
        return not self.is_over and now_s >= self._doubt_from_s + pause_s

    def asked_script(self, found: JobRecord | None, now_s: float) -> None:
        """Take the submit script's answer, None where it could not be had."""
        if found is None:
            self._doubt_from_s, self._doubt_pause_s = now_s + _OUTAGE_FOR_DOUBT_S, 0.0
            return
        self._doubt_from_s, self._doubt_pause_s = now_s, _NEXT_DOUBT_S
        if found.tool_id == self.record.tool_id and found.status is not None and not found.status.is_active:
            self.record = _updated(self.record, found)

    def _check_limits(self, now_s: float) -> None:
        status, limits = self.record.status, self._limits
        waited_s = now_s - self._since_s
        if status in (JobStatus.START, JobStatus.SUBMITTED) and limits.queue_s and waited_s > limits.queue_s:
            what, name = f"has waited in the queue for {waited_s:.0f} s", "queue_timeout_s"
        elif status is JobStatus.RUNNING and limits.run_s and waited_s > limits.run_s:
            what, name = f"has run for {waited_s:.0f} s", "run_timeout_s"
        else:
            return
        raise PermanentError(
            f"Slurm job {self.record.tool_id} {what}, longer than {name} of the step allows",
            endpoint="job_statuses",
            next_step=f"see why: scontrol show job {self.record.tool_id}; or raise {name} in the DAG file",
        )

    def _not_understood(self, now_s: float) -> PermanentError:
        job = self.record.tool_id
        return PermanentError(
            f"the JID tells no status for Slurm job {job}: its word is '{self.record.status_word}',"
            f" for {now_s - self._understood_s:.0f} s now",
            endpoint="job_statuses",
            next_step=f"look at the job: scontrol show job {job}",
        )


def _updated(record: JobRecord, now: JobRecord) -> JobRecord:
    return replace(
        record,
        status=now.status,
        status_word=now.status_word,
        log_file_path=now.log_file_path or record.log_file_path,
        document=record.document
        | {key: value for key, value in now.document.items() if key not in _IDENTITY},
    )
