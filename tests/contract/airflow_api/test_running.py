"""What becomes of runs and tasks that run, when they are asked for, marked and cleared."""

from typing import Any

import pytest

from tests.contract.airflow_api.legs import Leg

RUNS = "/dags/contract_wait/dagRuns"


@pytest.fixture
def running(airflow: Leg, request: pytest.FixtureRequest) -> str:
    """The name of a run whose first task runs."""
    run_id = request.node.name.partition("[")[0].replace("_", "-")
    assert airflow.trigger("contract_wait", run_id).status == 200
    airflow.wait_for(f"{RUNS}/{run_id}/taskInstances/wait", "running")
    return run_id


def tasks(airflow: Leg, run_id: str) -> dict[str, Any]:
    """Return the task instances of a run by name."""
    rows = airflow.ask("GET", f"{RUNS}/{run_id}/taskInstances").body["task_instances"]
    return {row["task_id"]: row for row in rows}


def end(airflow: Leg, run_id: str) -> None:
    """Mark a run failed."""
    assert airflow.ask("PATCH", f"{RUNS}/{run_id}", {"state": "failed"}).status == 200


def test_a_running_task_is_seen_as_such(airflow: Leg, running: str) -> None:
    run = airflow.ask("GET", f"{RUNS}/{running}").body
    assert (run["state"], run["end_date"]) == ("running", None)
    assert run["start_date"] is not None
    found = tasks(airflow, running)
    assert list(found) == ["wait", "after"]
    wait, after = found["wait"], found["after"]
    assert (wait["state"], wait["try_number"], wait["end_date"], wait["duration"]) == (
        "running",
        1,
        None,
        None,
    )
    assert isinstance(wait["pid"], int)
    assert None not in (wait["start_date"], wait["queued_when"], wait["hostname"])
    assert (after["state"], after["try_number"], after["start_date"], after["pid"]) == (None, 0, None, None)
    rows = airflow.ask("GET", f"{RUNS}/{running}/taskInstances?state=running").body["task_instances"]
    assert [row["task_id"] for row in rows] == ["wait"]
    end(airflow, running)


def test_a_run_that_is_marked_failed_ends_at_once(airflow: Leg, running: str) -> None:
    reply = airflow.ask("PATCH", f"{RUNS}/{running}", {"state": "failed"})
    assert (reply.status, reply.body["state"]) == (200, "failed")
    assert reply.body["end_date"] is not None
    found = tasks(airflow, running)
    assert {name: row["state"] for name, row in found.items()} == {"wait": "failed", "after": "skipped"}
    assert found["after"]["try_number"] == 0
    assert found["after"]["duration"] == 0.0
    airflow.pass_time(3.0)
    assert airflow.ask("GET", f"{RUNS}/{running}").body["state"] == "failed"
    assert {name: row["state"] for name, row in tasks(airflow, running).items()} == {
        "wait": "failed",
        "after": "skipped",
    }


def test_a_task_that_is_marked_failed_fails_what_is_behind_it(airflow: Leg, running: str) -> None:
    body = {"new_state": "failed"} | ({"dry_run": False} if airflow.major == 2 else {})
    reply = airflow.ask("PATCH", f"{RUNS}/{running}/taskInstances/wait", body)
    assert reply.status == 200
    if airflow.major == 2:
        assert reply.body == {}
    else:
        assert [row["state"] for row in reply.body["task_instances"]] == ["failed"]
    run = airflow.wait_for(f"{RUNS}/{running}", "failed")
    assert run["end_date"] is not None
    found = tasks(airflow, running)
    assert {name: row["state"] for name, row in found.items()} == {
        "wait": "failed",
        "after": "upstream_failed",
    }
    assert (found["wait"]["try_number"], found["after"]["try_number"]) == (1, 0)


def test_only_airflow_2_deletes_a_running_run(airflow: Leg, running: str) -> None:
    reply = airflow.ask("DELETE", f"{RUNS}/{running}")
    if airflow.major == 2:
        assert reply.status == 204
    else:
        assert (reply.status, "cannot be deleted in running state" in reply.body["detail"]) == (409, True)
        end(airflow, running)
        assert airflow.ask("DELETE", f"{RUNS}/{running}").status == 204
    assert airflow.ask("GET", f"{RUNS}/{running}").status == 404


def test_a_failed_run_that_is_cleared(airflow: Leg, running: str) -> None:
    end(airflow, running)
    assert airflow.ask("PATCH", "/dags/contract_wait", {"is_paused": True}).status == 200
    body = {"dag_run_id": running, "dry_run": False, "only_failed": False}
    reply = airflow.ask("POST", "/dags/contract_wait/clearTaskInstances", body)
    assert [row["task_id"] for row in reply.body["task_instances"]] == ["wait", "after"]
    run = airflow.ask("GET", f"{RUNS}/{running}").body
    assert run["state"] == ("failed" if airflow.major == 2 else "queued")  # reset_dag_runs
    wait = tasks(airflow, running)["wait"]
    assert (wait["state"], wait["try_number"], wait["max_tries"]) == (None, 1, 1)
    end(airflow, running)
    assert airflow.ask("PATCH", "/dags/contract_wait", {"is_paused": False}).status == 200


def test_a_run_of_a_paused_dag_starts_when_it_is_no_longer_paused(airflow: Leg) -> None:
    gate = "/dags/contract_gate"
    assert airflow.ask("PATCH", gate, {"is_paused": True}).status == 200
    reply = airflow.trigger("contract_gate", "held")
    assert (reply.status, reply.body["state"]) == (200, "queued")
    airflow.pass_time(3.0)
    assert airflow.ask("GET", f"{gate}/dagRuns/held").body["state"] == "queued"
    rows = airflow.ask("GET", f"{gate}/dagRuns/held/taskInstances").body["task_instances"]
    assert [row["state"] for row in rows] == [None, None]
    assert airflow.ask("PATCH", gate, {"is_paused": False}).status == 200
    airflow.wait_for(f"{gate}/dagRuns/held", "running")
    airflow.wait_for(f"{gate}/dagRuns/held/taskInstances/wait", "running")
    assert airflow.ask("PATCH", f"{gate}/dagRuns/held", {"state": "failed"}).status == 200


def test_parsing_on_request(airflow: Leg) -> None:
    token = airflow.ask("GET", "/dags/contract_idle").body["file_token"]
    replies = [airflow.ask("PUT", f"/parseDagFile/{token}") for _ in range(2)]
    assert replies[0].status == 201
    assert replies[1].status in (201, 409)  # 409 only while the first waits, on 3.3
    assert airflow.ask("GET", "/dags/contract_idle").body["file_token"] == token
