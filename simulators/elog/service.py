"""The eLog's answers: a request in, a reply out."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from simulators.elog.state import TRIGGERS, Document, ElogState, Experiment
from simulators.jid.tokens import TokenAuthority
from simulators.net.messages import HttpReply, HttpRequest

LONGEST_TOKEN_MIN = 480
_OWN_TOKEN_MIN = 10
"""Lifetime of the tokens with which the eLog itself asks a JID."""
_JOB_FIELDS = ("status", "counters", "tool_id", "log_file_path")
_LABELLED_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Call:
    """One request, its path and its user made out.

    Attributes:
        name: of the endpoint, as in the route table.
        user: who asks.
        is_kerberos: whether a Kerberos ticket says so.
        last: the last part of the path, where it varies (`runs/12`).
        query: the parameters after `?`; of repeats the first.
        document: the JSON of the body, None without one.
    """

    name: str
    experiment: Experiment
    user: str
    is_kerberos: bool = False
    last: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    document: Any = None


class Fault(Exception):
    """The eLog's code raises; its client sees a page of HTML with HTTP 500."""


def json_answer(status: int, value: Any) -> HttpReply:
    """Return JSON as Flask writes it: in ASCII."""
    return HttpReply(status, json.dumps(value).encode())


def success(value: Any) -> HttpReply:
    """Return the reply to what was done."""
    return json_answer(200, {"success": True, "value": value})


def soft_failure(message: str) -> HttpReply:
    """Return the reply to what was understood and not done: HTTP 200."""
    return json_answer(200, {"success": False, "errormsg": message, "value": None})


def hard_failure(text: str, status: int = 500) -> HttpReply:
    """Return a failure in plain text that calls itself JSON."""
    return HttpReply(status, text.encode(), _LABELLED_JSON)


def page(status: int, content_type: str = _LABELLED_JSON) -> HttpReply:
    """Return a page of HTML, which calls itself JSON unless no route was found (words abridged)."""
    phrase = HTTPStatus(status).phrase
    text = f"<!doctype html>\n<html lang=en>\n<title>{status} {phrase}</title>\n<h1>{phrase}</h1>\n"
    return HttpReply(status, text.encode(), content_type)


class ElogService:
    """One eLog.

    Args:
        tokens: issues the tokens that the JID checks.
        ask_jid: sends a request to a JID and returns its reply.
    """

    def __init__(
        self, state: ElogState, tokens: TokenAuthority, ask_jid: Callable[[HttpRequest], HttpReply]
    ) -> None:
        self._state = state
        self._tokens = tokens
        self._ask_jid = ask_jid
        self._work: Mapping[str, Callable[[Call], HttpReply]] = {
            "token": self._token,
            "workflow_definitions": self._workflow_definitions,
            "create_update_workflow_def": self._create_update_workflow_def,
            "workflow_jobs": self._workflow_jobs,
            "create_workflow_job": self._create_workflow_job,
            "update_workflow_job": self._update_workflow_job,
            "kill_workflow_job": self._kill_workflow_job,
            "run": self._run,
            "add_run_params": self._add_run_params,
        }

    def handle(self, call: Call) -> HttpReply:
        """Answer a request of somebody who may ask it."""
        try:
            return self._work[call.name](call)
        except Fault:
            return page(500)

    def _token(self, call: Call) -> HttpReply:
        lifetime_min = _int(call.query.get("token_lifetime", "1"))
        if lifetime_min > LONGEST_TOKEN_MIN:
            return hard_failure("Cannot generate tokens with lifetimes larger than 480 minutes")
        if not call.is_kerberos:
            return hard_failure("Tokens are support only with the ws-kerb endpoint")  # as it says
        try:
            return success(self._tokens.issue(call.user, call.experiment.name, lifetime_min=lifetime_min))
        except OverflowError:
            raise Fault from None  # a lifetime of far less than nothing

    def _workflow_definitions(self, call: Call) -> HttpReply:
        return success(sorted(call.experiment.definitions.values(), key=lambda one: str(one["name"])))

    def _create_update_workflow_def(self, call: Call) -> HttpReply:
        """Create a definition, or replace the one with the same `_id`."""
        given = _object(call.document)
        if not given:
            return hard_failure("Please pass in the workflow definition as a JSON document.")
        wrong = self._wrong_in(given, call)
        if wrong:
            return soft_failure(wrong)
        stored = {**given, "_id": given.get("_id") or self._state.new_id(), "run_as_user": call.user}
        call.experiment.definitions[stored["_id"]] = stored
        return json_answer(200, {"success": True, "errormsg": "", "value": stored})

    def _wrong_in(self, given: Document, call: Call) -> str:
        """Return what is wrong with a definition, empty if nothing is."""
        definitions = call.experiment.definitions
        if missing := _missing(given, ("name", "executable", "trigger", "location", "parameters")):
            return f"Create/update workflow missing keys {missing}"
        if str(given["trigger"]) not in TRIGGERS:
            return f"Invalid trigger {given['trigger']} in create/update workflow"
        if str(given["location"]) not in self._state.locations:
            return f"Invalid location {given['location']} in create/update workflow"
        if call.user == "root" or (len(call.user) == 6 and call.user.endswith("opr")):
            return f"Cannot create a workflow definition for the user {call.user} for security reasons"
        if "_id" in given:
            is_known = str(given["_id"]) in definitions
            return "" if is_known else f"Cannot find workflow definition with id {given['_id']} "
        if any(one["name"] == given["name"] for one in definitions.values()):
            return f"There already exists a workflow definition for {given['name']}"
        return ""

    def _workflow_jobs(self, call: Call) -> HttpReply:
        joined = [call.experiment.joined(job) for job in call.experiment.jobs.values()]
        found = [job for job in joined if job is not None]
        return success(sorted(found, key=lambda job: -int(job["run_num"])))

    def _create_workflow_job(self, call: Call) -> HttpReply:
        """Create a job in status START; the ARP, told of it, starts it."""
        given, experiment = _object(call.document), call.experiment
        if missing := _missing(given, ("job_name", "run_num")):
            return soft_failure(f"Create/update workflow job missing keys {missing}")
        found = [one for one in experiment.definitions.values() if one["name"] == given["job_name"]]
        if not found:
            return soft_failure(f"Cannot find job definition for {given['job_name']} ")
        job = {
            "_id": self._state.new_id(),
            "run_num": _int(given["run_num"]),
            "def_id": found[0]["_id"],
            "user": call.user,
            "status": "START",
        }
        experiment.jobs[job["_id"]] = job
        return success(self._told(experiment, job, "Create"))

    def _update_workflow_job(self, call: Call) -> HttpReply:
        """Change what the ARP may change: empty values and other fields are left out."""
        given = _object(call.document)
        if not given.get("_id"):
            return hard_failure("Please pass in the job _id in a JSON document.")
        job = call.experiment.jobs.get(str(given["_id"]))
        if job is None:
            return soft_failure("Cannot find workflow job")
        job |= {name: given[name] for name in _JOB_FIELDS if given.get(name)}
        return success(self._told(call.experiment, job, "Update"))

    def _kill_workflow_job(self, call: Call) -> HttpReply:
        """Have the JID kill a job, with a token of the job's user; the words without an id are assumed."""
        experiment, job_id = call.experiment, call.query.get("job_id", "")
        if not job_id:
            return hard_failure("Please pass in the workflow job id.")
        job = experiment.jobs.get(job_id)
        joined = experiment.joined(job) if job is not None else None
        if job is None or joined is None:
            return soft_failure("Cannot find workflow job")
        token = self._tokens.issue(job["user"], experiment.name, lifetime_min=_OWN_TOKEN_MIN)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        prefix = self._state.locations.get(joined["def"]["location"])
        if prefix is None:
            raise Fault
        url = f"{prefix}jid/ws/{experiment.name}/kill_job"
        reply = self._ask_jid(HttpRequest("POST", url, headers, json.dumps(joined).encode()))
        value = _value_of(reply)
        if value is None:
            answer = page(500)
        else:
            job["status"] = value.get("status") or job["status"]
            answer = success(self._told(experiment, job, "Update"))
        answer.took_s = reply.took_s
        return answer

    def _run(self, call: Call) -> HttpReply:
        """Return a run; the real code has an answer for a missing one too, and fails before it."""
        try:
            return success(call.experiment.runs[_int(call.last)])
        except KeyError:
            raise Fault from None

    def _add_run_params(self, call: Call) -> HttpReply:
        if call.experiment.is_locked:
            return page(423)
        params = _object(call.document)
        if not params:
            return json_answer(200, {"success": True})
        runs = call.experiment.runs
        number = _int(call.query["run_num"]) if "run_num" in call.query else max(runs, default=0)
        try:
            return success(self._state.add_run_params(call.experiment, number, params))
        except KeyError:
            raise Fault from None  # assumed: as for reading a run that is not there

    def _told(self, experiment: Experiment, job: Document, change: str) -> Document:
        """Tell the ARP of a job and return the document that goes to it."""
        document = experiment.joined(job) or job
        self._state.publish("workflow_jobs", experiment, change, document)
        return document


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise Fault from None


def _object(document: Any) -> Document:
    if not isinstance(document, dict):
        raise Fault
    return document


def _missing(given: Document, needed: tuple[str, ...]) -> str:
    """Return the missing names as Python writes a set, in order; empty if there is none."""
    names = [repr(name) for name in sorted(needed) if name not in given]
    return f"{{{', '.join(names)}}}" if names else ""


def _value_of(reply: HttpReply) -> Document | None:
    """Return the document in a JID's reply, None if there is none."""
    try:
        value = json.loads(reply.body)["value"] if reply.status == 200 else None
    except (ValueError, LookupError, TypeError):
        value = None
    return value if isinstance(value, dict) else None
