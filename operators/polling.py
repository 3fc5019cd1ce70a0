"""Shared polling: one request tells all waiting jobs of a JID and a token. For the triggerer's loop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from lute.errors import PermanentError
from lute.jid.documents import JobRecord

_MOST = 200
"""So many jobs in one request."""
_EARLY = 0.5
"""Who has waited for so much of its pause is asked for together with those that are due."""

Ask = Callable[[list[JobRecord]], Awaitable[list[JobRecord]]]
"""Asks the JID for the status of these jobs."""


@dataclass(eq=False)
class _Waiting:
    record: JobRecord
    early_s: float
    due_s: float
    answer: "asyncio.Future[list[JobRecord]]"


class SharedPoller:
    """Asks for all who wait here, in as few requests as their pauses allow.

    Args:
        on_idle: called when nobody waits any more.

    Attributes:
        together: so many jobs were asked about last.
    """

    def __init__(self, on_idle: Callable[[], object] = lambda: None) -> None:
        self.together = 1
        self._on_idle = on_idle
        self._waiting: list[_Waiting] = []
        self._news = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._one_by_one = False

    async def poll(self, record: JobRecord, pause_s: float, ask: Ask) -> list[JobRecord]:
        """Return what the JID tells of a job, at most `pause_s` seconds from now.

        Args:
            ask: how; that of whoever is due first is used for all.

        Raises:
            RemoteError: as the JID answers.
        """
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        waiting = _Waiting(record, now_s + _EARLY * pause_s, now_s + pause_s, loop.create_future())
        self._waiting.append(waiting)
        self._news.set()
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._run(ask), name="lute shared poller")
        try:
            return await waiting.answer
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    async def _run(self, ask: Ask) -> None:
        """Ask until nobody waits any more."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            self._news.clear()
            left_s = min(waiting.due_s for waiting in self._waiting) - loop.time()
            if left_s > 0:
                try:
                    await asyncio.wait_for(self._news.wait(), left_s)
                except TimeoutError:
                    pass
                else:
                    continue
            now_s = loop.time()
            due = sorted(
                (waiting for waiting in self._waiting if waiting.early_s <= now_s), key=lambda one: one.due_s
            )[:_MOST]
            self._waiting = [waiting for waiting in self._waiting if waiting not in due]
            self.together = len(due)
            await self._answer(due, ask)
            await asyncio.sleep(0)  # who got an answer waits again, or not
        self._on_idle()

    async def _answer(self, due: list[_Waiting], ask: Ask) -> None:
        if len(due) > 1 and not self._one_by_one:
            found = await _asked([waiting.record for waiting in due], ask)
            if isinstance(found, list) and (len(found) <= 1 or not all(one.tool_id for one in found)):
                # A JID that answers the first document of a list only, or does not tell which job is which.
                self._one_by_one = True
            elif not isinstance(found, PermanentError) or found.http_status == 401:
                for waiting in due:
                    _settle(waiting, found)
                return
        # One by one: also to find the one that the JID refuses.
        for waiting in due:
            if not waiting.answer.done():
                _settle(waiting, await _asked([waiting.record], ask))


async def _asked(records: list[JobRecord], ask: Ask) -> list[JobRecord] | Exception:
    try:
        return await ask(records)
    except Exception as error:  # noqa: BLE001 - who waits gets to see it, whatever it is
        return error


def _settle(waiting: _Waiting, found: list[JobRecord] | Exception) -> None:
    if waiting.answer.done():
        return
    if isinstance(found, list):
        waiting.answer.set_result(found)
    else:
        waiting.answer.set_exception(found)


_pollers: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], SharedPoller]]" = (
    WeakKeyDictionary()
)


def shared_poller(base_url: str, authorization: str) -> SharedPoller:
    """Return the poller of this loop for one JID and one token."""
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    key = base_url, authorization
    if key not in pollers:
        pollers[key] = SharedPoller(on_idle=lambda: pollers.pop(key, None))
    return pollers[key]
