"""Each fault does what it says, and the plan lets it act when it should."""

import json
from collections import Counter
from typing import Any, cast

import pytest
from pydantic import ValidationError

from simulators.dagrunner.installed import MAJOR
from simulators.facility import Facility
from simulators.faults.kinds import KINDS, parse_fault
from simulators.faults.model import ExchangeFault
from simulators.faults.places import ENDPOINTS, matching
from simulators.jid.state import JidState
from simulators.net.exchange import Exchange, Failure
from simulators.net.messages import HttpReply, HttpRequest, json_reply
from simulators.scenario.result import Result
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario

ANSWER = {"success": True, "value": [{"tool_id": "1", "status": "RUNNING"}]}
LONG = {"Tester": {"duration_s": 600}}
NO_WORLD = cast(Facility, None)


def run(*faults: dict[str, Any], seed: int = 1, **scenario: Any) -> Result:
    result = run_scenario(Scenario.model_validate({"faults": faults, **scenario}), seed=seed)
    assert result.idle_faults == []
    return result


def requests_of(result: Result, endpoint: str, client: str) -> list[tuple[int | None, str | None]]:
    """Return status and failure of every request of one client to one endpoint."""
    return [
        (entry["status"], entry["failure"])
        for entry in result.entries
        if entry["event"] == "http" and (entry["endpoint"], entry["actor"]) == (endpoint, client)
    ]


def entries_of(result: Result, **wanted: object) -> list[dict[str, Any]]:
    """Return the entries of the trace with these fields, in order."""
    return [
        entry for entry in result.entries if all(entry.get(name) == value for name, value in wanted.items())
    ]


def states(result: Result, **wanted: object) -> list[str]:
    """Return the states that the entries with these fields tell, in order."""
    return [entry["state"] for entry in entries_of(result, **wanted)]


def exchanged(**given: Any) -> Exchange:
    """Return an exchange on which a fault has acted, on its way there and on its way back."""
    fault = parse_fault(given)
    assert isinstance(fault, ExchangeFault)
    exchange = Exchange("Tester", fault.where, HttpRequest("POST", "http://x/y", {}), 1)
    assert fault.before(exchange, NO_WORLD) is not exchange.arrives
    if exchange.arrives:
        exchange.reply = json_reply(200, ANSWER)
        assert fault.after(exchange, NO_WORLD)
    return exchange


@pytest.mark.parametrize(
    ("given", "arrives", "failure"),
    [
        ({"what": "refused"}, False, Failure.REFUSED),
        ({"what": "reset", "direction": "before"}, False, Failure.RESET),
        ({"what": "reset"}, True, Failure.RESET),
        ({"what": "timeout", "direction": "before"}, False, Failure.TIMEOUT),
        ({"what": "timeout"}, True, Failure.TIMEOUT),
    ],
)
def test_a_connection_fails_before_or_after_the_effect(
    given: dict[str, Any], arrives: bool, failure: Failure
) -> None:
    exchange = exchanged(where="jid.start_job", **given)
    assert (exchange.arrives, exchange.failure) == (arrives, failure)


def test_a_slow_reply_is_the_same_reply() -> None:
    exchange = exchanged(what="slow", where="jid.start_job", delay_s=7)
    assert exchange.delay_s == 7
    assert exchange.reply == json_reply(200, ANSWER)


@pytest.mark.parametrize(("body", "start"), [("html", b"<html>"), ("json", b'{"error"'), ("empty", b"")])
@pytest.mark.parametrize("direction", ["before", "after"])
def test_an_error_page_replaces_the_reply(body: str, start: bytes, direction: str) -> None:
    exchange = exchanged(
        what="http_error", where="airflow.trigger", status=504, body=body, direction=direction
    )
    assert exchange.arrives is (direction == "after")
    assert exchange.reply is not None
    assert exchange.reply.status == 504
    assert exchange.reply.body.startswith(start)
    assert bool(exchange.reply.body) is bool(start)


@pytest.mark.parametrize("direction", ["before", "after"])
def test_a_refusal_says_why(direction: str) -> None:
    exchange = exchanged(what="refusal", where="jid.start_job", message="no", direction=direction)
    assert exchange.arrives is (direction == "after")
    assert body_of(exchange) == {"success": False, "errormsg": "no", "value": None}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("empty", b""),
        ("null", b"null"),
        ("list", b"[]"),
        ("no_value", b'{"success": true}'),
        ("truncated", json_reply(200, ANSWER).body[: len(json_reply(200, ANSWER).body) // 2]),
    ],
)
def test_a_malformed_body_comes_with_200(body: str, wanted: bytes) -> None:
    reply = exchanged(what="malformed", where="jid.job_statuses", body=body).reply
    assert reply == HttpReply(200, wanted)


@pytest.mark.parametrize("body", ["html", "not_utf8", "wrong_types"])
def test_a_malformed_body_is_not_the_services(body: str) -> None:
    reply = exchanged(what="malformed", where="jid.job_statuses", body=body).reply
    assert reply is not None
    assert reply.status == 200
    with pytest.raises((ValueError, AssertionError)):
        assert json.loads(reply.body)["success"] is True


def test_status_replies_that_are_well_formed_and_wrong() -> None:
    def status(**given: Any) -> object:
        return body_of(exchanged(where="jid.job_statuses", **given))["value"]

    assert status(what="status_word", word="PENDING") == [{"tool_id": "1", "status": "PENDING"}]
    assert status(what="stale_status") == [{"tool_id": "1", "status": "SUBMITTED"}]
    assert status(what="empty_list") == []


def test_a_status_fault_leaves_other_replies_alone() -> None:
    fault = parse_fault({"what": "status_word"})
    assert isinstance(fault, ExchangeFault)
    exchange = Exchange("Tester", "jid.job_statuses", HttpRequest("POST", "http://x/y", {}), 1)
    exchange.reply = HttpReply(502, b"<html>")
    assert not fault.after(exchange, NO_WORLD)
    assert exchange.reply == HttpReply(502, b"<html>")


def body_of(exchange: Exchange) -> Any:
    assert exchange.reply is not None
    return json.loads(exchange.reply.body)


def test_a_fault_acts_on_the_calls_that_it_names() -> None:
    fault = {"what": "http_error", "where": "jid.job_statuses", "task": "Tester", "call": 3, "calls": 2}
    result = run(fault)
    assert [status for status, _ in requests_of(result, "jid.job_statuses", "Tester")][:6] == [
        200, 200, 502, 502, 200, 200,
    ]  # fmt: skip
    assert {status for status, _ in requests_of(result, "jid.job_statuses", "SocketTester")} == {200}
    assert [entry["target"] for entry in result.faults] == ["Tester", "Tester"]


def test_a_fault_acts_in_the_time_that_it_names() -> None:
    result = run({"what": "refused", "where": "jid.*", "at_s": 20, "for_s": 30})
    start_s = result.entries[0]["t"]
    asked = [entry for entry in result.entries if entry.get("endpoint", "").startswith("jid.")]
    refused = [entry["sent_s"] - start_s for entry in asked if entry["failure"] == "refused"]
    others = [entry["sent_s"] - start_s for entry in asked if entry["status"] == 200]
    assert all(20 <= sent_s < 50 for sent_s in refused)
    assert refused
    assert not [sent_s for sent_s in others if 20 <= sent_s < 50]
    assert [sent_s for sent_s in others if sent_s >= 50]


def test_a_fault_acts_as_often_as_its_probability_says() -> None:
    fault = {"what": "http_error", "where": "jid.job_statuses", "calls": None, "probability": 0.25}
    result = run(fault, tasks={"*": {"duration_s": 600}})
    seen = Counter(entry["status"] for entry in result.entries if entry.get("endpoint") == "jid.job_statuses")
    assert 0.15 < seen[502] / seen.total() < 0.35
    assert run(fault, seed=2).faults != run(fault, seed=3).faults


def test_a_duplicate_arrives_twice_and_is_one_submission() -> None:
    result = run({"what": "duplicate", "where": "jid.start_job", "task": "Tester"})
    assert result.jobs["Tester"] == [1]
    assert len(requests_of(result, "jid.start_job", "Tester")) == 1
    assert [entry["what"] for entry in result.faults] == ["duplicate"]


def test_a_fault_of_the_world_waits_for_its_moment() -> None:
    fault = {"what": "preempt", "after": "job_running", "task": "WriteTester", "delay_s": 7}
    result = run(fault, tasks={"WriteTester": {"duration_s": 60}})
    (began_s, again_s) = [
        entry["t"]
        for entry in result.entries
        if entry["event"] == "job" and entry["name"] == "WriteTester" and entry["state"] == "RUNNING"
    ]
    (acted,) = result.faults
    assert acted["t"] == pytest.approx(began_s + 7)
    assert again_s > began_s + 120


def test_a_fault_of_the_world_waits_for_the_nth_time() -> None:
    fault = {"what": "cancel", "after": "job_running", "nth": 2, "task": "Tester"}
    result = run(fault, tasks={"Tester": [{"exit_code": 1}, {"duration_s": 600}]}, retries=1)
    assert states(result, event="job", job=1)[-1] == "FAILED"
    assert states(result, event="job", job=2)[-1] == "CANCELLED"


@pytest.mark.parametrize(("whole", "noticed_s"), [("process", 0.5), ("host", 300.0)])
def test_a_dead_worker_is_noticed(whole: str, noticed_s: float) -> None:
    fault = {"what": "worker_killed", "whole": whole, "after": "remembered", "task": "Tester"}
    result = run(fault, tasks={"Tester": {"duration_s": 60}})
    (acted,) = result.faults
    (failed,) = entries_of(result, event="task", task="Tester", state="failed")
    assert noticed_s <= failed["t"] - acted["t"] <= noticed_s + 11


def test_without_a_scheduler_nothing_starts() -> None:
    fault = {"what": "scheduler_restart", "at_s": 20, "for_s": 100}
    result = run(fault, tasks={"Tester": {"duration_s": 30}})
    start_s = result.entries[0]["t"]
    begun = [entry["t"] - start_s for entry in result.entries if entry.get("state") == "running"]
    assert begun[0] < 20  # the run itself, and its first task
    assert min(time_s for time_s in begun if time_s > 20) >= 120


def test_a_paused_dag_and_one_that_cannot_be_imported() -> None:
    assert "paused" in run({"what": "dag_paused"}).output
    broken = run({"what": "dag_import_error", "message": "SyntaxError: no"})
    assert (broken.run_state, broken.exit_codes) == ("none", [2])
    assert "SyntaxError: no" in broken.output


@pytest.mark.parametrize("state", ["failed", "success"])
def test_a_task_is_marked(state: str) -> None:
    fault = {"what": "mark_task", "state": state, "after": "job_running", "task": "Tester", "delay_s": 9}
    result = run(fault, tasks=LONG)
    assert states(result, event="task", task="Tester")[-1] == state
    assert states(result, event="job", job=1)[-1] == "CANCELLED"


def test_a_cleared_task_runs_again_on_airflow_3_alone() -> None:
    fault = {"what": "clear_task", "after": "job_running", "task": "Tester", "delay_s": 9}
    assert run(fault, tasks={"Tester": {"duration_s": 60}}).tries["Tester"] == (2 if MAJOR >= 3 else 1)


def test_a_run_is_marked_and_deleted() -> None:
    when = {"after": "job_running", "task": "Tester", "delay_s": 9}
    marked = run({"what": "mark_run", **when}, tasks=LONG)
    assert states(marked, event="run")[-1] == marked.run_state == "failed"
    deleted = run({"what": "delete_run", **when}, tasks=LONG)
    assert states(deleted, event="run")[-1] == "deleted"
    assert (deleted.run_state, deleted.ended) == ("none", True)


@pytest.mark.parametrize(
    ("name", "exit_code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129), ("SIGKILL", None)]
)
def test_a_launcher_gets_a_signal(name: str, exit_code: int | None) -> None:
    assert run({"what": "launcher_signal", "signal": name, "at_s": 9}).exit_codes == [exit_code]


def test_a_time_limit_kills_a_launcher_that_does_not_end() -> None:
    limit = {"what": "launcher_time_limit", "at_s": 9, "kill_wait_s": 5}
    result = run(limit, {"what": "timeout", "where": "airflow.patch_run", "direction": "before"}, launches=2)
    assert result.exit_codes == [None, 0]  # the other launcher is left alone
    signals = [(entry["actor"], entry["signal"]) for entry in result.entries if entry["event"] == "signal"]
    assert signals == [("launcher", "SIGTERM"), ("launcher", "SIGKILL")]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("missing", "cannot be read"),
        ("empty", "is empty"),
        ("huge", "earlier characters cut"),
        ("not_utf8", "caf\N{REPLACEMENT CHARACTER} "),
        ("nul", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_a_log_is_not_what_it_was(content: str, shown: str) -> None:
    result = run({"what": "log", "content": content, "size_mib": 1, "task": "Tester"})
    assert "simulated Tester" not in result.output
    assert shown in result.output


def test_a_full_disk_keeps_logs_empty_while_it_is_full() -> None:
    result = run({"what": "disk_full", "at_s": 0, "for_s": 5}, tasks={"Tester": {"duration_s": 10}})
    assert "simulated Tester" not in result.output
    assert "simulated ReadTester" in result.output


def test_a_controller_that_is_down_answers_nobody_and_jobs_go_on() -> None:
    fault = {"what": "controller_down", "after": "job_running", "task": "Tester", "for_s": 200}
    result = run(fault, tasks={"Tester": {"duration_s": 60}})
    down_s, up_s = [entry["t"] for entry in result.entries if entry["event"] == "controller"]
    assert up_s - down_s == 200
    (ended,) = entries_of(result, event="job", job=1, state="COMPLETED")
    assert ended["t"] < up_s
    assert states(result, event="task", task="Tester")[-1] == "success"


@pytest.mark.parametrize("accepted", [True, False])
def test_sbatch_times_out_with_and_without_a_job(accepted: bool) -> None:
    result = run({"what": "socket_timeout", "at_s": 0, "accepted": accepted})
    assert result.jobs["Tester"] == [1]
    (waits,) = entries_of(result, event="job", job=1, state="PENDING")
    # A request that may appear yet is waited for before another one is sent.
    assert (waits["t"] - result.entries[0]["t"] < 5) is accepted
    assert len(requests_of(result, "jid.start_job", "Tester")) == 1 if accepted else 3


def test_a_partition_that_is_down_starts_nothing_until_it_is_up() -> None:
    result = run({"what": "partition_down", "at_s": 0, "for_s": 300})
    start_s = result.entries[0]["t"]
    assert entries_of(result, event="job", state="RUNNING")[0]["t"] - start_s >= 300


@pytest.mark.parametrize("requeue", [True, False])
def test_a_node_dies_and_comes_back(requeue: bool) -> None:
    fault = {"what": "node_down", "after": "job_running", "task": "Tester", "delay_s": 9, "for_s": 30}
    result = run(fault, tasks={"Tester": {"duration_s": 60}}, cluster={"job_requeue": requeue})
    job = states(result, event="job", job=1)
    assert job[-1] == ("COMPLETED" if requeue else "NODE_FAIL")
    assert job.count("RUNNING") == (2 if requeue else 1)
    assert states(result, event="node") == ["down", "up"]


def test_a_job_that_vanishes_is_forgotten() -> None:
    fault = {"what": "vanish", "after": "job_running", "task": "Tester", "delay_s": 9}
    scenario = Scenario.model_validate({"faults": [fault], "tasks": LONG})
    with Facility(scenario, seed=1) as world:
        world.begin()
        world.agenda.advance(world.start_s + 5)
        assert world.job(1) is not None
        world.agenda.advance(world.start_s + 60)
        assert world.job(1) is None


def test_an_earlier_job_is_the_first_and_no_task_of_the_run() -> None:
    result = run({"what": "earlier_job", "exit_code": 3, "duration_s": 2})
    assert result.jobs["earlier"] == [1]
    assert states(result, event="job", name="earlier")[-1] == "FAILED"
    assert result.jobs["Tester"] == [2]
    assert result.run_state == "success"


def test_tokens_that_are_no_good() -> None:
    short = run({"what": "short_token", "lifetime_min": 0.5}, tasks=LONG)
    assert "the token has expired" in short.output
    other = run({"what": "wrong_user", "user": "mallory"})
    assert "the token is for user mallory" in other.output


def test_jobs_report_their_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[dict[str, object]] = []
    replace = JidState.replace_counters

    def watched(self: JidState, root: str, rows: list[dict[str, object]]) -> None:
        written.append({str(row["key"]): row["value"] for row in rows})
        replace(self, root, rows)

    monkeypatch.setattr(JidState, "replace_counters", watched)
    tasks = {"*": {"reports_counters": True}, "ReadTester": {"exit_code": 1, "reports_counters": True}}
    result = run(tasks=tasks)
    seen = [rows["Tester status"] for rows in written]
    assert seen.index("RUNNING") < seen.index("COMPLETED")
    assert seen[-1] == "COMPLETED"
    assert written[-1]["ReadTester status"] == "FAILED"
    assert len(written) >= 2 * 5
    assert result.tasks["ReadTester"] == "failed"


def test_counters_that_fail_change_nothing_but_the_log() -> None:
    tasks = {"Tester": {"reports_counters": True, "duration_s": 30}}
    fault = {"what": "http_error", "where": "jid.get_counters", "calls": None}
    result = run(fault, tasks=tasks)
    assert result.run_state == "success"
    assert "LUTE: the status RUNNING could not be reported" in result.output
    assert states(result, event="job", job=1) == states(run(tasks=tasks), event="job", job=1)


def test_patterns_stand_for_the_endpoints_of_the_servers() -> None:
    assert matching("jid.start_job") == {"jid.start_job"}
    assert matching("jid.*") == {name for name in ENDPOINTS if name.startswith("jid.")}
    assert matching("slurm.*") == frozenset()
    used = {entry["endpoint"] for entry in run().entries if entry["event"] == "http"}
    assert {"airflow.trigger", "jid.job_statuses"} <= used <= ENDPOINTS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_has_a_place_of_its_own_and_takes_no_other(kind: str) -> None:
    when = {"at_s": 1, "after": None} if "nth" in KINDS[kind].model_fields else {}
    fault = parse_fault({"what": kind, **when})
    assert fault.where == KINDS[kind].places[0]
    with pytest.raises(ValidationError, match="cannot be at 'moon'"):
        parse_fault({"what": kind, "where": "moon", **when})
