import re

import pytest
import requests
import responses

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState, TaskInstance, TaskState
from lute.errors import ConfigError, PermanentError, TransientError
from lute.settings import Settings
from tests.fakes import FakeClock, fake_runtime
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow, task


def test_a_run_is_triggered_with_its_conf(client: AirflowClient, airflow: FakeAirflow) -> None:
    client.trigger("lute_test", "r1", {"a": 1})
    assert [(run["dag_run_id"], run["conf"]) for run in airflow.triggered] == [("r1", {"a": 1})]


def test_triggering_again_is_the_same_run(client: AirflowClient, airflow: FakeAirflow) -> None:
    client.trigger("lute_test", "r1", {})
    client.trigger("lute_test", "r1", {})
    assert len(airflow.triggered) == 1


def test_a_dag_that_is_not_there_or_whose_file_is_gone(client: AirflowClient, airflow: FakeAirflow) -> None:
    airflow.dags["old"] = {
        "is_paused": False,
        **({"is_active": False} if airflow.version == 2 else {"is_stale": True}),
    }
    assert client.dag("nope") is None
    assert client.dag("old") is None
    assert client.dag("lute_test") is not None


def test_many_tasks_come_in_pages(client: AirflowClient, airflow: FakeAirflow) -> None:
    airflow.tasks = [[task(f"t{number}", "success") for number in range(250)]]
    found = client.task_instances("lute_test", "r1")
    assert [instance.task_id for instance in found] == [f"t{number}" for number in range(250)]


def test_states_of_tasks(client: AirflowClient, airflow: FakeAirflow) -> None:
    airflow.tasks = [
        [task("a", None, tries=0), task("b", "upstream_failed", tries=0), task("c", "success", map_index=3)]
    ]
    found = client.task_instances("lute_test", "r1")
    assert [instance.state for instance in found] == [
        TaskState.NONE,
        TaskState.UPSTREAM_FAILED,
        TaskState.SUCCESS,
    ]
    assert found[2].label == "c[3]"


def test_xcoms_are_the_values_that_were_pushed(client: AirflowClient, airflow: FakeAirflow) -> None:
    airflow.xcoms = {("t", "log"): "{'text': 1}", ("t", "other"): {"no": "text"}}
    instance = TaskInstance("t", -1, TaskState.SUCCESS, 1)
    assert client.xcom("lute_test", "r", instance, "log") == "{'text': 1}"
    assert client.xcom("lute_test", "r", instance, "none") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"two\\nlines \\"quoted\\" \\u00e4"', 'two\nlines "quoted" ä'),
        ('"a" and "b"', '"a" and "b"'),
        ('"', '"'),
        ("", ""),
        ('"two\nlines"', '"two\nlines"'),
    ],
)
def test_what_a_trigger_pushed_comes_as_json(
    client: AirflowClient, airflow: FakeAirflow, value: str, text: str
) -> None:
    airflow.xcoms = {("t", "log"): value}
    instance = TaskInstance("t", -1, TaskState.SUCCESS, 1)
    assert client.xcom("lute_test", "r", instance, "log") == text


def test_a_wrong_password_is_permanent(airflow: FakeAirflow, site: Settings) -> None:
    site.airflow.password_file.write_text("wrong\n")
    with pytest.raises(PermanentError, match="refused"):
        AirflowClient(site, fake_runtime()).run_state("lute_test", "r")


def test_a_missing_password_file_is_named(airflow: FakeAirflow, site: Settings) -> None:
    site.airflow.password_file.unlink()
    with pytest.raises(ConfigError, match=str(site.airflow.password_file)):
        AirflowClient(site, fake_runtime()).dag_ids()


def test_an_expired_token_is_renewed(client: AirflowClient, airflow: FakeAirflow) -> None:
    assert client.run_state("lute_test", "r") is RunState.SUCCESS
    airflow.token_uses_left = 0
    assert client.run_state("lute_test", "r") is RunState.SUCCESS
    assert airflow.logins == (2 if airflow.version == 3 else 0)


def test_an_airflow_that_is_down_is_asked_until_the_limit(site: Settings) -> None:
    clock = FakeClock()
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/api/v2/version", body=requests.ConnectionError("refused"))
        with pytest.raises(TransientError, match="cannot be reached"):
            AirflowClient(site, fake_runtime(clock)).check_health()
    assert site.timeouts.retry_s - 30 < clock.elapsed_s <= site.timeouts.retry_s


def test_html_errors_are_asked_again(airflow: FakeAirflow, client: AirflowClient) -> None:
    client.dag_ids()
    with responses.RequestsMock() as mock:
        mock.get(f"{airflow.base}/dags", status=500, body="<html>")
        mock.get(f"{airflow.base}/dags", status=200, body="<html>sign in</html>")
        mock.get(f"{airflow.base}/dags", json={"dags": [{"dag_id": "x"}], "total_entries": 1})
        assert client.dag_ids() == ["x"]


def test_an_unhealthy_scheduler_is_asked_again_and_then_told(
    client: AirflowClient, site: Settings, airflow: FakeAirflow, clock: FakeClock
) -> None:
    client.dag_ids()
    path = "/api/v1/health" if airflow.version == 2 else "/api/v2/monitor/health"
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}{path}", json={"metadatabase": {"status": "healthy"}, "scheduler": {"status": None}})
        with pytest.raises(TransientError, match="scheduler is not there"):
            client.check_health()
        mock.reset()
        mock.get(
            f"{URL}{path}", json={"metadatabase": {"status": "healthy"}, "scheduler": {"status": "unhealthy"}}
        )
        healthy = {"metadatabase": {"status": "healthy"}, "scheduler": {"status": "healthy"}}
        mock.get(f"{URL}{path}", json=healthy)
        client.check_health()


@pytest.mark.parametrize(
    "reply", ["null", "[]", '"text"', "{}", '{"task_instances": [{}], "total_entries": 1}']
)
def test_replies_of_another_shape_are_one_kind_of_error(
    client: AirflowClient, airflow: FakeAirflow, reply: str
) -> None:
    client.dag_ids()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(re.compile(f"{URL}/.*"), body=reply, content_type="application/json")
        for call in (
            lambda: client.task_instances("d", "r"),
            lambda: client.run_state("d", "r"),
            lambda: client.dag("d"),
            lambda: client.dag_ids(),
            lambda: client.downstream("d"),
            lambda: client.import_errors(),
            lambda: client.check_health(),
        ):
            with pytest.raises(TransientError):
                call()


def test_states_that_are_not_known_are_not_final(client: AirflowClient, airflow: FakeAirflow) -> None:
    airflow.states = ["novel"]
    airflow.tasks = [[task("a", "novel")]]
    assert not client.run_state("lute_test", "r").is_final
    assert not client.task_instances("lute_test", "r")[0].state.is_final


def test_a_redirect_is_no_success(client: AirflowClient, airflow: FakeAirflow) -> None:
    client.dag_ids()
    with responses.RequestsMock() as mock:
        mock.post(f"{airflow.base}/dags/d/dagRuns", status=302, headers={"Location": "https://elsewhere/"})
        with pytest.raises(PermanentError, match="elsewhere"):
            client.trigger("d", "r", {})


def test_a_login_page_that_is_down_for_a_moment_is_asked_again(site: Settings) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/api/v2/version", json={"version": "3.3.2"})
        mock.post(f"{URL}/auth/token", status=503)
        mock.post(f"{URL}/auth/token", status=201, json={})
        mock.post(f"{URL}/auth/token", status=201, json={"access_token": "jwt"})
        mock.get(f"{URL}/api/v2/dags", json={"dags": [], "total_entries": 0})
        assert AirflowClient(site, fake_runtime()).dag_ids() == []
