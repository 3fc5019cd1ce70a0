"""Airflow's REST API of a recording, as the launcher sees it."""

import json
import re
from collections.abc import Callable
from typing import Any

from lute.airflow_api.models import RunState
from simulators.dagrunner.rest.routes import route_of
from simulators.net.messages import HttpReply, HttpRequest
from simulators.recording.course import Course
from simulators.recording.forms import Form
from simulators.recording.model import Exchange
from simulators.recording.names import conf_names
from simulators.recording.reader import Recording
from simulators.recording.stage import RecordedService, Stage, same_reply

_TRIGGER = re.compile(r"/api/v\d/dags/([^/]+)/dagRuns")
_TASKS = "/taskInstances"
_PATIENCE_S = 60.0
_FINAL = {str(state) for state in RunState if state.is_final}

Start = Callable[[str, str, dict[str, Any]], None]


class RecordedAirflow(RecordedService):
    """Answers each request as then; polls of the run by the time since its start.

    It runs nothing: `start` is told when the launcher starts the run, `fail` when it marks it failed, so that
    the operators can be run beside it.
    """

    def __init__(
        self,
        recording: Recording,
        stage: Stage,
        *,
        start: Start,
        fail: Callable[[], None],
    ) -> None:
        super().__init__("airflow", recording, stage, "")
        self._start = start
        self._fail = fail
        self._started_s: float | None = None
        self._major = (
            3 if any(found.path.startswith("/api/v2/dags/") for found in recording.of("airflow")) else 2
        )
        (first, *_) = triggers(recording)
        self._courses: dict[str, Course[Exchange]] = {}
        for key, exchanges in self.ledger.polls().items():
            told = [(exchange.replied_s - first.replied_s, exchange) for exchange in exchanges]
            if _TASKS not in key and run_state(first):
                told.insert(0, (0.0, first))  # its reply tells the run's state, too
            self._courses[key] = Course(told, same_reply)

    def endpoint(self, request: HttpRequest) -> str:
        """Return the name of what is asked."""
        return route_of(self._major, request.method, request.url).endpoint

    def answer(self, request: HttpRequest, body: Any) -> HttpReply:
        """Answer a request; see `RecordedService.answer`."""
        trigger = _TRIGGER.fullmatch(self.path_of(request)) if request.method == "POST" else None
        if trigger:
            for word, name in conf_names(body).items():
                self.stage.names.present(word, name)
        form = self.form(request, body)
        if form.is_poll:
            return self._poll(form)
        exchange = self.ledger.take(form)
        reply = self.reply(exchange)
        if trigger and has_started(exchange) and self._started_s is None:
            self._started_s = self.stage.now_s()
            self._start(trigger[1], body["dag_run_id"], json.loads(request.body)["conf"])
        elif request.method == "PATCH" and isinstance(body, dict) and body.get("state") == RunState.FAILED:
            self._fail()
        return reply

    def _poll(self, form: Form) -> HttpReply:
        course = self._courses.get(form.key)
        if course is None:
            raise self.ledger.unknown(form)
        passed_s = self.stage.now_s() - (
            self._started_s if self._started_s is not None else self.stage.now_s()
        )
        if _TASKS in form.key:
            return self.reply(course.at(passed_s))
        told = course.now if self._tasks_are_behind(course, passed_s) else course.at(passed_s)
        if run_state(told) in _FINAL:
            for tasks in self._tasks():
                tasks.finish()  # the run has ended: no task changes any more
        return self.reply(told)

    def _tasks(self) -> list[Course[Exchange]]:
        return [course for key, course in self._courses.items() if _TASKS in key]

    def _tasks_are_behind(self, run: Course[Exchange], passed_s: float) -> bool:
        """Return whether something was told of the tasks before the run's next state, and is not told yet.

        As long as the launcher asks for the tasks: for one that does not, the run goes on a little later.
        """
        next_s = run.next_s()
        if next_s is None or passed_s > next_s + _PATIENCE_S:
            return False
        times = [tasks.next_s() for tasks in self._tasks() if tasks.is_asked]
        return any(time_s is not None and time_s < next_s for time_s in times)


def triggers(recording: Recording) -> list[Exchange]:
    """Return the exchanges that start a DAG run, or try to."""
    return [
        found
        for found in recording.of("airflow")
        if found.method == "POST" and _TRIGGER.fullmatch(found.path)
    ]


def dag_id_of(trigger: Exchange) -> str:
    """Return which DAG an exchange starts."""
    found = _TRIGGER.fullmatch(trigger.path)
    return found[1] if found else ""


def has_started(trigger: Exchange) -> bool:
    """Return whether the run exists after an exchange: started by it, or, after a lost reply, before it."""
    return trigger.failure is None and (trigger.status in (200, 201, 409))


def run_state(exchange: Exchange) -> str:
    """Return the run's state that an exchange tells; empty if it tells none."""
    reply = exchange.answered
    return str(reply.get("state") or "") if exchange.status in (200, 201) and isinstance(reply, dict) else ""
