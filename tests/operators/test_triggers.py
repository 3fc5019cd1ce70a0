"""The trigger of the deferrable form, in virtual time."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import responses

from lute.errors import ConfigError
from lute.jid.start import with_words
from lute.operators import tokens, triggers
from lute.operators.triggers import JobTrigger
from simulators.kernel.actors import Actors
from simulators.kernel.aio import VirtualLoop
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from tests.fakes import fake_runtime, settings

BASE = "http://jid.test/jid/ws"
BEGIN_S = 1_800_000_000.0
LIMITS = settings().timeouts
DOCUMENT = {
    "_id": "d1",
    "experiment": "exp",
    "def": {"executable": "/x/submit_slurm.sh", "parameters": "-t T --submission-id r/T/-1 --try 1"},
}
JOB = DOCUMENT | {"tool_id": "7", "status": "SUBMITTED", "log_file_path": "/l/7.out"}
ENDED = "submit_slurm.sh: job 7 has ended with exit code 0"

Reply = tuple[int, dict[str, Any]]


def ok(value: Any) -> Reply:
    return 200, {"success": True, "value": value}


def no(said: str) -> Reply:
    return 200, {"success": False, "errormsg": said}


class World:
    """A JID, and a loop in which triggers run.

    Attributes:
        replies: of an endpoint, by the second from which each holds; a status word stands for jobs that
            have it.
        asked: second, token and body of each request to an endpoint.
    """

    def __init__(self, jid: responses.RequestsMock) -> None:
        self.jid = jid
        self.agenda = Agenda(BEGIN_S)
        self.actors = Actors(self.agenda)
        self.loop = VirtualLoop(self.actors)
        self.replies: dict[str, dict[float, str | Reply]] = {
            "job_statuses": {0: "RUNNING"},
            "exp/start_job": {0: (503, {})},
            "exp/kill_job": {0: ok(JOB)},
        }
        self.asked: dict[str, list[tuple[float, str, Any]]] = {name: [] for name in self.replies}
        for name in self.replies:
            jid.add_callback("POST", f"{BASE}/{name}", lambda request, name=name: self._reply(name, request))

    @property
    def now_s(self) -> float:
        return self.agenda.now_s - BEGIN_S

    def _reply(self, name: str, request: Any) -> tuple[int, dict[str, str], str]:
        body = json.loads(request.body)
        self.asked[name].append((self.now_s, request.headers["Authorization"], body))
        replies = self.replies[name]
        reply = replies[max(moment_s for moment_s in replies if moment_s <= self.now_s)]
        if isinstance(reply, str):
            reply = ok([document | {"status": reply} for document in body])
        return reply[0], {}, json.dumps(reply[1])

    def events(self, *all_: JobTrigger, cancel_s: float | None = None) -> list[Any]:
        """Run triggers to their ends and return what their events say, or cancel the first after so long."""
        return [event.payload for event in self.raw_events(*all_, cancel_s=cancel_s)]

    def raw_events(self, *all_: JobTrigger, cancel_s: float | None = None) -> list[Any]:
        """Do the same, and return Airflow's events."""

        async def of(trigger: JobTrigger) -> list[Any]:
            return [event async for event in trigger.run()]

        async def work() -> list[Any]:
            running = [asyncio.create_task(of(trigger)) for trigger in all_]
            if cancel_s is not None:
                await asyncio.sleep(cancel_s)
                running[0].cancel()
            return await asyncio.gather(*running)

        return [event for found in self.loop.run_until_complete(work()) for event in found]

    def moments_s(self, name: str) -> list[float]:
        return [round(moment_s, 3) for moment_s, _, _ in self.asked[name]]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as jid:
        world = World(jid)
        runtime = replace(fake_runtime(), clock=VirtualClock(world.agenda, world.actors))
        monkeypatch.setattr(triggers, "current_runtime", lambda: runtime)
        monkeypatch.setattr(triggers, "environment", lambda: {"LUTE_SITE": "here"})
        monkeypatch.setattr(triggers, "load_settings", lambda env: settings(name=env["LUTE_SITE"]))
        monkeypatch.setattr(JobTrigger, "log", logging.getLogger("test"), raising=False)
        yield world
        world.loop.run_until_complete(world.loop.shutdown_asyncgens())
        world.loop.close()


def new_trigger(**changes: Any) -> JobTrigger:
    arguments = {
        "base_url": BASE,
        "authorization": "Bearer tok",
        "job": JOB,
        "document": DOCUMENT,
        "submitted_s": BEGIN_S,
        "poke_interval_s": 10.0,
        "queue_timeout_s": None,
        "run_timeout_s": None,
    }
    return JobTrigger(**(arguments | changes))


@pytest.mark.parametrize("word", ["DONE", "FAILED", "EXITED"])
def test_the_event_is_the_job_with_its_final_status(world: World, word: str) -> None:
    world.replies["job_statuses"] = {0: "SUBMITTED", 50: "RUNNING", 200: word}
    assert world.events(new_trigger()) == [{"job": JOB | {"status": word}}]
    polls = world.moments_s("job_statuses")
    assert polls[:3] == [0.35, 0.7, 1.05]
    assert 200 <= polls[-1] <= 210
    assert len(polls) < 50
    assert {(token, body[0]["tool_id"]) for _, token, body in world.asked["job_statuses"]} == {
        ("Bearer tok", "7")
    }
    assert not world.asked["exp/start_job"]
    assert not world.asked["exp/kill_job"]


def test_a_job_that_is_done_ends_its_task_without_a_worker(world: World) -> None:
    world.jid.add("POST", f"{BASE}/exp/job_log_file", json=ok("all went well\x00\n")[1])
    world.replies["job_statuses"] = {0: "RUNNING", 50: "DONE"}
    (event,) = world.raw_events(new_trigger())
    assert type(event).__name__ == "TaskSuccessEvent"
    assert event.xcoms["log"].startswith("all went well")
    assert "\x00" not in event.xcoms["log"]
    assert list(event.xcoms) == ["log", "job"]
    assert json.loads(event.xcoms["job"]) == {"tool_id": "7", "status": "DONE", "log_file_path": "/l/7.out"}


@pytest.mark.parametrize("word", ["FAILED", "EXITED"])
def test_a_job_that_is_not_done_is_for_a_worker_whose_retries_count(world: World, word: str) -> None:
    world.jid.add("POST", f"{BASE}/exp/job_log_file", json=ok("it broke")[1])
    world.replies["job_statuses"] = {0: word}
    (event,) = world.raw_events(new_trigger())
    assert type(event).__name__ == "TriggerEvent"


def test_the_next_triggerer_goes_on_where_the_first_one_was(world: World) -> None:
    first = new_trigger(submitted_s=BEGIN_S - 1000, job=JOB | {"status": "RUNNING"})
    _, arguments = first.serialize()
    world.replies["job_statuses"] = {0: "RUNNING", 15: "DONE"}
    assert world.events(JobTrigger(**arguments)) == [{"job": JOB | {"status": "DONE"}}]
    assert world.moments_s("job_statuses") == [10.0, 20.0]


def test_jobs_of_one_token_share_their_polls(world: World) -> None:
    world.replies["job_statuses"] = {0: "RUNNING", 100: "DONE"}
    all_ = [new_trigger(job=JOB | {"tool_id": str(number)}) for number in range(20)]
    other = new_trigger(job=JOB | {"tool_id": "20"}, authorization="Bearer other")
    other_jid = "http://other.test/jid/ws"
    elsewhere = {"success": True, "value": [JOB | {"status": "EXITED"}]}
    world.jid.post(f"{other_jid}/job_statuses", json=elsewhere)
    events = world.events(*all_, other, new_trigger(base_url=other_jid))
    assert events.pop()["job"]["status"] == "EXITED"
    assert [event["job"]["tool_id"] for event in events] == [str(number) for number in range(21)]
    assert {(token, len(body)) for _, token, body in world.asked["job_statuses"]} == {
        ("Bearer tok", 20),
        ("Bearer other", 1),
    }


REFUSED = "the JID refused the token (HTTP 401): {}"
AGAIN = "tokens are for one experiment and one user and expire: launch again with a new one"


def test_a_wait_that_the_jid_ends_tells_why(world: World) -> None:
    world.replies["job_statuses"] = {0: "RUNNING", 100: (401, {})}
    trouble = {
        "what": REFUSED,
        "endpoint": f"{BASE}/job_statuses",
        "http_status": 401,
        "next_step": AGAIN,
        "again": False,
    }
    assert world.events(new_trigger()) == [{"job": JOB, "trouble": trouble}]


def test_an_outage_ends_the_wait_only_after_the_sites_limit(world: World) -> None:
    world.replies["job_statuses"] = {0: "RUNNING", 100: (503, {}), 1000: "RUNNING", 1100: (503, {})}
    (event,) = world.events(new_trigger())
    assert event["trouble"]["what"] == "the JID failed (HTTP 503): {}"
    assert event["trouble"]["again"] is True
    assert LIMITS.outage_s <= world.now_s - 1100 <= LIMITS.outage_s + 60
    silent = [moment_s for moment_s in world.moments_s("job_statuses") if 100 < moment_s < 1000]
    assert len(silent) < 40, "back-off"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queue_timeout_s": 60.0}, "Slurm job 7 has waited in the queue"),
        ({"run_timeout_s": 300.0}, "Slurm job 7 has run"),
    ],
)
def test_a_step_waits_no_longer_than_its_limits(world: World, changes: dict[str, float], said: str) -> None:
    world.replies["job_statuses"] = {0: "SUBMITTED", 100: "RUNNING", 500: "DONE"}
    (event,) = world.events(new_trigger(**changes))
    assert event["trouble"]["what"].startswith(said)
    assert event["trouble"]["again"] is False
    assert event["job"]["tool_id"] == "7"


def test_a_jid_that_repeats_an_old_status_for_ever_is_doubted(world: World) -> None:
    world.replies["exp/start_job"] = {0: (503, {}), 10_000: no(ENDED)}
    assert world.events(new_trigger(poke_interval_s=100.0)) == [{"job": JOB | {"status": "DONE"}}]
    asked = world.asked["exp/start_job"]
    known = with_words(DOCUMENT, "--known-job 7")
    assert {(token, json.dumps(body)) for _, token, body in asked} == {("Bearer tok", json.dumps(known))}
    assert asked[0][0] > 600, "not of a young job"
    assert 10_000 <= asked[-1][0] < 10_200, "asked until the script answers"


def test_many_jobs_that_wait_together_are_doubted_more_seldom(world: World) -> None:
    for jobs, doubts in ((1, range(2, 6)), (8, range(8))):
        world.asked["exp/start_job"].clear()
        world.replies["exp/start_job"] = {0: ok(JOB)}
        begin_s = world.now_s
        world.replies["job_statuses"] = {begin_s: "RUNNING", begin_s + 7000: "DONE"}
        world.events(
            *(
                new_trigger(submitted_s=BEGIN_S + begin_s, job=JOB | {"tool_id": str(number)})
                for number in range(jobs)
            )
        )
        assert len(world.asked["exp/start_job"]) in doubts


def test_who_was_alone_when_it_doubted_shares_its_polls_afterwards(world: World) -> None:
    world.replies["job_statuses"] = {0: "RUNNING", 4000: "DONE"}
    world.replies["exp/start_job"] = {0: ok(JOB)}

    async def of(trigger: JobTrigger, late_s: float) -> None:
        await asyncio.sleep(late_s)
        async for _ in trigger.run():
            pass

    async def work() -> None:
        late = new_trigger(job=JOB | {"tool_id": "8"}, submitted_s=BEGIN_S + 3000)
        await asyncio.gather(of(new_trigger(), 0), of(late, 3000))

    world.loop.run_until_complete(work())
    assert world.asked["exp/start_job"], "the first has doubted"
    polls = [len(body) for moment_s, _, body in world.asked["job_statuses"] if 3200 < moment_s < 4000]
    assert set(polls) == {2}


def test_a_job_that_slurm_has_forgotten_may_be_tried_again(world: World) -> None:
    world.replies["exp/start_job"] = {0: no("submit_slurm.sh: job 7 is gone: no exit code")}
    (event,) = world.events(new_trigger(poke_interval_s=100.0))
    assert event["trouble"]["what"] == "job 7 is gone: no exit code"
    assert event["trouble"]["again"] is True, "as of the blocking form"


def test_a_refused_token_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "variable", lambda _name: f"Bearer {0 if world.now_s < 100 else 1}")
    world.replies["job_statuses"] = {0: "RUNNING"}
    answer = world._reply

    def only_the_new_one(name: str, request: Any) -> tuple[int, dict[str, str], str]:
        reply = answer(name, request)
        if world.now_s > 60 and request.headers["Authorization"] == "Bearer 0":
            return 401, {}, "{}"
        return (200, {}, reply[2].replace("RUNNING", "DONE")) if world.now_s > 200 else reply

    world._reply = only_the_new_one  # type: ignore[method-assign]
    (event,) = world.events(new_trigger(authorization="variable:lute_token_x"))
    assert event["job"]["status"] == "DONE"
    assert {token for moment_s, token, _ in world.asked["job_statuses"] if moment_s > 140} == {"Bearer 1"}


def test_a_variable_that_is_gone_fails_the_trigger(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "variable", lambda _name: None)
    with pytest.raises(ConfigError, match="no Airflow Variable lute_token_x"):
        world.events(new_trigger(authorization="variable:lute_token_x"))


@pytest.mark.parametrize(
    ("has_on_kill", "is_ended", "killed"),
    [(False, True, True), (False, False, False), (True, True, False)],
    ids=["airflow 2: the user", "airflow 2: the triggerer", "airflow 3 calls on_kill itself"],
)
def test_a_cancelled_trigger_cancels_the_job_only_for_the_user(
    world: World, monkeypatch: pytest.MonkeyPatch, has_on_kill: bool, is_ended: bool, killed: bool
) -> None:
    monkeypatch.setattr(triggers, "TRIGGER_HAS_ON_KILL", has_on_kill)
    asked = []
    monkeypatch.setattr(triggers, "was_ended_by_user", lambda ti: asked.append(ti) or is_ended)
    of_the_triggerer = property(lambda _self: "ti", lambda _self, _value: None)
    monkeypatch.setattr(JobTrigger, "task_instance", of_the_triggerer, raising=False)
    with pytest.raises(asyncio.CancelledError):
        world.events(new_trigger(), cancel_s=30)
    assert [body for _, _, body in world.asked["exp/kill_job"]] == [JOB] * killed
    assert asked == ([] if has_on_kill else ["ti"])
    assert world.now_s == 30


def test_a_trigger_that_has_told_its_event_cancels_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "TRIGGER_HAS_ON_KILL", False)
    world.replies["job_statuses"] = {0: "DONE"}
    assert len(world.events(new_trigger(), cancel_s=30)) == 1
    assert not world.asked["exp/kill_job"]


def test_a_kill_is_tried_for_almost_as_long_as_airflow_allows(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.replies["exp/kill_job"] = {0: (503, {}), 15: ok(JOB)}
    world.loop.run_until_complete(new_trigger().on_kill())
    assert 15 <= world.now_s < 25
    assert caplog.messages == []
    assert {(token, json.dumps(body)) for _, token, body in world.asked["exp/kill_job"]} == {
        ("Bearer tok", json.dumps(JOB))
    }


def test_a_kill_in_vain_is_told_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.replies["exp/kill_job"] = {0: (503, {})}
    world.loop.run_until_complete(new_trigger().on_kill())
    assert 10 < world.now_s <= 25
    assert caplog.messages == [
        f"Slurm job 7 may still run: the JID failed (HTTP 503): {{}} [{BASE}/exp/kill_job]"
    ]


def test_calls_of_several_triggers_are_made_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    async def work() -> None:
        await asyncio.gather(triggers._in_thread(both.wait), triggers._in_thread(both.wait))

    asyncio.run(work())
