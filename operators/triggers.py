"""The trigger that waits for a job while its task is deferred: no worker slot, no process of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from lute.errors import LuteError, RemoteError, TransientError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.log_text import clean_log
from lute.jid.start import JobGone
from lute.jid.wire import parse_record
from lute.operators._compat import (
    TRIGGER_HAS_ON_KILL,
    BaseTrigger,
    TaskSuccessEvent,
    TriggerEvent,
    was_ended_by_user,
)
from lute.operators.polling import shared_poller
from lute.operators.tokens import RunToken
from lute.operators.waiting import Limits, Wait
from lute.operators.xcoms import job_xcom
from lute.seams import current_runtime
from lute.settings import environment, load_settings

_KILL_PATIENCE_S = 25.0
"""Airflow 3.3 gives `on_kill` 30 s (`triggerer.on_kill_timeout`)."""

T = TypeVar("T")


class JobTrigger(BaseTrigger):  # type: ignore[misc]
    """Waits until a job has ended, with as many polls as `lute.operators.waiting` says.

    A job that is DONE and whose log can be read ends its task from here, with the operator's XComs: Airflow
    would need seconds to start a worker's process for that. Anything else is for the operator to judge. It
    gets `{"job": document}` with the job's final status, or `{"job": document, "trouble": {"what",
    "endpoint", "http_status", "next_step", "again"}}` if the wait ended otherwise.

    Args:
        base_url: the JID's.
        authorization: as in the run's conf; Airflow stores a trigger's arguments, in clear if it has no
            Fernet key.
        job: the job's document.
        document: what `start_job` was given.
        submitted_s: when the wait began, in POSIX seconds.
        poke_interval_s, queue_timeout_s, run_timeout_s: see the operator.
    """

    def __init__(
        self,
        *,
        base_url: str,
        authorization: str,
        job: dict[str, Any],
        document: dict[str, Any],
        submitted_s: float,
        poke_interval_s: float,
        queue_timeout_s: float | None,
        run_timeout_s: float | None,
    ) -> None:
        super().__init__()
        self._arguments: dict[str, Any] = {
            "base_url": base_url,
            "authorization": authorization,
            "job": job,
            "document": document,
            "submitted_s": submitted_s,
            "poke_interval_s": poke_interval_s,
            "queue_timeout_s": queue_timeout_s,
            "run_timeout_s": run_timeout_s,
        }
        self._limits = Limits(poke_interval_s, queue_timeout_s, run_timeout_s)
        self._token = RunToken(authorization)
        self._record = parse_record(job)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments: the next triggerer goes on with them."""
        return f"{type(self).__module__}.{type(self).__name__}", dict(self._arguments)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield one event."""
        try:
            yield await self._event()
        except asyncio.CancelledError:
            if not TRIGGER_HAS_ON_KILL and await _in_thread(was_ended_by_user, self.task_instance):
                await self.on_kill()
            raise

    async def on_kill(self) -> None:
        """Cancel the job: a user has ended the task. Airflow 2 does not call this by itself."""
        try:
            await _in_thread(lambda: self._client(_KILL_PATIENCE_S).kill_job(self._record))
        except LuteError as error:
            self.log.error("Slurm job %s may still run: %s", self._record.tool_id, error.what)

    async def _event(self) -> TriggerEvent:
        try:
            record = await self._wait()
        except RemoteError as error:
            trouble = {
                "what": error.reason,
                "endpoint": error.endpoint,
                "http_status": error.http_status,
                "next_step": error.next_step,
                "again": isinstance(error, TransientError | JobGone),
            }
            return TriggerEvent({"job": self._record.document, "trouble": trouble})
        if record.status is not None and record.status.is_success:
            try:
                log = await _in_thread(lambda: self._client(0.0).job_log_file(record))
            except RemoteError as error:
                self.log.info("The log of Slurm job %s is left to a worker: %s", record.tool_id, error.what)
            else:
                limit_kib = load_settings(environment()).logs.max_kib
                log = clean_log(log, max_kib=limit_kib, where=record.log_file_path)
                # The log first: Airflow 2 stores it together with the state, and what follows a moment later.
                return TaskSuccessEvent(xcoms={"log": log, "job": job_xcom(record)})
        return TriggerEvent({"job": record.document})

    async def _wait(self) -> JobRecord:
        client = await _in_thread(self._client, 0.0)
        settings, clock = load_settings(environment()), current_runtime().clock

        async def ask(records: list[JobRecord]) -> list[JobRecord]:
            return await _in_thread(client.job_statuses, records)

        def now_s() -> float:
            return clock.now().timestamp()

        submitted_s = self._arguments["submitted_s"]
        wait = Wait(self._record, self._limits, settings.timeouts, submitted_s=submitted_s, now_s=now_s())
        while not wait.is_over:
            # Each time anew: it is given up once nobody waits there, as while this one asks the script.
            poller = shared_poller(self._arguments["base_url"], self._arguments["authorization"])
            try:
                found = await poller.poll(wait.record, wait.pause_s(now_s()), ask)
            except TransientError as error:
                wait.untold(error, now_s())
                continue
            wait.told(found, now_s())
            if wait.doubts(now_s(), poller.together):
                wait.asked_script(await self._ask_script(client, wait.record), now_s())
        return wait.record

    async def _ask_script(self, client: JidClient, record: JobRecord) -> JobRecord | None:
        try:
            return await _in_thread(client.known_job, self._arguments["document"], record)
        except JobGone:
            raise
        except RemoteError:  # a question without an answer ends no job
            return None

    def _client(self, patience_s: float) -> JidClient:
        return JidClient(
            self._arguments["base_url"],
            self._token,
            runtime=current_runtime(),
            timeouts=load_settings(environment()).timeouts,
            patience_s=patience_s,
            is_renewed=self._token.is_renewed,
        )


async def _in_thread(call: Callable[..., T], *args: Any) -> T:
    """Call something that waits for others, without holding the loop up."""
    return await sync_to_async(call, thread_sensitive=False)(*args)
