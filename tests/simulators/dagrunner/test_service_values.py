"""XComs and variables over REST."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lute.airflow_api.models import TaskState
from tests.simulators.dagrunner.rest_world import START, Answer, World

ENTRIES = "/dags/flow/dagRuns/r/taskInstances/a/xcomEntries"
MOMENT = datetime(2024, 1, 2, tzinfo=UTC)
ZONE = {
    "__classname__": "builtins.tuple",
    "__version__": 1,
    "__data__": ["UTC", "pendulum.tz.timezone.FixedTimezone", 1, True],
}
TEXT_OF_TIME = (
    "datetime.datetime@version=2(timestamp=1704153600.0,tz=(UTC,pendulum.tz.timezone.FixedTimezone,1,True))"
)


def classed(name: str, data: Any, version: int = 1) -> dict[str, Any]:
    return {"__classname__": name, "__version__": version, "__data__": data}


@pytest.mark.parametrize(
    ("value", "in_v1", "in_v2"),
    [
        ("two\nlines 'é' \"q\"", "two\nlines 'é' \"q\"", "two\nlines 'é' \"q\""),
        ('{"a": 1}', '{"a": 1}', '{"a": 1}'),
        (
            {"a": 1, "b": [1.5, None, True]},
            "{'a': 1, 'b': [1.5, None, True]}",
            {"a": 1, "b": [1.5, None, True]},
        ),
        (["x", 2], "['x', 2]", ["x", 2]),
        (3, "3", 3),
        (2.5, "2.5", 2.5),
        (True, "True", True),
        (None, None, None),
        ((1, "x"), "(1,x)", classed("builtins.tuple", [1, "x"])),
        ({"x"}, "(x)", classed("builtins.set", ["x"])),
        (frozenset({"x"}), "(x)", classed("builtins.frozenset", ["x"])),
        ({"p": (1,)}, "{'p': [1]}", {"p": classed("builtins.tuple", [1])}),
        (
            MOMENT,
            TEXT_OF_TIME,
            classed("datetime.datetime", {"timestamp": 1704153600.0, "tz": ZONE}, version=2),
        ),
    ],
)
def test_the_forms_of_values(world: World, value: Any, in_v1: str | None, in_v2: Any) -> None:
    world.run().tasks["a", -1].xcoms["log"] = value
    answer = world.ask("GET", f"{ENTRIES}/log?map_index=-1")
    assert answer.status == 200
    assert answer.body["value"] == (in_v1 if world.is_2 else in_v2)
    text = world.ask("GET", f"{ENTRIES}/log?stringify=true").body["value"]
    assert text == (in_v1 if world.is_2 else None if value is None else str(in_v2))


def test_an_xcom_as_each_version_shows_it(world: World) -> None:
    task = world.run().tasks["a", -1]
    task.xcoms, task.end = {"log": "x"}, START
    shown = world.ask("GET", f"{ENTRIES}/log").body
    if world.is_2:
        assert shown == {
            "dag_id": "flow",
            "execution_date": "2026-11-24T22:07:45.163301+00:00",
            "key": "log",
            "map_index": -1,
            "task_id": "a",
            "timestamp": "2026-11-24T22:07:45.163301+00:00",
            "value": "x",
        }
    else:
        assert shown == {
            "key": "log",
            "timestamp": "2026-11-24T22:07:45.163301Z",
            "logical_date": None,
            "map_index": -1,
            "task_id": "a",
            "dag_id": "flow",
            "run_id": "r",
            "dag_display_name": "flow",
            "task_display_name": "a",
            "run_after": "2026-11-24T22:07:45.163301Z",
            "value": "x",
        }


def test_the_list_of_xcoms_has_no_values(world: World) -> None:
    world.run().tasks["a", -1].xcoms = {"b": 1, "a": 2}
    answer = world.ask("GET", ENTRIES).body
    assert answer["total_entries"] == 2
    assert [entry["key"] for entry in answer["xcom_entries"]] == ["a", "b"]
    assert "value" not in answer["xcom_entries"][0]
    assert world.ask("GET", f"{ENTRIES}?limit=1").body["total_entries"] == 2
    unknown = world.ask("GET", ENTRIES.replace("/r/", "/nope/"))
    assert (unknown.status, unknown.body) == (200, {"xcom_entries": [], "total_entries": 0})


def test_keys_with_slashes(world: World) -> None:
    world.run().tasks["a", -1].xcoms["a/b"] = "x"
    assert world.ask("GET", f"{ENTRIES}/a%2Fb").body["value"] == "x"


@pytest.mark.parametrize(
    "path", [f"{ENTRIES}/none", f"{ENTRIES}/log?map_index=0", f"{ENTRIES.replace('/r/', '/x/')}/log"]
)
def test_xcoms_that_there_are_not(world: World, path: str) -> None:
    world.run().tasks["a", -1].xcoms["log"] = "x"
    answer = world.ask("GET", path)
    assert answer.status == 404
    if world.is_2:
        assert (answer.body["title"], answer.body["detail"]) == ("XCom entry not found", None)
    else:
        key = path.rpartition("/")[2].partition("?")[0]
        assert answer.body["detail"] == f"XCom entry with key: `{key}` not found"


def test_what_is_refused_about_xcoms(airflow2: World, airflow3: World) -> None:
    for world in (airflow2, airflow3):
        world.run().tasks["a", -1].xcoms["log"] = "x"
    answer = airflow2.ask("GET", f"{ENTRIES}/log?deserialize=true")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "XCom deserialization is disabled in configuration.",
    )
    assert airflow2.ask("GET", f"{ENTRIES}/log?deserialize=false").status == 200
    assert airflow2.ask("GET", f"{ENTRIES}/log?map_index=x").status == 400
    assert airflow2.ask("GET", f"{ENTRIES}/log?bogus=1").status == 400
    assert airflow3.ask("GET", f"{ENTRIES}/log?map_index=x").body["detail"][0]["type"] == "int_parsing"
    assert airflow3.ask("GET", f"{ENTRIES}/log?bogus=1").status == 200
    assert airflow3.ask("GET", f"{ENTRIES}/log?stringify=x").status == 422


def test_xcoms_of_one_of_many(world: World) -> None:
    run = world.run()
    task = run.tasks.pop(("a", -1))
    task.map_index, task.state, task.xcoms = 1, TaskState.SUCCESS, {"log": "of the second"}
    run.tasks[task.key] = task
    assert world.ask("GET", f"{ENTRIES}/log?map_index=1").body["value"] == "of the second"
    assert world.ask("GET", f"{ENTRIES}/log").status == 404


def post(world: World, key: Any, value: Any, **more: Any) -> Answer:
    return world.ask("POST", "/variables", {"key": key, "value": value} | more)


def test_new_variables(world: World) -> None:
    first = post(world, "k", "x")
    again = post(world, "k", "y")
    if world.is_2:
        assert (first.status, first.body) == (200, {"key": "k", "value": "x"})
        assert (again.status, again.body) == (200, {"key": "k", "value": "y"})
        assert world.orders.state.variables == {"k": "y"}
    else:
        shown = {"key": "k", "value": "x", "description": None, "is_encrypted": False, "team_name": None}
        assert (first.status, first.body) == (201, shown)
        assert (again.status, again.body["detail"]) == (409, "The Variable with key: `k` already exists")
        assert world.orders.state.variables == {"k": "x"}
    assert world.ask("GET", "/variables/k").body["value"] == world.orders.state.variables["k"]


@pytest.mark.parametrize(
    ("value", "in_v2"),
    [
        ({"a": 1}, '{"a": 1}'),
        (["x"], '["x"]'),
        (5, "5"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_values_that_are_no_text(world: World, value: Any, in_v2: str) -> None:
    answer = post(world, "k", value)
    if world.is_2:
        assert (answer.status, answer.body["detail"]) == (400, f"{value!r} is not of type 'string' - 'value'")
        assert world.orders.state.variables == {}
    else:
        assert (answer.status, answer.body["value"]) == (201, in_v2)


@pytest.mark.parametrize(
    ("text", "in_v2"),
    [('{"a":1}', '{"a": 1}'), ("[1,2]", "[1, 2]"), ("1e3", "1000.0"), ("a", "a"), ('"q"', '"q"')],
)
def test_v2_writes_text_that_looks_like_json_anew(world: World, text: str, in_v2: str) -> None:
    assert post(world, "k", text).body["value"] == (text if world.is_2 else in_v2)


@pytest.mark.parametrize("key", ["my_password", "API_KEY_x", "some-secret"])
def test_v2_hides_what_sounds_like_a_secret(world: World, key: str) -> None:
    post(world, key, "hidden")
    assert world.ask("GET", f"/variables/{key}").body["value"] == ("hidden" if world.is_2 else "***")
    assert world.orders.state.variables[key] == "hidden"


def test_v2_hides_secrets_inside_of_values(airflow3: World) -> None:
    answer = post(airflow3, "k", {"password": ["x", {"y": "z"}], "b": 1, "c": [{"token": 0}]})
    assert answer.body["value"] == '{"password": ["***", {"y": "***"}], "b": 1, "c": [{"token": 0}]}'


def test_what_is_refused_in_new_variables(world: World) -> None:
    answers = [
        world.ask("POST", "/variables", {"key": "k"}),
        world.ask("POST", "/variables", {}),
        post(world, "k", "x", bogus=1),
        post(world, 5, "x"),
    ]
    if world.is_2:
        assert [(answer.status, answer.body["title"], answer.body["detail"]) for answer in answers] == [
            (400, "Invalid Variable schema", "{'value': ['Missing data for required field.']}"),
            (
                400,
                "Invalid Variable schema",
                "{'key': ['Missing data for required field.'],"
                " 'value': ['Missing data for required field.']}",
            ),
            (400, "Invalid Variable schema", "{'bogus': ['Unknown field.']}"),
            (400, "Bad Request", "5 is not of type 'string' - 'key'"),
        ]
        assert post(world, "x" * 251, "x").status == 200
    else:
        told = [[wrong["type"] for wrong in answer.body["detail"]] for answer in answers]
        assert told == [["missing"], ["missing", "missing"], ["extra_forbidden"], ["string_type"]]
        assert [answer.status for answer in answers] == [422] * 4
        assert post(world, "x" * 251, "x").body["detail"][0]["type"] == "string_too_long"


def test_changing_variables(world: World) -> None:
    post(world, "k", "x", description="d")

    def patch(path: str, query: str = "", **body: Any) -> Answer:
        return world.ask("PATCH", f"/variables/{path}{query}", body)

    answer = patch("k", key="k", value="z")
    assert (answer.status, answer.body["value"], answer.body["description"]) == (200, "z", "d")
    answer = patch("k", "?update_mask=description", key="k", value="q", description="e")
    assert (answer.body["value"], answer.body["description"]) == ("z", "e")
    masked = patch("k", "?update_mask=value", key="k", value="w")
    missing = patch("none", key="none", value="x")
    other = patch("k", key="other", value="x")
    keyless = patch("k", value="x")
    if world.is_2:
        assert (masked.status, masked.body["detail"]) == (400, "'value' is unknown or cannot be updated.")
        assert (missing.status, missing.body["title"]) == (404, "Variable not found")
        assert (other.status, other.body["title"]) == (400, "Invalid post body")
        assert keyless.status == 400
    else:
        assert (masked.status, masked.body["value"]) == (200, "w")
        assert (missing.status, missing.body["detail"]) == (
            404,
            "The Variable with key: `none` was not found",
        )
        assert other.body["detail"] == "Invalid body, key from request body doesn't match uri parameter"
        assert (other.status, keyless.status) == (400, 422)
    assert list(world.orders.state.variables) == ["k"]


def test_the_portable_way_to_set_a_variable(world: World) -> None:
    for value in ("first", "second"):
        body = {"key": "k", "value": value}
        if world.ask("PATCH", "/variables/k", body).status == 404:
            assert world.ask("POST", "/variables", body).status == (200 if world.is_2 else 201)
        assert world.orders.state.variables == {"k": value}


def test_listing_and_deleting_variables(world: World) -> None:
    post(world, "b", "1")
    post(world, "a/c d", "é")
    answer = world.ask("GET", "/variables?limit=1").body
    assert ([row["key"] for row in answer["variables"]], answer["total_entries"]) == (["b"], 2)
    assert world.ask("GET", "/variables/a/c%20d").body["value"] == "é"
    assert world.ask("DELETE", "/variables/b").status == 204
    again = world.ask("DELETE", "/variables/b")
    assert again.status == 404
    assert world.ask("GET", "/variables/b").status == 404
    assert list(world.orders.state.variables) == ["a/c d"]
