"""DAG runs over REST."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lute.airflow_api.dialects import DialectV1, DialectV2
from lute.airflow_api.models import RunState
from lute.airflow_api.replies import parse_run_state
from tests.simulators.dagrunner.rest_world import START, Answer, World

RUNS = "/dags/flow/dagRuns"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def trigger(world: World, **body: Any) -> Answer:
    return world.ask("POST", RUNS, world.x | body)


def test_the_launchers_own_body_starts_a_run(world: World) -> None:
    dialect = DialectV1() if world.is_2 else DialectV2()
    answer = world.ask("POST", RUNS, dialect.trigger_body("r1", {"a": 1, "t": "é"}))
    assert (answer.status, answer.body["dag_run_id"], answer.body["state"]) == (200, "r1", "queued")
    assert answer.body["conf"] == {"a": 1, "t": "é"}
    assert world.orders.asked == [("trigger", "flow", "r1", {"a": 1, "t": "é"}, "admin")]
    assert world.ask("GET", f"{RUNS}/r1").body == answer.body


def test_a_run_as_v1_shows_it(airflow2: World) -> None:
    run = airflow2.run()
    stamp = "2026-11-24T22:07:45.163301+00:00"
    assert airflow2.ask("GET", f"{RUNS}/r").body == {
        "conf": {},
        "dag_id": "flow",
        "dag_run_id": "r",
        "data_interval_end": stamp,
        "data_interval_start": stamp,
        "end_date": None,
        "execution_date": stamp,
        "external_trigger": True,
        "last_scheduling_decision": None,
        "logical_date": stamp,
        "note": None,
        "run_type": "manual",
        "start_date": None,
        "state": "queued",
    }
    run.start = run.decided = START + timedelta(seconds=1)
    run.end, run.state = START + timedelta(seconds=2.5), RunState.SUCCESS
    shown = airflow2.ask("GET", f"{RUNS}/r").body
    assert (shown["start_date"], shown["end_date"], shown["state"]) == (
        "2026-11-24T22:07:46.163301+00:00",
        "2026-11-24T22:07:47.663301+00:00",
        "success",
    )


def test_a_run_as_v2_shows_it(airflow3: World) -> None:
    run = airflow3.run()
    shown = airflow3.ask("GET", f"{RUNS}/r").body
    [version] = shown.pop("dag_versions")
    assert (version["dag_id"], version["version_number"], version["bundle_name"]) == (
        "flow",
        1,
        "dags-folder",
    )
    stamp = "2026-11-24T22:07:45.163301Z"
    assert shown == {
        "dag_run_id": "r",
        "dag_id": "flow",
        "logical_date": None,
        "queued_at": stamp,
        "start_date": None,
        "end_date": None,
        "duration": None,
        "data_interval_start": None,
        "data_interval_end": None,
        "run_after": stamp,
        "last_scheduling_decision": None,
        "run_type": "manual",
        "state": "queued",
        "triggered_by": "rest_api",
        "triggering_user_name": "admin",
        "conf": {},
        "note": None,
        "bundle_version": None,
        "dag_display_name": "flow",
        "partition_key": None,
        "partition_date": None,
    }
    run.start, run.end, run.state = START, START + timedelta(seconds=2.5), RunState.FAILED
    shown = airflow3.ask("GET", f"{RUNS}/r").body
    assert (shown["end_date"], shown["duration"], shown["state"]) == (
        "2026-11-24T22:07:47.663301Z",
        2.5,
        "failed",
    )
    del airflow3.orders.state.dags["flow"]
    run.note = "of a DAG that is no more"
    assert airflow3.ask("GET", f"{RUNS}/r").body["dag_versions"] == []


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_is_told_in_the_launchers_words(world: World, state: RunState) -> None:
    world.run().state = state
    assert parse_run_state(world.ask("GET", f"{RUNS}/r").body) is state


def test_unknown_runs(world: World) -> None:
    answers = [
        world.ask("GET", f"{RUNS}/nope"),
        world.ask("GET", "/dags/nope/dagRuns/r"),
        world.ask("GET", f"{RUNS}/a%20b"),
        world.ask("PATCH", f"{RUNS}/nope", {"state": "failed"}),
        world.ask("DELETE", f"{RUNS}/nope"),
        world.ask("POST", f"{RUNS}/nope/clear", {}),
    ]
    assert [answer.status for answer in answers] == [404] * 6
    if world.is_2:
        assert [(answer.body["title"], answer.body["detail"]) for answer in answers] == [
            ("DAGRun not found", "DAGRun with DAG ID: 'flow' and DagRun ID: 'nope' not found"),
            ("DAGRun not found", "DAGRun with DAG ID: 'nope' and DagRun ID: 'r' not found"),
            ("DAGRun not found", "DAGRun with DAG ID: 'flow' and DagRun ID: 'a b' not found"),
            ("Dag Run id nope not found in dag flow", None),
            ("Not Found", "DAGRun with DAG ID: 'flow' and DagRun ID: 'nope' not found"),
            ("Dag Run id nope not found in dag   flow", None),
        ]
    else:
        names = [("flow", "nope"), ("nope", "r"), ("flow", "a b"), *[("flow", "nope")] * 3]
        assert [answer.body["detail"] for answer in answers] == [
            f"The DagRun with dag_id: `{dag}` and run_id: `{run}` was not found" for dag, run in names
        ]


def test_a_run_id_is_taken_once(world: World) -> None:
    world.run("r")
    answer = trigger(world, dag_run_id="r")
    assert answer.status == 409
    if world.is_2:
        assert answer.body["detail"] == "DAGRun with DAG ID: 'flow' and DAGRun ID: 'r' already exists"
        assert answer.body["title"] == "Conflict"
    else:
        assert answer.body["detail"]["reason"] == "Unique constraint violation"
        assert "flow" not in str(answer.body)
    assert len(world.orders.asked) == 1


def test_runs_of_the_same_moment_are_different_ones(world: World) -> None:
    """On a real machine no two requests come in the same microsecond."""
    assert [trigger(world, dag_run_id=f"r{number}").status for number in range(3)] == [200] * 3
    assert [trigger(world).status for _ in range(2)] == ([200, 200] if world.is_2 else [200, 409])
    dates = {run["logical_date"] for run in world.ask("GET", RUNS).body["dag_runs"]}
    assert len(dates) == (5 if world.is_2 else 1)


def test_the_same_run_id_in_another_dag_is_another_run(world: World) -> None:
    world.run("r")
    world.orders.time += timedelta(seconds=1)
    world.run("r", "many")
    assert len(world.orders.state.runs) == 2


def test_a_logical_date_is_taken_once(world: World) -> None:
    first = trigger(world, dag_run_id="r1", logical_date="2026-01-02T03:04:05Z")
    assert first.status == 200
    assert first.body["logical_date"] == f"2026-01-02T03:04:05{'+00:00' if world.is_2 else 'Z'}"
    assert first.body["data_interval_start"] == first.body["logical_date"]
    second = trigger(world, dag_run_id="r2", logical_date="2026-01-02T04:04:05+01:00")
    assert second.status == 409
    if world.is_2:
        assert "DAGRun logical date: '2026-01-02 04:04:05+01:00' already exists" in second.body["detail"]
    assert world.orders.state.runs["flow", "r1"].logical_date == MOMENT


def test_v1_wants_no_null_for_a_logical_date_and_v2_wants_the_key(airflow2: World, airflow3: World) -> None:
    answer = trigger(airflow2, logical_date=None)
    assert (answer.status, answer.body["detail"]) == (400, "{'logical_date': ['Field may not be null.']}")
    answer = airflow3.ask("POST", RUNS, {"conf": {}})
    assert (answer.status, answer.body["detail"]) == (
        422,
        [
            {
                "type": "missing",
                "loc": ["body", "logical_date"],
                "msg": "Field required",
                "input": {"conf": {}},
            }
        ],
    )
    assert airflow2.ask("POST", RUNS, {}).status == 200


@pytest.mark.parametrize("date", ["2026-01-02T03:04:05", "nonsense", "2026-01-02"])
def test_dates_without_a_zone_are_refused(world: World, date: str) -> None:
    answer = trigger(world, logical_date=date)
    if world.is_2:
        assert (answer.status, answer.body["detail"]) == (
            400,
            f"{date!r} is not a 'date-time' - 'logical_date'",
        )
    else:
        assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["body", "logical_date"])
    assert world.orders.asked == []


def test_v1_knows_the_logical_date_as_execution_date_too(airflow2: World, airflow3: World) -> None:
    answer = trigger(airflow2, dag_run_id="r", execution_date="2026-01-02T03:04:05Z")
    assert (answer.status, answer.body["logical_date"]) == (200, "2026-01-02T03:04:05+00:00")
    body = {"logical_date": "2026-01-02T03:04:05Z", "execution_date": "2026-01-02T03:04:06Z"}
    answer = trigger(airflow2, **body)
    assert (answer.status, answer.body["title"]) == (400, "logical_date conflicts with execution_date")
    assert trigger(airflow3, execution_date="2026-01-02T03:04:05Z").status == 422


@pytest.mark.parametrize("run_id", ["", None])
def test_runs_without_a_name_are_named(world: World, run_id: str | None) -> None:
    answer = trigger(world, dag_run_id=run_id)
    if world.is_2 and run_id is None:
        assert (answer.status, answer.body["detail"]) == (400, "{'dag_run_id': ['Field may not be null.']}")
        answer = trigger(world)
    assert (answer.status, answer.body["dag_run_id"]) == (200, "manual__2026-11-24T22:07:45.163301+00:00")


@pytest.mark.parametrize("run_id", ["a b", "a/b", "é", "a'b", "a%b", "a\nb", ";", "\ud800", "日本"])
def test_names_of_other_characters_are_refused(world: World, run_id: str) -> None:
    answer = trigger(world, dag_run_id=run_id)
    if world.is_2:
        assert (answer.status, answer.kind) == (500, "text/html; charset=utf-8")
    else:
        assert answer.status == 400
        assert answer.body["detail"].startswith(
            f"The run_id provided '{run_id}' does not match regex pattern '^[A-Za-z0-9_.~:+-]+$' or '"
        )
    assert world.orders.asked == []


@pytest.mark.parametrize("run_id", ["A-z_0.9", "~", "manual__2026-01-02T00:00:00+00:00", "x" * 250])
def test_names_that_are_taken(world: World, run_id: str) -> None:
    assert trigger(world, dag_run_id=run_id).status == 200
    assert world.ask("GET", f"{RUNS}/{run_id}").status == 200


def test_where_the_versions_differ_in_names(airflow2: World, airflow3: World) -> None:
    long = "x" * 251
    answer = trigger(airflow2, dag_run_id=long)
    assert (answer.status, answer.body["detail"]) == (
        400,
        "{'dag_run_id': ['Longer than maximum length 250.']}",
    )
    assert trigger(airflow3, dag_run_id=long).status == 200
    assert trigger(airflow2, dag_run_id="..").status == 200
    answer = trigger(airflow3, dag_run_id="..")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "The run_id '..' must not contain '..' to prevent path traversal",
    )


def test_what_v1_refuses_in_a_trigger(airflow2: World) -> None:
    def refusal(**body: object) -> str:
        answer = airflow2.ask("POST", RUNS, body)
        assert (answer.status, answer.kind) == (400, "application/problem+json")
        return str(answer.body["detail"])

    assert refusal(bogus=1) == "{'bogus': ['Unknown field.']}"
    assert refusal(bogus=1, conf=5, dag_run_id=7) == "7 is not of type 'string' - 'dag_run_id'"
    assert refusal(conf=[1]) == "[1] is not of type 'object' - 'conf'"
    assert refusal(conf=None) == "None is not of type 'object' - 'conf'"
    assert refusal(conf='{"q":1}') == "'{\"q\":1}' is not of type 'object' - 'conf'"
    assert refusal(logical_date=5) == "5 is not of type 'string' - 'logical_date'"
    assert refusal(state="running") == "Property is read-only - 'state'"
    assert refusal(data_interval_start="2030-01-01T00:00:00Z") == (
        "{'_schema': [\"Both 'data_interval_start' and 'data_interval_end' must be specified together\"]}"
    )
    assert airflow2.orders.asked == []


def test_what_v2_refuses_in_a_trigger(airflow3: World) -> None:
    def wrong(**body: object) -> list[tuple[str, list[str]]]:
        answer = airflow3.ask("POST", RUNS, {"logical_date": None} | body)
        assert answer.status == 422
        return [(told["type"], told["loc"][1:]) for told in answer.body["detail"]]

    assert wrong(bogus=1, conf=5, dag_run_id=7, more=2) == [
        ("string_type", ["dag_run_id"]),
        ("dict_type", ["conf"]),
        ("extra_forbidden", ["bogus"]),
        ("extra_forbidden", ["more"]),
    ]
    assert wrong(conf='{"q":1}') == [("dict_type", ["conf"])]
    assert wrong(data_interval_start="2030-01-01T00:00:00Z") == [("value_error", [])]
    assert airflow3.orders.asked == []
    assert trigger(airflow3, conf=None).body["conf"] == {}
    assert trigger(airflow3, dag_run_id="x", logical_date=5).body["logical_date"] == "1970-01-01T00:00:05Z"


def test_v2_keeps_when_a_run_may_start(airflow3: World) -> None:
    answer = trigger(airflow3, dag_run_id="r", run_after="2030-01-01T00:00:00Z")
    assert answer.body["run_after"] == "2030-01-01T00:00:00Z"
    assert airflow3.orders.state.runs["flow", "r"].run_after == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "in_v1", "in_v2"),
    [
        (b"{", "Request body is not valid JSON", "json_invalid"),
        (b"", "Request body must not be empty", "missing"),
        (b"null", "Request body is not valid JSON", "missing"),
        (b"[1]", "[1] is not of type 'object'", "model_attributes_type"),
        (b'"x"', "'x' is not of type 'object'", "model_attributes_type"),
        (b"\xff\xfe", "Request body is not valid JSON", "json_invalid"),
    ],
)
def test_bodies_that_are_none(world: World, raw: bytes, in_v1: str, in_v2: str) -> None:
    answer = world.ask("POST", RUNS, raw=raw)
    if world.is_2:
        assert (answer.status, answer.body["detail"]) == (400, in_v1)
    else:
        assert (answer.status, answer.body["detail"][0]["type"]) == (422, in_v2)


def test_v2_says_where_json_breaks(airflow3: World) -> None:
    assert airflow3.ask("POST", RUNS, raw=b"{").body["detail"] == [
        {
            "type": "json_invalid",
            "loc": ["body", 1],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": "Expecting property name enclosed in double quotes"},
        }
    ]
    answer = airflow3.ask("POST", RUNS, raw=b"[" * 200_000)
    assert (answer.status, answer.body["detail"]) == (400, "There was an error parsing the body")


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_bodies_that_do_not_say_that_they_are_json(world: World, kind: str) -> None:
    raw = b'{"logical_date": null}'
    answer = world.ask("POST", RUNS, raw=raw, headers={"content-type": kind})
    if world.is_2:
        assert (answer.status, answer.body["title"]) == (415, "Unsupported Media Type")
        assert answer.body["detail"] == f"Invalid Content-type ({kind}), expected JSON data"
    else:
        assert (answer.status, answer.body["detail"][0]["input"]) == (422, raw.decode())


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_other_names_of_json(world: World, kind: str) -> None:
    assert world.ask("POST", RUNS, world.x, headers={"content-type": kind}).status == 200


def test_numbers_that_json_does_not_have(world: World) -> None:
    raw = b'{"conf": {"x": NaN, "y": [1e999]}, "dag_run_id": "r", "logical_date": null}'
    answer = world.ask("POST", RUNS, raw=raw.replace(b', "logical_date": null', b"") if world.is_2 else raw)
    assert answer.status == 200
    if world.is_2:
        assert b'"x":NaN,"y":[Infinity]' in answer.reply.body
    else:
        assert answer.body["conf"] == {"x": None, "y": [None]}
        assert b'"x":null' in world.ask("GET", f"{RUNS}/r").reply.body


def test_text_that_utf8_does_not_have(world: World) -> None:
    answer = trigger(world, dag_run_id="r", conf={"x": ["\ud800"]})
    if world.is_2:
        assert (answer.status, answer.body["conf"]) == (200, {"x": ["\ud800"]})
    else:
        assert (answer.status, answer.body) == (500, "Internal Server Error")
        assert world.orders.asked == []


def test_unknown_dags_cannot_be_triggered(world: World) -> None:
    answer = world.ask("POST", "/dags/nope/dagRuns", world.x)
    assert answer.status == 404
    assert answer.body["detail"] == f"{'DAG' if world.is_2 else 'Dag'} with dag_id: 'nope' not found"
    assert world.ask("POST", "/dags/nope/dagRuns", {"bogus": 1}).status == (404 if world.is_2 else 422)
    world.orders.state.dags["flow"].is_gone = True
    assert trigger(world).status == 404


def test_marking_a_run(world: World) -> None:
    world.run()
    for state in ("failed", "success", "queued"):
        answer = world.ask("PATCH", f"{RUNS}/r", {"state": state})
        assert (answer.status, answer.body["state"]) == (200, state)
    assert world.orders.asked[1:] == [
        ("set_run_state", "r", RunState(state)) for state in ("failed", "success", "queued")
    ]


@pytest.mark.parametrize("state", ["running", "bogus"])
def test_marks_that_a_run_cannot_have(world: World, state: str) -> None:
    world.run()
    answer = world.ask("PATCH", f"{RUNS}/r", {"state": state})
    if world.is_2:
        assert (answer.status, answer.body["detail"]) == (
            400,
            f"'{state}' is not one of ['success', 'failed', 'queued'] - 'state'",
        )
    else:
        assert (answer.status, answer.body["detail"][0]["msg"]) == (
            422,
            "Input should be 'queued', 'success' or 'failed'",
        )
    unknown = world.ask("PATCH", f"{RUNS}/nope", {"state": state})
    assert unknown.status == answer.status
    assert len(world.orders.asked) == 1


def test_marking_with_nothing(world: World) -> None:
    world.run()
    answers = [world.ask("PATCH", f"{RUNS}/r", body) for body in ({}, {"state": None})]
    assert [answer.status for answer in answers] == ([500, 400] if world.is_2 else [200, 200])
    assert world.ask("PATCH", f"{RUNS}/r", {"state": "failed", "bogus": 1}).status == (
        400 if world.is_2 else 422
    )
    assert len(world.orders.asked) == 1


def test_notes(world: World) -> None:
    assert trigger(world, dag_run_id="r", note="hello").body["note"] == "hello"
    answer = world.ask("PATCH", f"{RUNS}/r", {"note": "other"})
    if world.is_2:
        assert answer.status == 400
    else:
        assert (answer.status, answer.body["note"], answer.body["state"]) == (200, "other", "queued")
        assert world.ask("GET", f"{RUNS}/r").body["note"] == "other"


def test_deleting(world: World) -> None:
    run = world.run()
    run.state = RunState.RUNNING
    answer = world.ask("DELETE", f"{RUNS}/r")
    if not world.is_2:
        assert (answer.status, answer.body["detail"]) == (
            409,
            "The DagRun with dag_id: `flow` and run_id: `r` cannot be deleted in running state",
        )
        run.state = RunState.FAILED
        answer = world.ask("DELETE", f"{RUNS}/r")
    assert (answer.status, answer.reply.body) == (204, b"")
    assert world.ask("GET", f"{RUNS}/r").status == 404


def test_listing_runs(world: World) -> None:
    def listed(query: str = "", dag_id: str = "flow") -> tuple[list[str], int]:
        answer = world.ask("GET", f"/dags/{dag_id}/dagRuns{query}").body
        return [run["dag_run_id"] for run in answer["dag_runs"]], answer["total_entries"]

    for number in range(120):
        world.orders.time = START + timedelta(seconds=number)
        world.run(f"r{number}")
    world.orders.time = START + timedelta(seconds=200)
    world.run("other", "many")
    world.orders.state.runs["flow", "r3"].state = RunState.SUCCESS
    names, total = listed()
    assert (len(names), names[0], total) == (100 if world.is_2 else 50, "r0", 120)
    assert listed("?state=success&state=failed") == (["r3"], 1)
    assert listed("?limit=1&offset=2") == (["r2"], 120)
    assert len(listed("?limit=1000")[0]) == 100
    assert len(listed("?limit=0")[0]) == (100 if world.is_2 else 0)
    assert listed(dag_id="~")[1] == 121
    if world.is_2:
        assert listed("?state=bogus") == ([], 0)
        assert listed(dag_id="nope") == ([], 0)
        answer = world.ask("GET", f"{RUNS}?limit=-1")
        assert (answer.status, answer.body["title"]) == (400, "Page limit must be a positive integer")
    else:
        assert listed("?order_by=-id&limit=1") == (["r119"], 120)
        assert listed("?order_by=-run_id&limit=1") == (["r99"], 120)
        answer = world.ask("GET", f"{RUNS}?state=bogus")
        assert (answer.status, answer.body["detail"]) == (
            422,
            "Invalid value for state. Valid values are queued, running, success, failed",
        )
        assert (
            world.ask("GET", "/dags/nope/dagRuns").body["detail"] == "The Dag with ID: `nope` was not found"
        )
        assert world.ask("GET", RUNS).body["next_cursor"] is None
