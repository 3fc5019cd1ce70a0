"""The life of one step: submit, remember, poll, collect. Knows nothing of Airflow."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lute.errors import LuteError, PermanentError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.log_text import clean_log
from lute.jid.status import JobStatus
from lute.seams import Clock
from lute.settings import Settings

_SHORTEST_POLL_S = 1.0
_POLL_AGE_FRACTION = 0.1
_IDENTITY = frozenset({"_id", "tool_id", "experiment", "user"})
"""What of a document says which job it is: no reply may change it."""


class StepStopped(Exception):
    """The step was stopped from outside. The text says what became of its job."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended.

    Attributes:
        status: the job's final status, DONE alone being success.
        log: its log, cut and cleaned; a note instead of it where it could not be read.
    """

    record: JobRecord
    status: JobStatus
    log: str


def poll_interval_s(age_s: float, longest_s: float) -> float:
    """Return how long to wait before the next poll of a job that was submitted `age_s` seconds ago.

    A tenth of the age, so that the end of a short job is seen at once and a long job costs few requests.
    """
    return min(longest_s, max(_SHORTEST_POLL_S, age_s * _POLL_AGE_FRACTION))


class Lifecycle:
    """Runs one job through the JID. Whatever goes wrong once the job exists, the job is cancelled.

    Args:
        remember: called with the record as soon as the job exists.
        stopped: asked before each poll; True ends the wait with `StepStopped`.
    """

    def __init__(
        self,
        client: JidClient,
        *,
        clock: Clock,
        settings: Settings,
        poke_interval_s: float,
        log: logging.Logger,
        remember: Callable[[JobRecord], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._client = client
        self._clock = clock
        self._settings = settings
        self._poke_interval_s = poke_interval_s
        self._log = log
        self._remember = remember
        self._stopped = stopped

    def run(self, document: dict[str, Any]) -> Outcome:
        """Submit the job, wait for its end, fetch its log.

        Raises:
            RemoteError: the JID refused, or was out of reach or not understood for too long. Never
                transient while the job may still run, so that nobody tries again beside it.
            StepStopped: `stopped` said so.
        """
        started_s = self._clock.monotonic()
        record = self._client.start_job(document)
        try:
            self._remember(record)
            self._log.info("Slurm job %s submitted", record.tool_id)
            record, status = self._wait(record, started_s)
        except RemoteError as error:
            fate, cancelled = self._cancel(record)
            kind = TransientError if cancelled and isinstance(error, TransientError) else PermanentError
            raise kind(
                f"{error.what}; {fate}",
                endpoint=error.endpoint,
                http_status=error.http_status,
                next_step=error.next_step,
            ) from error
        except StepStopped:
            raise StepStopped(self._cancel(record)[0]) from None
        except Exception:
            self._log.error("%s", self._cancel(record)[0])
            raise
        self._log.info("Slurm job %s: %s", record.tool_id, status)
        return Outcome(record, status, self._collect(record))

    def _cancel(self, record: JobRecord) -> tuple[str, bool]:
        """Have the job cancelled and return what became of it, in words, and whether that is certain."""
        try:
            self._client.kill_job(record)
        except LuteError as error:
            return f"Slurm job {record.tool_id} may still run, it could not be cancelled: {error.what}", False
        return f"Slurm job {record.tool_id} was cancelled", True

    def _wait(self, record: JobRecord, started_s: float) -> tuple[JobRecord, JobStatus]:
        """Poll until the job's status is final. A status that is none is asked again for a bounded time."""
        understood_s = self._clock.monotonic()
        while True:
            if self._stopped():
                raise StepStopped
            now_s = self._clock.monotonic()
            if record.status is not None:
                if not record.status.is_active:
                    return record, record.status
                understood_s = now_s
            elif now_s - understood_s > self._settings.timeouts.unknown_status_s:
                raise PermanentError(
                    f"the JID tells no status for Slurm job {record.tool_id}: its word is"
                    f" '{record.status_word}', for {now_s - understood_s:.0f} s now",
                    endpoint="job_statuses",
                    next_step=f"look at the job: scontrol show job {record.tool_id}",
                )
            self._clock.sleep(poll_interval_s(now_s - started_s, self._poke_interval_s))
            if not self._stopped():
                record = self._poll(record)

    def _poll(self, record: JobRecord) -> JobRecord:
        found = [now for now in self._client.job_statuses([record]) if now.tool_id in (record.tool_id, "")]
        if not found:
            return replace(record, status=None, status_word="(not in the reply)")
        now = found[0]
        if now.status != record.status:
            self._log.info("Slurm job %s: %s", record.tool_id, now.status_word or "(no status)")
        return replace(
            record,
            status=now.status,
            status_word=now.status_word,
            log_file_path=now.log_file_path or record.log_file_path,
            document=record.document
            | {key: value for key, value in now.document.items() if key not in _IDENTITY},
        )

    def _collect(self, record: JobRecord) -> str:
        """Fetch the log. Its absence never changes the verdict on the job."""
        where = record.log_file_path
        try:
            text = self._client.job_log_file(record)
        except RemoteError as error:
            self._log.warning("The log of Slurm job %s cannot be read: %s", record.tool_id, error)
            return f"[the log of Slurm job {record.tool_id}, {where}, cannot be read: {error.what}]\n"
        return clean_log(text, max_kib=self._settings.logs.max_kib, where=where)
