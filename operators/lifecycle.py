"""The life of one step: submit, wait, collect; or cancel. Knows nothing of Airflow."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from lute.errors import LuteError, PermanentError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.log_text import clean_log
from lute.jid.start import JobGone, RefusedTooLate
from lute.jid.status import JobStatus
from lute.operators.waiting import Limits, Wait
from lute.seams import Clock
from lute.settings import Settings


class JobMayRun(PermanentError):
    """The submission failed, and whether a job of it runs is not known."""


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


class Lifecycle:
    """Runs one job through the JID. Whatever goes wrong once the job may exist, the job is cancelled.

    Args:
        client: patient, for requests that nothing waits behind.
        impatient: for one attempt at a time.
        stopped: asked again and again; True ends the wait with `StepStopped`.
    """

    def __init__(
        self,
        client: JidClient,
        impatient: JidClient,
        *,
        clock: Clock,
        settings: Settings,
        log: logging.Logger,
        stopped: Callable[[], bool],
    ) -> None:
        self._client = client
        self._impatient = impatient
        self._clock = clock
        self._settings = settings
        self._log = log
        self._stopped = stopped

    def submit(self, document: dict[str, Any]) -> JobRecord:
        """Have the job submitted, or find the one that was.

        Raises:
            RemoteError: the JID refused, or was out of reach for too long. Transient only if nothing of it
                is or will be in Slurm; JobMayRun if something may be.
        """
        try:
            record = self._client.start_job(document)
        except (TransientError, RefusedTooLate) as error:
            # A request without a reply may have had its effect, or may have it yet.
            try:
                self._impatient.cancel_submission(document)
            except LuteError as trouble:
                raise _as(JobMayRun, error, f"a job of it may run: {trouble.what}") from error
            raise
        self._log.info("Slurm job %s submitted", record.tool_id)
        return record

    def wait(self, record: JobRecord, document: dict[str, Any], limits: Limits) -> JobRecord:
        """Poll until the job's status is final.

        Raises:
            RemoteError: the JID refused, was out of reach or not understood for too long, or a limit of the
                step is exceeded. Never transient while the job may still run, so that nobody tries again
                beside it.
            StepStopped: `stopped` said so.
        """
        now_s = self._now_s()
        wait = Wait(record, limits, self._settings.timeouts, submitted_s=now_s, now_s=now_s)
        try:
            while not wait.is_over:
                self._check_stopped()
                self._clock.sleep(wait.pause_s(self._now_s()))
                self._check_stopped()
                self._poll(wait)
                if wait.doubts(self._now_s()):
                    wait.asked_script(self._ask_script(document, wait.record), self._now_s())
        except RemoteError as error:
            self.abandon(wait.record, error)
        except StepStopped:
            raise StepStopped(self.cancel(wait.record)[0]) from None
        except Exception:
            self._log.error("%s", self.cancel(wait.record)[0])
            raise
        return wait.record

    def conclude(self, record: JobRecord) -> Outcome:
        """Fetch the log of a job that has ended. Its absence never changes the verdict on the job."""
        status = record.status
        if status is None or status.is_active:
            raise ValueError(f"Slurm job {record.tool_id} has not ended")
        self._log.info("Slurm job %s: %s", record.tool_id, status)
        return Outcome(record, status, self._collect(record))

    def abandon(self, record: JobRecord, error: RemoteError) -> NoReturn:
        """Cancel the job that `error` has cost, and raise that, with what became of the job.

        Raises:
            TransientError: only where the job is cancelled, so that nobody tries again beside it.
            PermanentError: else.
        """
        fate, cancelled = self.cancel(record)
        again = isinstance(error, TransientError | JobGone)
        kind = TransientError if cancelled and again else PermanentError
        raise _as(kind, error, fate) from error

    def cancel(self, record: JobRecord) -> tuple[str, bool]:
        """Have the job cancelled and return what became of it, in words, and whether that is certain."""
        try:
            self._impatient.kill_job(record)
        except LuteError as error:
            return f"Slurm job {record.tool_id} may still run, it could not be cancelled: {error.what}", False
        return f"Slurm job {record.tool_id} was cancelled", True

    def _check_stopped(self) -> None:
        if self._stopped():
            raise StepStopped

    def _poll(self, wait: Wait) -> None:
        try:
            found = self._impatient.job_statuses([wait.record])
        except TransientError as error:
            wait.untold(error, self._now_s())
            return
        if news := wait.told(found, self._now_s()):
            self._log.info("Slurm job %s: %s", wait.record.tool_id, news)

    def _ask_script(self, document: dict[str, Any], record: JobRecord) -> JobRecord | None:
        try:
            return self._impatient.known_job(document, record)
        except JobGone:
            raise
        except RemoteError as error:  # a question without an answer ends no job
            self._log.info("The submit script cannot be asked: %s", error.what)
            return None

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    def _collect(self, record: JobRecord) -> str:
        where = record.log_file_path
        try:
            text = self._client.job_log_file(record)
        except RemoteError as error:
            self._log.warning("The log of Slurm job %s cannot be read: %s", record.tool_id, error)
            return f"[the log of Slurm job {record.tool_id}, {where}, cannot be read: {error.what}]\n"
        return clean_log(text, max_kib=self._settings.logs.max_kib, where=where)


def _as(kind: type[RemoteError], error: RemoteError, fate: str) -> RemoteError:
    """Return an error of another kind that says what became of the job."""
    return kind(
        f"{error.reason}; {fate}",
        endpoint=error.endpoint,
        http_status=error.http_status,
        next_step=error.next_step,
    )
