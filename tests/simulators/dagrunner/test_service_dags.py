"""DAGs, their tasks and files over REST."""

import pytest

from lute.airflow_api.replies import parse_dag, parse_import_error
from tests.simulators.dagrunner.rest_world import START, MappedTask, World, dag_of


def test_a_dag_as_each_version_shows_it(world: World) -> None:
    shown = world.ask("GET", "/dags/flow").body
    assert {
        key: shown[key] for key in ("dag_id", "is_paused", "has_import_errors", "fileloc", "description")
    } == {
        "dag_id": "flow",
        "is_paused": False,
        "has_import_errors": False,
        "fileloc": "/dags/sub/flow.py",
        "description": "a flow",
    }
    if world.is_2:
        assert shown["is_active"] is True
        assert shown["last_parsed_time"] == START.isoformat()
        assert shown["tags"] == [{"name": "t1"}, {"name": "t2"}]
        assert "is_stale" not in shown
    else:
        assert shown["is_stale"] is False
        assert shown["last_parsed_time"] == "2026-11-24T22:07:45.163301Z"
        assert shown["relative_fileloc"] == "sub/flow.py"
        assert "is_active" not in shown
    assert parse_dag(shown) is not None


def test_a_dag_whose_file_is_gone_is_shown_but_not_listed(world: World) -> None:
    world.orders.state.dags["flow"].is_gone = True
    shown = world.ask("GET", "/dags/flow")
    assert shown.status == 200
    assert parse_dag(shown.body) is None
    assert [dag["dag_id"] for dag in world.ask("GET", "/dags").body["dags"]] == ["many"]
    query = "only_active=false" if world.is_2 else "exclude_stale=false"
    assert world.ask("GET", f"/dags?{query}").body["total_entries"] == 2


def test_unknown_dags(world: World) -> None:
    asked = [
        world.ask("GET", "/dags/nope"),
        world.ask("GET", "/dags/nope/tasks"),
        world.ask("PATCH", "/dags/nope", {"is_paused": True}),
    ]
    assert [answer.status for answer in asked] == [404, 404, 404]
    if world.is_2:
        assert [(answer.body["title"], answer.body["detail"]) for answer in asked] == [
            ("DAG not found", "The DAG with dag_id: nope was not found"),
            ("DAG not found", None),
            ("Dag with id: 'nope' not found", None),
        ]
    else:
        assert [answer.body["detail"] for answer in asked] == [
            "The Dag with ID: `nope` was not found",
            "The Dag with ID: `nope` was not found",
            "Dag with id: nope was not found",
        ]


def test_dags_are_listed_by_name_and_can_be_narrowed(world: World) -> None:
    def names(query: str) -> list[str]:
        return [dag["dag_id"] for dag in world.ask("GET", f"/dags{query}").body["dags"]]

    assert names("") == ["flow", "many"]
    assert names("?paused=true") == ["many"]
    assert names("?paused=false") == ["flow"]
    assert names("?dag_id_pattern=AN") == ["many"]
    assert names("?dag_id_pattern=m%25y") == ["many"]
    assert names("?dag_id_pattern=y%25m") == []
    assert names("?tags=t1&tags=x") == ["flow"]
    assert names("?limit=1&offset=1") == ["many"]


def test_pausing(world: World) -> None:
    answer = world.ask("PATCH", "/dags/many", {"is_paused": False})
    assert (answer.status, answer.body["is_paused"]) == (200, False)
    assert world.orders.asked == [("set_paused", "many", False)]
    assert world.ask("PATCH", "/dags/many?update_mask=is_paused", {"is_paused": True}).status == 200
    assert world.ask("PATCH", "/dags/many?update_mask=x", {"is_paused": True}).status == 400


def test_what_v1_refuses_in_pausing(airflow2: World) -> None:
    def refusal(**body: object) -> str:
        answer = airflow2.ask("PATCH", "/dags/flow", body)
        assert (answer.status, answer.kind) == (400, "application/problem+json")
        return str(answer.body["detail"])

    assert refusal(is_paused="x") == "'x' is not of type 'boolean' - 'is_paused'"
    assert refusal(is_paused=1) == "1 is not of type 'boolean' - 'is_paused'"
    assert refusal(is_paused=True, bogus=1) == "{'bogus': ['Unknown field.']}"
    assert refusal(dag_id="flow") == "Property is read-only - 'dag_id'"
    answer = airflow2.ask("PATCH", "/dags/flow", {})
    assert (answer.status, answer.kind) == (500, "text/html; charset=utf-8")
    assert airflow2.orders.asked == []


def test_what_v2_refuses_in_pausing(airflow3: World) -> None:
    def refusal(**body: object) -> object:
        answer = airflow3.ask("PATCH", "/dags/flow", body)
        assert answer.status == 422
        return answer.body["detail"]

    assert refusal() == [
        {"type": "missing", "loc": ["body", "is_paused"], "msg": "Field required", "input": {}}
    ]
    assert refusal(is_paused=True, bogus=1) == [
        {
            "type": "extra_forbidden",
            "loc": ["body", "bogus"],
            "msg": "Extra inputs are not permitted",
            "input": 1,
        }
    ]
    assert [wrong["type"] for wrong in refusal(is_paused="x")] == ["bool_parsing"]  # type: ignore[attr-defined]
    assert [wrong["type"] for wrong in refusal(is_paused=None)] == ["bool_type"]  # type: ignore[attr-defined]
    assert airflow3.orders.asked == []
    assert airflow3.ask("PATCH", "/dags/flow", {"is_paused": "true"}).status == 200


def test_the_tasks_of_a_dag(world: World) -> None:
    answer = world.ask("GET", "/dags/flow/tasks").body
    assert answer["total_entries"] == 3
    tasks = {task["task_id"]: task for task in answer["tasks"]}
    assert {name: task["downstream_task_ids"] for name, task in tasks.items()} == {
        "a": ["b"],
        "b": ["c"],
        "c": [],
    }
    assert tasks["a"]["retries"] == 2.0
    assert isinstance(tasks["a"]["retries"], float)
    assert tasks["a"]["retry_delay"] == {"__type": "TimeDelta", "days": 1, "seconds": 30, "microseconds": 5}
    assert tasks["a"]["start_date"] == f"2024-01-01T00:00:00{'+00:00' if world.is_2 else 'Z'}"
    assert tasks["a"]["class_ref"] == {
        "class_name": "Nothing",
        "module_path": "tests.simulators.dagrunner.rest_world",
    }
    backoff = tasks["a"]["retry_exponential_backoff"]
    assert (backoff, type(backoff)) == ((False, bool) if world.is_2 else (0.0, float))
    assert tasks["a"]["is_mapped"] is False
    world.orders.state.dags["flow"].dag = dag_of(MappedTask("m"))
    assert world.ask("GET", "/dags/flow/tasks").body["tasks"][0]["is_mapped"] is True


def test_import_errors(world: World) -> None:
    answer = world.ask("GET", "/importErrors").body
    assert answer["total_entries"] == 1
    shown = answer["import_errors"][0]
    assert (shown["import_error_id"], shown["stack_trace"]) == (1, "Traceback\nValueError: x\n")
    assert shown["filename"] == ("/dags/broken.py" if world.is_2 else "broken.py")
    assert shown["timestamp"] == f"2026-11-24T22:07:45.163301{'+00:00' if world.is_2 else 'Z'}"
    assert parse_import_error(shown).reason == "ValueError: x"
    assert world.ask("GET", "/importErrors?limit=-1").status == (400 if world.is_2 else 422)


def test_a_dag_with_import_errors_says_so_and_is_not_triggered(world: World) -> None:
    world.orders.state.import_errors[0].file = "/dags/sub/flow.py"
    assert world.ask("GET", "/dags/flow").body["has_import_errors"] is True
    answer = world.ask("POST", "/dags/flow/dagRuns", {"dag_run_id": "r", **world.x})
    assert answer.status == 400
    assert "has import errors" in answer.body["detail"]
    assert world.orders.asked == []


def test_parsing_on_request(world: World) -> None:
    token = world.ask("GET", "/dags/flow").body["file_token"]
    first = world.ask("PUT", f"/parseDagFile/{token}")
    again = world.ask("PUT", f"/parseDagFile/{token}")
    if world.is_2:
        assert (first.status, first.body, first.kind) == (201, "", "text/html; charset=utf-8")
        assert (again.status, again.body) == (201, "Duplicate request")
    else:
        assert (first.status, first.reply.body) == (201, b"null")
        assert (again.status, again.body["detail"]["reason"]) == (409, "Unique constraint violation")
    assert world.orders.asked == [("reparse", "/dags/sub/flow.py")]
    world.orders.state.parse_requests.clear()
    assert world.ask("PUT", f"/parseDagFile/{token}").status == 201
    answer = world.ask("PUT", "/parseDagFile/nonsense")
    assert (answer.status, answer.body["title" if world.is_2 else "detail"]) == (404, "File not found")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=abc", "Wrong type, expected 'integer' for query parameter 'limit'"),
        ("limit=1.5", "Wrong type, expected 'integer' for query parameter 'limit'"),
        ("limit=", "Wrong type, expected 'integer' for query parameter 'limit'"),
        ("offset=abc", "Wrong type, expected 'integer' for query parameter 'offset'"),
        ("paused=x", "Wrong type, expected 'boolean' for query parameter 'paused'"),
        ("bogus=1", "Extra query parameter(s) bogus not in spec"),
    ],
)
def test_what_v1_refuses_in_a_query(airflow2: World, query: str, detail: str) -> None:
    answer = airflow2.ask("GET", f"/dags?{query}")
    assert (answer.status, answer.body["detail"]) == (400, detail)
    assert answer.body["title"] == (None if "bogus" in query else "Bad Request")


def test_v1_says_at_length_that_an_offset_is_negative(airflow2: World) -> None:
    answer = airflow2.ask("GET", "/dags?offset=-1")
    assert answer.status == 400
    assert answer.body["detail"] == (
        "-1 is less than the minimum of 0\n\nFailed validating 'minimum' in schema:\n"
        "    {'type': 'integer', 'minimum': 0}\n\nOn instance:\n    -1"
    )


def test_what_the_simulator_does_not_know_of_v1_is_not_taken_for_unknown(airflow2: World) -> None:
    answer = airflow2.ask("GET", "/dags?order_by=dag_id")
    assert (answer.status, answer.body["title"]) == (501, "Not simulated")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limit=abc", {"type": "int_parsing", "input": "abc"}),
        ("limit=1.5", {"type": "int_parsing", "input": "1.5"}),
        ("limit=", {"type": "int_parsing", "input": ""}),
        ("limit=-1", {"type": "greater_than_equal", "input": "-1", "ctx": {"ge": 0}}),
        ("offset=-1", {"type": "greater_than_equal", "input": "-1", "ctx": {"ge": 0}}),
        ("paused=x", {"type": "bool_parsing", "input": "x"}),
    ],
)
def test_what_v2_refuses_in_a_query(airflow3: World, query: str, wrong: dict[str, object]) -> None:
    answer = airflow3.ask("GET", f"/dags?{query}")
    assert answer.status == 422
    [told] = answer.body["detail"]
    assert told["loc"] == ["query", query.partition("=")[0]]
    assert wrong.items() <= told.items()


def test_v2_orders_and_ignores_what_it_does_not_know(airflow3: World) -> None:
    assert [dag["dag_id"] for dag in airflow3.ask("GET", "/dags?order_by=-dag_id&bogus=1").body["dags"]] == [
        "many",
        "flow",
    ]
    answer = airflow3.ask("GET", "/dags?order_by=bogus")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "Ordering with 'bogus' is disallowed or the attribute does not exist on the model",
    )
