"""Who is let in, and what there is no path for."""

from datetime import timedelta

import jwt
import pytest

from tests.simulators.dagrunner.rest_world import PASSWORD, START, USER, World

DOCUMENTS = "https://airflow.apache.org/docs/apache-airflow/2.11.2/stable-rest-api-ref.html#section/Errors/"


@pytest.mark.parametrize(
    "login", ["", "garbage", "Basic", "Basic eA==", "Basic %%", "Basic YWRtaW46eA==", "Bearer x"]
)
def test_v1_answers_403_whatever_is_wrong_with_the_login(airflow2: World, login: str) -> None:
    answer = airflow2.ask("GET", "/dags", login=login)
    assert (answer.status, answer.kind) == (403, "application/problem+json")
    assert answer.body == {
        "detail": None,
        "status": 403,
        "title": "Forbidden",
        "type": f"{DOCUMENTS}PermissionDenied",
    }


def test_v1_takes_a_password_with_a_colon(airflow2: World) -> None:
    assert ":" in PASSWORD
    assert airflow2.ask("GET", "/dags").status == 200


def test_v1_looks_at_query_and_body_before_the_login(airflow2: World) -> None:
    assert airflow2.ask("GET", "/dags?limit=x", login="").status == 400
    assert airflow2.ask("GET", "/dags?bogus=1", login="").status == 400
    assert airflow2.ask("POST", "/dags/flow/dagRuns", raw=b"{", login="").status == 400
    assert airflow2.ask("PATCH", "/dags/flow", {"is_paused": "x"}, login="").status == 400
    assert airflow2.ask("POST", "/dags/flow/dagRuns", {"bogus": 1}, login="").status == 403
    assert airflow2.ask("GET", "/dags/nope", login="").status == 403


@pytest.mark.parametrize(
    ("login", "status", "detail"),
    [
        ("", 401, "Not authenticated"),
        ("Basic YWRtaW46eA==", 401, "Not authenticated"),
        ("garbage", 401, "Not authenticated"),
        ("Bearer ", 401, "Not authenticated"),
        ("Bearer x", 403, "Invalid JWT token"),
        (f"Bearer {jwt.encode({'sub': 'admin', 'exp': 9e9}, 'x' * 64, 'HS512')}", 403, "Invalid JWT token"),
    ],
)
def test_v2_tells_no_token_from_a_bad_one(airflow3: World, login: str, status: int, detail: str) -> None:
    answer = airflow3.ask("GET", "/dags", login=login)
    assert (answer.status, answer.kind, answer.body) == (status, "application/json", {"detail": detail})


def test_v2_looks_at_the_token_before_anything_but_the_jsons_form(airflow3: World) -> None:
    assert airflow3.ask("POST", "/dags/flow/dagRuns", raw=b"{", login="").status == 422
    assert airflow3.ask("POST", "/dags/flow/dagRuns", {"bogus": 1}, login="").status == 401
    assert airflow3.ask("GET", "/dags?limit=x", login="").status == 401
    assert airflow3.ask("POST", "/dags", {}, login="").status == 405


def test_a_token_lasts_a_day_and_ten_seconds(airflow3: World) -> None:
    airflow3.orders.time = START + timedelta(days=1, seconds=10)
    assert airflow3.ask("GET", "/dags").status == 200
    airflow3.orders.time += timedelta(seconds=1)
    answer = airflow3.ask("GET", "/dags")
    assert (answer.status, answer.body) == (401, {"detail": "Token Expired"})
    airflow3.login = airflow3.new_login()
    assert airflow3.ask("GET", "/dags").status == 200


def test_a_token_of_the_command_line_lasts_an_hour(airflow3: World) -> None:
    credentials = {"username": USER, "password": PASSWORD}
    answer = airflow3.ask("POST", "http://af/auth/token/cli", credentials, login="")
    airflow3.login = f"Bearer {answer.body['access_token']}"
    airflow3.orders.time = START + timedelta(minutes=59)
    assert airflow3.ask("GET", "/dags").status == 200
    airflow3.orders.time = START + timedelta(minutes=61)
    assert airflow3.ask("GET", "/dags").status == 401


def test_another_server_knows_the_tokens_of_the_first(airflow3: World) -> None:
    restarted = World("3.3.2")
    restarted.login = airflow3.login
    assert restarted.ask("GET", "/dags").status == 200


def test_two_logins_give_two_tokens(airflow3: World) -> None:
    assert airflow3.new_login() != airflow3.new_login()


def test_v2_logs_in_with_201_or_says_why_not(airflow3: World) -> None:
    def ask(body: object) -> tuple[int, str]:
        answer = airflow3.ask("POST", "http://af/auth/token", body, login="")
        return answer.status, answer.body["detail"]

    good = {"username": USER, "password": PASSWORD}
    assert airflow3.ask("POST", "http://af/auth/token", good, login="").status == 201
    assert ask(good | {"password": "x"}) == (401, "Invalid credentials")
    assert ask(good | {"username": "nobody"}) == (401, "Invalid credentials")
    status, detail = ask({"username": USER})
    assert status == 422
    assert detail.startswith("1 validation error for LoginBody\npassword\n  Field required [type=missing,")
    assert ask(good | {"x": 1})[0] == 422
    assert ask({"username": 1, "password": "x"})[0] == 422
    answer = airflow3.ask("POST", "http://af/auth/token", raw=b"{", login="")
    assert (answer.status, answer.kind, answer.body) == (
        500,
        "text/plain; charset=utf-8",
        "Internal Server Error",
    )
    answer = airflow3.ask("GET", "http://af/auth/token")
    assert (answer.status, "simple_auth_manager_all_admins" in answer.body["detail"]) == (403, True)


def test_version_and_health_need_no_login(world: World) -> None:
    assert world.ask("GET", "/version", login="").body["version"] == world.orders.version
    answer = world.ask("GET", "/health" if world.is_2 else "/monitor/health", login="")
    assert answer.status == 200
    assert answer.body == {
        "metadatabase": {"status": "healthy"},
        "scheduler": {
            "status": "healthy",
            "latest_scheduler_heartbeat": "2026-11-24T22:07:45.163301+00:00",
        },
        "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
        "dag_processor": {"status": None, "latest_dag_processor_heartbeat": None},
    }
    world.orders.components["scheduler"] = "unhealthy"
    answer = world.ask("GET", "/health" if world.is_2 else "/monitor/health", login="")
    assert answer.body["scheduler"] == {"status": "unhealthy", "latest_scheduler_heartbeat": None}


def test_each_version_has_its_own_health_path(world: World) -> None:
    assert world.ask("GET", "/monitor/health" if world.is_2 else "/health").status == 404


@pytest.mark.parametrize(
    "path", ["/nope", "/dags/", "/dags/flow/dagRuns/r/", "/dags/flow/dagRuns/a%2Fb", "/dags/x/y/z"]
)
def test_paths_that_there_are_not(world: World, path: str) -> None:
    answer = world.ask("GET", path, login="")
    if world.is_2:
        assert (answer.status, answer.body["title"], answer.body["type"]) == (404, "Not Found", "about:blank")
    else:
        assert (answer.status, answer.body) == (404, {"error": "API route not found"})


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/dags"), ("DELETE", "/dags/flow/tasks"), ("POST", "/version")]
)
def test_methods_that_a_path_does_not_have(world: World, method: str, path: str) -> None:
    answer = world.ask(method, path, {})
    assert answer.status == 405
    if world.is_2:
        assert (answer.body["title"], answer.body["type"]) == ("Method Not Allowed", "about:blank")
    else:
        assert answer.body == {"detail": "Method Not Allowed"}
        assert answer.reply.headers == {"allow": "GET"}


def test_v2_denies_paths_that_only_others_than_get_have(airflow3: World) -> None:
    assert airflow3.ask("GET", "/dags/flow/clearTaskInstances").status == 404
    assert airflow3.ask("GET", "/parseDagFile/x").status == 404
    assert airflow3.ask("POST", "/nope", {}).status == 405
    assert airflow3.ask("PUT", "/variables/x", {}).status == 405


def test_the_other_versions_paths_tell_which_version_it_is(airflow2: World, airflow3: World) -> None:
    answer = airflow3.ask("GET", "http://af/api/v1/version", login="")
    assert (answer.status, list(answer.body)) == (404, ["error"])
    assert answer.body["error"].startswith("/api/v1 has been removed in Airflow 3")
    answer = airflow2.ask("GET", "http://af/api/v2/version", login="")
    assert (answer.status, answer.kind) == (404, "text/html; charset=utf-8")
    assert airflow2.ask("POST", "http://af/auth/token", {}).status == 404
    assert airflow3.ask("GET", "http://af/nope", login="").kind == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/version", "version"),
        ("GET", "/dags", "list_dags"),
        ("GET", "/dags/d", "get_dag"),
        ("PATCH", "/dags/d", "patch_dag"),
        ("GET", "/dags/d/tasks", "list_tasks"),
        ("GET", "/importErrors", "import_errors"),
        ("POST", "/dags/d/dagRuns", "trigger"),
        ("GET", "/dags/d/dagRuns?limit=1", "list_runs"),
        ("GET", "/dags/d/dagRuns/r", "get_run"),
        ("PATCH", "/dags/d/dagRuns/r", "patch_run"),
        ("DELETE", "/dags/d/dagRuns/r", "delete_run"),
        ("GET", "/dags/d/dagRuns/r/taskInstances", "list_task_instances"),
        ("POST", "/dags/~/dagRuns/~/taskInstances/list", "list_task_instances"),
        ("GET", "/dags/d/dagRuns/r/taskInstances/t", "get_task_instance"),
        ("GET", "/dags/d/dagRuns/r/taskInstances/t/0", "get_task_instance"),
        ("PATCH", "/dags/d/dagRuns/r/taskInstances/t", "patch_task_instance"),
        ("POST", "/dags/d/clearTaskInstances", "clear"),
        ("POST", "/dags/d/dagRuns/r/clear", "clear"),
        ("GET", "/dags/d/dagRuns/r/taskInstances/t/xcomEntries", "xcom"),
        ("GET", "/dags/d/dagRuns/r/taskInstances/t/xcomEntries/log?map_index=-1", "xcom"),
        ("GET", "/dags/d/dagRuns/r/taskInstances/t/logs/1", "task_log"),
        ("GET", "/variables", "variables"),
        ("PATCH", "/variables/a/b", "variables"),
        ("PUT", "/parseDagFile/x", "parse"),
        ("GET", "/nope", "other"),
        ("DELETE", "/version", "other"),
        ("GET", "http://af/home", "other"),
    ],
)
def test_every_call_has_a_name_for_faults(world: World, method: str, path: str, name: str) -> None:
    assert world.server.endpoint(world.request(method, path)) == f"airflow.{name}"


def test_the_calls_that_differ_have_names_too(airflow2: World, airflow3: World) -> None:
    assert airflow2.server.endpoint(airflow2.request("GET", "/health")) == "airflow.health"
    assert airflow3.server.endpoint(airflow3.request("GET", "/monitor/health")) == "airflow.health"
    assert airflow3.server.endpoint(airflow3.request("POST", "http://af/auth/token")) == "airflow.login"
