"""The JID of a recording."""

import json
from collections.abc import Sequence
from typing import Any

from simulators.jid.paths import PREFIX, find
from simulators.net.messages import HttpReply, HttpRequest
from simulators.recording.course import Course
from simulators.recording.forms import Form, job_ids
from simulators.recording.model import Exchange
from simulators.recording.reader import Recording
from simulators.recording.stage import RecordedService, Stage, same_reply
from simulators.recording.walk import map_strings

_Told = dict[str, Any] | Exchange | None
"""What was told of a job: its document, a whole reply that was no success, nothing."""


class RecordedJid(RecordedService):
    """Answers each request as then; status requests by the time since the job's start.

    Statuses are kept by job, so that it does not matter how many jobs one request asks for.
    """

    def __init__(self, recording: Recording, stage: Stage) -> None:
        super().__init__("jid", recording, stage, PREFIX)
        self._courses: dict[str, Course[_Told]] = {}
        self._started_s: dict[str, float] = {}
        exchanges = recording.of("jid")
        for exchange in exchanges:
            document = _started(exchange)
            if document is not None and (job_id := str(document["tool_id"])) not in self._courses:
                told = [(0.0, document), *_told_of(job_id, exchange.replied_s, exchanges)]
                self._courses[job_id] = Course(told, _same)

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name of what is asked."""
        found = find(request.url)
        return f"jid.{found.name}" if found else "jid.other"

    def answer(self, request: HttpRequest, body: Any) -> HttpReply:
        """Answer a request; see `RecordedService.answer`."""
        form = self.form(request, body)
        if form.is_poll:
            return self._statuses(form, body)
        exchange = self.ledger.take(form)
        document = _started(exchange)
        if document is not None:
            self._started_s.setdefault(str(document["tool_id"]), self.stage.now_s())
            for name in ("_id", "def_id"):
                self.stage.names.pair(exchange.asked.get(name), body.get(name))
        return self.reply(exchange)

    def _statuses(self, form: Form, body: Any) -> HttpReply:
        documents = []
        for job_id in job_ids(body):
            if job_id not in self._started_s:
                raise self.ledger.unknown(form)
            told = self._courses[job_id].at(self.stage.now_s() - self._started_s[job_id])
            if isinstance(told, Exchange):
                return self.reply(told)
            if told is not None:
                documents.append(map_strings(told, self.stage.names.to_present))
        value = documents if isinstance(body, list) else documents[0] if documents else None
        return HttpReply(200, json.dumps({"success": True, "value": value}).encode())


def _value(exchange: Exchange) -> Any:
    """Return the value of a reply that says success."""
    reply = exchange.answered if exchange.status == 200 and exchange.failure is None else None
    return reply.get("value") if isinstance(reply, dict) and reply.get("success") is True else None


def _started(exchange: Exchange) -> dict[str, Any] | None:
    """Return the document of the job that an exchange started, None if it did not."""
    value = _value(exchange) if exchange.path.endswith("/start_job") else None
    return (
        value
        if isinstance(value, dict) and value.get("tool_id") and isinstance(exchange.asked, dict)
        else None
    )


def _told_of(job_id: str, started_s: float, exchanges: Sequence[Exchange]) -> list[tuple[float, _Told]]:
    """Return what status replies told of a job, with the time since its start."""
    found: list[tuple[float, _Told]] = []
    for exchange in exchanges:
        if not exchange.path.endswith("/job_statuses") or job_id not in job_ids(exchange.asked):
            continue
        value = _value(exchange)
        told: _Told = exchange
        if value is not None:
            documents = value if isinstance(value, list) else [value]
            known = {str(item.get("tool_id")): item for item in documents if isinstance(item, dict)}
            told = known.get(job_id)
        found.append((exchange.replied_s - started_s, told))
    return found


def _same(one: _Told, other: _Told) -> bool:
    if isinstance(one, Exchange) and isinstance(other, Exchange):
        return same_reply(one, other)
    return one == other
