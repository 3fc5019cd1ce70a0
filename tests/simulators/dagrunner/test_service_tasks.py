"""Task instances over REST."""

from datetime import timedelta
from typing import Any

import pytest

from lute.airflow_api.models import RunState, TaskState
from lute.airflow_api.replies import parse_task_instance
from simulators.dagrunner.state import TaskInstance
from tests.simulators.dagrunner.rest_world import START, Answer, World

RUN = "/dags/flow/dagRuns/r"
TASKS = f"{RUN}/taskInstances"
CLEAR = "/dags/flow/clearTaskInstances"


def states(world: World) -> dict[str, str | None]:
    answer = world.ask("GET", TASKS).body
    return {task["task_id"]: task["state"] for task in answer["task_instances"]}


def test_a_task_instance_as_v1_shows_it(airflow2: World) -> None:
    task = airflow2.run().tasks["a", -1]
    task.state, task.try_number, task.pid, task.hostname = TaskState.SUCCESS, 1, 27498, "node"
    task.queued = task.start = START
    task.end = START + timedelta(seconds=0.25)
    stamp = "2026-11-24T22:07:45.163301+00:00"
    shown = airflow2.ask("GET", f"{TASKS}/a").body
    assert shown == {
        "dag_id": "flow",
        "dag_run_id": "r",
        "duration": 0.25,
        "end_date": "2026-11-24T22:07:45.413301+00:00",
        "execution_date": stamp,
        "executor": None,
        "executor_config": "{}",
        "hostname": "node",
        "map_index": -1,
        "max_tries": 2,
        "note": None,
        "operator": "Nothing",
        "pid": 27498,
        "pool": "default_pool",
        "pool_slots": 1,
        "priority_weight": 1,
        "queue": "default",
        "queued_when": stamp,
        "rendered_fields": {},
        "rendered_map_index": None,
        "sla_miss": None,
        "start_date": stamp,
        "state": "success",
        "task_display_name": "a",
        "task_id": "a",
        "trigger": None,
        "triggerer_job": None,
        "try_number": 1,
        "unixname": "airflow",
    }
    assert airflow2.ask("GET", TASKS).body["task_instances"][0] == shown


def test_a_task_instance_as_v2_shows_it(airflow3: World) -> None:
    task = airflow3.run().tasks["a", -1]
    task.state, task.try_number, task.pid, task.hostname = TaskState.RUNNING, 1, 27498, "node"
    task.scheduled = task.queued = task.start = START
    stamp = "2026-11-24T22:07:45.163301Z"
    shown = airflow3.ask("GET", f"{TASKS}/a").body
    assert airflow3.ask("GET", TASKS).body["task_instances"][0] == shown
    assert airflow3.ask("GET", f"{TASKS}/a/-1").body == shown
    assert len(shown.pop("id")) == 36
    assert shown.pop("dag_version")["dag_id"] == "flow"
    assert shown == {
        "task_id": "a",
        "dag_id": "flow",
        "dag_run_id": "r",
        "map_index": -1,
        "logical_date": None,
        "run_after": stamp,
        "start_date": stamp,
        "end_date": None,
        "duration": None,
        "state": "running",
        "try_number": 1,
        "max_tries": 2,
        "task_display_name": "a",
        "dag_display_name": "flow",
        "hostname": "node",
        "unixname": "airflow",
        "pool": "default_pool",
        "pool_slots": 1,
        "queue": "default",
        "priority_weight": 1,
        "operator": "Nothing",
        "operator_name": "Nothing",
        "queued_when": stamp,
        "scheduled_when": stamp,
        "pid": 27498,
        "executor": None,
        "executor_config": "{}",
        "note": None,
        "rendered_map_index": None,
        "rendered_fields": {},
        "trigger": None,
        "triggerer_job": None,
    }


@pytest.mark.parametrize("state", list(TaskState))
def test_every_state_is_told_in_the_launchers_words(world: World, state: TaskState) -> None:
    world.run().tasks["a", -1].state = state
    shown = world.ask("GET", TASKS).body["task_instances"][0]
    assert shown["state"] == (None if state is TaskState.NONE else state)
    assert parse_task_instance(shown).state is state


def test_what_changes_is_seen_at_once(world: World) -> None:
    """The rows are kept: nothing old may be shown."""
    run = world.run()
    page = "?limit=100&offset=0"
    assert states(world) == {"a": None, "b": None, "c": None}
    task = run.tasks["b", -1]
    changes: list[tuple[str, Any, str]] = [
        ("state", TaskState.RUNNING, "state"),
        ("try_number", 3, "try_number"),
        ("max_tries", 7, "max_tries"),
        ("start", START, "start_date"),
        ("end", START, "end_date"),
        ("queued", START, "queued_when"),
        ("hostname", "node", "hostname"),
        ("pid", 7, "pid"),
        ("note", "n", "note"),
        ("operator", "Other", "operator"),
        ("pool", "p", "pool"),
        ("pool_slots", 4, "pool_slots"),
        ("priority_weight", 9, "priority_weight"),
        ("map_index", 0, "map_index"),
    ]
    for attribute, value, column in changes:
        before = world.ask("GET", TASKS + page).body["task_instances"]
        setattr(task, attribute, value)
        after = world.ask("GET", TASKS + page).body["task_instances"]
        assert after[1][column] != before[1][column], attribute
        assert [after[0], after[2]] == [before[0], before[2]]
    run.tasks["d", -1] = TaskInstance("flow", "r", "d")
    assert [row["task_id"] for row in world.ask("GET", TASKS + page).body["task_instances"]] == list("abcd")
    del run.tasks["a", -1]
    assert [row["task_id"] for row in world.ask("GET", TASKS + page).body["task_instances"]] == list("bcd")
    run.logical_date = START + timedelta(days=1)
    date = "execution_date" if world.is_2 else "logical_date"
    assert world.ask("GET", TASKS + page).body["task_instances"][0][date].startswith("2026-11-25")


def test_a_run_that_takes_the_place_of_another_is_seen(world: World) -> None:
    world.run().tasks["a", -1].state = TaskState.SUCCESS
    assert states(world)["a"] == "success"
    assert world.ask("GET", RUN).body["conf"] == {}
    assert world.ask("DELETE", RUN).status == 204
    world.ask("POST", "/dags/flow/dagRuns", {"dag_run_id": "r", "conf": {"new": 1}, **world.x})
    assert states(world)["a"] is None
    assert world.ask("GET", RUN).body["conf"] == {"new": 1}


def test_many_runs_are_told_apart(world: World) -> None:
    for number in range(300):
        world.orders.time = START + timedelta(seconds=number)
        world.run(f"r{number}").tasks["a", -1].try_number = number
    for number in (*range(300), 0, 299):
        path = f"/dags/flow/dagRuns/r{number}"
        assert world.ask("GET", path).body["dag_run_id"] == f"r{number}"
        assert world.ask("GET", f"{path}/taskInstances").body["task_instances"][0]["try_number"] == number


@pytest.mark.parametrize(
    ("query", "in_v1", "in_v2"),
    [
        ("", 100, 50),
        ("limit=100", 100, 100),
        ("limit=200", 120, 100),
        ("limit=1000", 120, 100),
        ("limit=0", 0, 0),
        ("limit=-1", 120, 422),
        ("limit=99999999999999999999", 500, 100),
        ("limit=100&offset=100", 20, 20),
        ("offset=119", 1, 1),
        ("offset=500", 0, 0),
        ("offset=-1", 400, 422),
        ("offset=99999999999999999999", 500, 500),
        ("limit=abc", 400, 422),
        ("limit=5&limit=7", 7, 7),
        ("bogus=1", 400, 50),
        ("pool=default_pool", 100, 50),
        ("pool=x", 0, 0),
        ("queue=x", 0, 0),
        ("task_id=t003", 400, 1),
        ("state=none", 100, 50),
        ("state=queued", 0, 0),
        ("state=none&state=running", 100, 50),
        ("state=bogus", 500, 422),
        ("state=", 500, 422),
    ],
)
def test_pages_and_filters(world: World, query: str, in_v1: int, in_v2: int) -> None:
    """A number from 400 is a status, any other the number of rows."""
    world.run("r", "many")
    answer = world.ask("GET", f"/dags/many/dagRuns/r/taskInstances?{query}")
    wanted = in_v1 if world.is_2 else in_v2
    if wanted >= 400:
        assert answer.status == wanted
        return
    assert answer.status == 200
    assert len(answer.body["task_instances"]) == wanted
    narrow = {"pool=x": 0, "queue=x": 0, "state=queued": 0, "task_id=t003": 1}
    assert answer.body["total_entries"] == narrow.get(query, 120)


def test_the_pages_fit_together(world: World) -> None:
    world.run("r", "many")
    seen = [
        row["task_id"]
        for offset in (0, 50, 100)
        for row in world.ask("GET", f"/dags/many/dagRuns/r/taskInstances?limit=50&offset={offset}").body[
            "task_instances"
        ]
    ]
    assert seen == [f"t{number:03}" for number in range(120)]


def test_a_filter_shows_what_it_says(world: World) -> None:
    run = world.run()
    run.tasks["b", -1].state = TaskState.RUNNING
    answer = world.ask("GET", f"{TASKS}?state=running&state=failed").body
    assert [row["task_id"] for row in answer["task_instances"]] == ["b"]
    assert answer["total_entries"] == 1
    run.tasks["b", -1].state = TaskState.SUCCESS
    assert world.ask("GET", f"{TASKS}?state=running&state=failed").body["task_instances"] == []


def test_v2_orders_by_little(airflow3: World) -> None:
    run = airflow3.run()
    run.tasks["b", -1].start = START
    run.tasks["c", -1].start = START + timedelta(seconds=1)
    rows = airflow3.ask("GET", f"{TASKS}?order_by=-start_date").body["task_instances"]
    assert [row["task_id"] for row in rows] == ["c", "b", "a"]
    answer = airflow3.ask("GET", f"{TASKS}?order_by=task_id")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "Ordering with 'task_id' is disallowed or the attribute does not exist on the model",
    )


def test_v2_has_cursors_that_stay_empty(airflow3: World, airflow2: World) -> None:
    airflow3.run()
    airflow2.run()
    assert list(airflow3.ask("GET", TASKS).body) == [
        "task_instances",
        "total_entries",
        "total_entries_limit",
        "next_cursor",
        "previous_cursor",
    ]
    assert list(airflow2.ask("GET", TASKS).body) == ["task_instances", "total_entries"]


def test_the_instances_of_unknown_runs(world: World) -> None:
    unknown = world.ask("GET", "/dags/flow/dagRuns/nope/taskInstances")
    if world.is_2:
        assert (unknown.status, unknown.body) == (200, {"task_instances": [], "total_entries": 0})
    else:
        assert (unknown.status, unknown.body["detail"]) == (
            404,
            "DagRun with dag_id: `flow` and run_id: `nope` was not found",
        )
        assert world.ask("GET", "/dags/nope/dagRuns/~/taskInstances").status == 404


def test_the_instances_of_all_runs(world: World) -> None:
    world.run("r1")
    world.orders.time += timedelta(seconds=1)
    world.run("r2")
    world.run("r2", "many")
    assert world.ask("GET", "/dags/~/dagRuns/~/taskInstances").body["total_entries"] == 126
    assert world.ask("GET", "/dags/flow/dagRuns/~/taskInstances").body["total_entries"] == 6
    answer = world.ask("GET", "/dags/~/dagRuns/r2/taskInstances")
    if world.is_2:
        assert answer.body["total_entries"] == 123
    else:
        assert (answer.status, answer.body["detail"]) == (
            400,
            "dag_id is required when dag_run_id is specified",
        )


def test_asking_for_many_by_a_body(world: World) -> None:
    def ask(**body: Any) -> Answer:
        return world.ask("POST", "/dags/~/dagRuns/~/taskInstances/list", body)

    world.run("r1")
    world.run("r1", "many").tasks["t001", -1].state = TaskState.FAILED
    assert ask().body["total_entries"] == 123
    assert len(ask(dag_ids=["many"]).body["task_instances"]) == 100
    assert len(ask(dag_ids=["many"], page_limit=1000).body["task_instances"]) == 120
    answer = ask(dag_run_ids=["r1"], dag_ids=["flow"], page_limit=2, page_offset=1).body
    assert [row["task_id"] for row in answer["task_instances"]] == ["b", "c"]
    assert answer["total_entries"] == 3
    assert [row["task_id"] for row in ask(state=["failed"]).body["task_instances"]] == ["t001"]
    assert ask(task_ids=["a", "t001"]).body["total_entries"] == 2
    assert ask(pool=["x"]).body["total_entries"] == ask(queue=["x"]).body["total_entries"] == 0
    refused = [ask(bogus=1), ask(page_offset=-1), ask(dag_ids="x"), ask(state=["bogus"]), ask(page_limit=0)]
    if world.is_2:
        assert [answer.body["detail"] for answer in refused[:3]] == [
            "{'bogus': ['Unknown field.']}",
            "-1 is less than the minimum of 0 - 'page_offset'",
            "'x' is not of type 'array' - 'dag_ids'",
        ]
        assert refused[3].body["detail"].startswith("'bogus' is not one of [None, 'success', 'running',")
        assert [answer.status for answer in refused] == [400] * 5
        assert ask(state=["none"]).body["total_entries"] == 122
    else:
        assert [answer.status for answer in refused] == [422, 422, 422, 422, 200]
        assert refused[4].body["task_instances"] == []
        assert ask(state=[None]).body["total_entries"] == 122
        assert ask(state=["none"]).status == 422


def test_unknown_task_instances(world: World) -> None:
    world.run()
    answers = [world.ask("GET", f"{TASKS}/{path}") for path in ("nope", "a/0", "a/x", "a/-1")]
    if world.is_2:
        assert [answer.status for answer in answers] == [404] * 4
        assert [answer.body["title"] for answer in answers] == [
            *["Task instance not found"] * 2,
            *["Not Found"] * 2,
        ]
    else:
        assert [answer.status for answer in answers] == [404, 404, 422, 200]
        assert [answer.body["detail"] for answer in answers[:2]] == [
            "The Task Instance with dag_id: `flow`, run_id: `r` and task_id: `nope` was not found",
            "The Mapped Task Instance with dag_id: `flow`, run_id: `r`, task_id: `a`,"
            " and map_index: `0` was not found",
        ]


def test_mapped_task_instances(world: World) -> None:
    run = world.run()
    del run.tasks["a", -1]
    for index in range(2):
        run.tasks["a", index] = TaskInstance("flow", "r", "a", map_index=index)
    assert world.ask("GET", f"{TASKS}/a/1").body["map_index"] == 1
    answer = world.ask("GET", f"{TASKS}/a")
    assert (answer.status, answer.body["detail"]) == (
        404,
        "Task instance is mapped, add the map_index value to the URL",
    )
    body = {"new_state": "failed"} | ({"dry_run": False} if world.is_2 else {})
    assert world.ask("PATCH", f"{TASKS}/a/1", body).status == 200
    assert world.orders.asked[-1] == ("set_task_state", "r", ["a[1]"], TaskState.FAILED)


def test_v1_marks_a_task_only_if_told_that_it_is_no_dry_run(airflow2: World) -> None:
    airflow2.run()
    reference = {
        "dag_id": "flow",
        "dag_run_id": "r",
        "execution_date": "2026-11-24T22:07:45.163301+00:00",
        "task_id": "b",
    }
    for body in ({"new_state": "failed"}, {"new_state": "failed", "dry_run": True}):
        answer = airflow2.ask("PATCH", f"{TASKS}/b", body)
        assert (answer.status, answer.body) == (200, reference)
    assert states(airflow2)["b"] is None
    answer = airflow2.ask("PATCH", f"{TASKS}/b", {"new_state": "failed", "dry_run": False})
    assert (answer.status, answer.body) == (200, {})
    assert states(airflow2)["b"] == "failed"


def test_what_v1_refuses_in_marking(airflow2: World) -> None:
    airflow2.run()

    def refusal(**body: object) -> str:
        answer = airflow2.ask("PATCH", f"{TASKS}/b", body)
        assert answer.status == 400
        return str(answer.body["detail"])

    assert refusal() == "{'new_state': ['Missing data for required field.']}"
    assert refusal(new_state="failed", bogus=1) == "{'bogus': ['Unknown field.']}"
    assert refusal(new_state=None) == "None is not of type 'string' - 'new_state'"
    assert refusal(new_state="running") == (
        "'running' is not one of ['success', 'failed', 'skipped'] - 'new_state'"
    )
    for path, title, detail in (
        (f"{TASKS}/nope", "Task not found", "Task 'nope' not found in DAG 'flow'"),
        ("/dags/nope/dagRuns/r/taskInstances/a", "DAG not found", "DAG 'nope' not found"),
        (
            "/dags/flow/dagRuns/nope/taskInstances/a",
            "Not Found",
            "Task instance not found for task 'a' on DAG run with ID 'nope'",
        ),
    ):
        answer = airflow2.ask("PATCH", path, {"new_state": "failed"})
        assert (answer.status, answer.body["title"], answer.body["detail"]) == (404, title, detail)


def test_v2_marks_a_task_at_once_and_shows_it(airflow3: World) -> None:
    airflow3.run()
    answer = airflow3.ask("PATCH", f"{TASKS}/b", {"new_state": "failed"})
    assert answer.status == 200
    assert [(row["task_id"], row["state"]) for row in answer.body["task_instances"]] == [("b", "failed")]
    assert answer.body["total_entries"] == 1
    again = airflow3.ask("PATCH", f"{TASKS}/b", {"new_state": "failed"})
    assert (again.status, again.body["detail"]) == (409, "Task id b is already in failed state")
    nothing = airflow3.ask("PATCH", f"{TASKS}/b", {})
    assert (nothing.status, len(nothing.body["task_instances"])) == (200, 1)
    answer = airflow3.ask("PATCH", f"{TASKS}/a", {"new_state": "success", "include_downstream": True})
    assert [row["task_id"] for row in answer.body["task_instances"]] == ["a", "b", "c"]


def test_what_v2_refuses_in_marking(airflow3: World) -> None:
    airflow3.run()

    def wrong(**body: object) -> list[str]:
        answer = airflow3.ask("PATCH", f"{TASKS}/b", body)
        assert answer.status == 422
        return [told["msg"] for told in answer.body["detail"]]

    assert wrong(new_state="failed", dry_run=True) == ["Extra inputs are not permitted"]
    assert wrong(new_state="running") == [
        "Value error, 'running' is not one of ['success', 'failed', 'skipped']"
    ]
    assert wrong(new_state=None) == ["Value error, 'new_state' should not be empty"]
    for path, detail in (
        (f"{TASKS}/nope", "Task 'nope' not found in Dag 'flow'"),
        ("/dags/nope/dagRuns/r/taskInstances/a", "The Dag with ID: `nope` was not found"),
        (
            "/dags/flow/dagRuns/nope/taskInstances/a",
            [
                "The Task Instance with dag_id: `flow`, run_id: `nope`, task_id: `a`"
                " and map_index: `None` was not found"
            ],
        ),
    ):
        answer = airflow3.ask("PATCH", path, {"new_state": "failed"})
        assert (answer.status, answer.body["detail"]) == (404, detail)


def named(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [row["task_id"] for row in answer.body["task_instances"]]


def test_clearing_means_what_failed_and_is_a_dry_run_unless_told_otherwise(world: World) -> None:
    run = world.run()
    run.tasks["a", -1].state = TaskState.SUCCESS
    run.tasks["b", -1].state = TaskState.FAILED
    run.tasks["c", -1].state = TaskState.UPSTREAM_FAILED
    assert named(world.ask("POST", CLEAR, {})) == ["b", "c"]
    assert named(world.ask("POST", CLEAR, {"dag_run_id": "r"})) == ["b", "c"]
    assert named(world.ask("POST", CLEAR, {"dag_run_id": "r", "only_failed": False})) == ["a", "b", "c"]
    assert world.orders.asked[1:] == []
    assert named(world.ask("POST", CLEAR, {"dag_run_id": "r", "dry_run": False})) == ["b", "c"]
    assert world.orders.asked[1:] == [("clear", "r", ["b", "c"])]


def test_clearing_only_what_runs(world: World) -> None:
    run = world.run()
    run.tasks["a", -1].state = TaskState.RUNNING
    assert named(world.ask("POST", CLEAR, {"only_running": True, "only_failed": False})) == ["a"]
    answer = world.ask("POST", CLEAR, {"only_running": True, "only_failed": True})
    assert answer.status == (400 if world.is_2 else 422)
    assert "only_failed and only_running both are set to True" in str(answer.body["detail"])


def test_clearing_tasks_by_name(world: World) -> None:
    world.run()

    def chosen(**body: object) -> list[str]:
        return named(world.ask("POST", CLEAR, {"dag_run_id": "r", "only_failed": False, **body}))

    assert chosen(task_ids=["b"]) == ["b"]
    assert chosen(task_ids=["b"], include_downstream=True) == ["b", "c"]
    assert chosen(task_ids=["b"], include_upstream=True) == ["a", "b"]
    assert chosen(task_ids=["zzz"]) == []


def test_whether_runs_go_on_after_clearing(world: World) -> None:
    """By default on Airflow 3 only; a run that has not ended is not queued again."""
    run = world.run()
    body = {"dag_run_id": "r", "dry_run": False, "only_failed": False}
    run.state = RunState.FAILED
    world.ask("POST", CLEAR, body)
    assert run.state is (RunState.FAILED if world.is_2 else RunState.QUEUED)
    run.state = RunState.FAILED
    world.ask("POST", CLEAR, body | {"reset_dag_runs": world.is_2})
    assert run.state is (RunState.QUEUED if world.is_2 else RunState.FAILED)
    run.state = RunState.RUNNING
    world.ask("POST", CLEAR, body | {"reset_dag_runs": True})
    assert run.state is RunState.RUNNING


def test_what_clearing_answers(world: World) -> None:
    world.run()
    answer = world.ask("POST", CLEAR, {"dag_run_id": "r", "only_failed": False, "task_ids": ["a"]}).body
    if world.is_2:
        assert answer == {
            "task_instances": [
                {
                    "dag_id": "flow",
                    "dag_run_id": "r",
                    "execution_date": "2026-11-24T22:07:45.163301+00:00",
                    "task_id": "a",
                }
            ]
        }
    else:
        assert answer["total_entries"] == 1
        assert answer["task_instances"] == [world.ask("GET", f"{TASKS}/a").body]


def test_what_clearing_refuses(world: World) -> None:
    world.run()
    refused = [
        world.ask("POST", CLEAR, {"bogus": 1}),
        world.ask("POST", CLEAR, {"task_ids": []}),
        world.ask("POST", CLEAR, {"task_ids": "a"}),
        world.ask("POST", CLEAR, {"reset_dag_runs": "x"}),
    ]
    assert [answer.status for answer in refused] == [400 if world.is_2 else 422] * 4
    if world.is_2:
        assert [answer.body["detail"] for answer in refused] == [
            "{'bogus': ['Unknown field.']}",
            "[] should be non-empty - 'task_ids'",
            "'a' is not of type 'array' - 'task_ids'",
            "'x' is not of type 'boolean' - 'reset_dag_runs'",
        ]
    unknown = [
        world.ask("POST", "/dags/nope/clearTaskInstances", {}),
        world.ask("POST", CLEAR, {"dag_run_id": "nope"}),
    ]
    assert [answer.status for answer in unknown] == [404, 404]
    word = "title" if world.is_2 else "detail"
    assert [answer.body[word] for answer in unknown] == [
        "Dag id nope not found" if world.is_2 else "The Dag with ID: `nope` was not found",
        "Dag Run id nope not found in dag flow",
    ]


def test_clearing_a_whole_run(world: World) -> None:
    run = world.run()
    run.state = RunState.FAILED
    assert named(world.ask("POST", f"{RUN}/clear", {})) == ["a", "b", "c"]
    assert len(world.orders.asked) == 1
    answer = world.ask("POST", f"{RUN}/clear", {"dry_run": False})
    assert (answer.status, answer.body["dag_run_id"], answer.body["state"]) == (200, "r", "queued")
    assert world.orders.asked[1:] == [
        ("clear", "r", ["a", "b", "c"]),
        ("set_run_state", "r", RunState.QUEUED),
    ]


def test_logs(world: World) -> None:
    task = world.run().tasks["a", -1]
    task.try_number, task.hostname, task.logs = 1, "node", {1: "one\ntwo"}

    def ask(accept: str, number: str = "1") -> Answer:
        return world.ask("GET", f"{TASKS}/a/logs/{number}", headers={"accept": accept})

    if world.is_2:
        assert (ask("text/plain").kind, ask("*/*").body) == ("text/plain", "node\none\ntwo\n")
        assert ask("application/json").body["content"] == "[('node', 'one\\ntwo')]"
        assert ask("application/json", "x").status == 404
    else:
        assert ask("application/json").body["content"] == [{"event": "one"}, {"event": "two"}]
        assert ask("*/*").body["content"] == [{"event": "one"}, {"event": "two"}]
        lines = ask("application/x-ndjson").reply
        assert lines.body == b'{"timestamp":null,"event":"one"}\n{"timestamp":null,"event":"two"}\n'
        assert lines.content_type == "application/x-ndjson"
        assert (ask("text/plain").status, ask("text/plain").body["detail"]) == (
            406,
            "Only application/json or application/x-ndjson is supported",
        )
        assert (ask("*/*", "9").status, ask("*/*", "x").status) == (404, 422)
    unknown = world.ask("GET", f"{TASKS}/nope/logs/1", headers={"accept": "application/json"})
    assert (unknown.status, unknown.body["title" if world.is_2 else "detail"]) == (
        404,
        "TaskInstance not found",
    )
