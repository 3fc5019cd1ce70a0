"""A run is started once, whatever becomes of the replies."""

from collections.abc import Callable

import pytest
import requests
import responses
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from lute.airflow_api.client import AirflowClient
from lute.errors import AmbiguousError, PermanentError
from tests.fakes import FakeClock
from tests.lute.airflow_api.fake_airflow import FakeAirflow

REFUSED = requests.ConnectionError(
    MaxRetryError(None, "/", NewConnectionError(None, "refused"))  # type: ignore[arg-type]
)
RESET = requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")))


def failing(airflow: FakeAirflow, *how: Exception | int, has_effect: bool) -> Callable[[], int]:
    """Let the first POSTs of a run fail; return what tells how many POSTs there were."""
    started, failures, posts = airflow.post_run, list(how), []

    def post_run(request: requests.PreparedRequest, dag_id: str) -> object:
        posts.append(request)
        if not failures:
            return started(request, dag_id)
        failure = failures.pop(0)
        if has_effect:
            started(request, dag_id)
        else:
            airflow.gone.add("r1")
        if isinstance(failure, Exception):
            raise failure
        return failure, {"detail": "trouble"}

    airflow.post_run = post_run  # type: ignore[method-assign,assignment]
    return lambda: len(posts)


@pytest.mark.parametrize("failure", [RESET, requests.ReadTimeout("slow"), 500, 502])
def test_after_a_lost_reply_the_run_is_looked_for(
    client: AirflowClient, airflow: FakeAirflow, failure: Exception | int
) -> None:
    posts = failing(airflow, failure, has_effect=True)
    client.trigger("lute_test", "r1", {})
    assert (posts(), airflow.runs_asked_for) == (1, 1)


@pytest.mark.parametrize("failure", [RESET, requests.ReadTimeout("slow")])
def test_a_lost_reply_is_no_reason_to_ask_again(
    client: AirflowClient, airflow: FakeAirflow, clock: FakeClock, failure: Exception
) -> None:
    """Somebody may have deleted the run that was started: then the same id would start a second one."""
    posts = failing(airflow, failure, has_effect=False)
    with pytest.raises(AmbiguousError, match="it never was, or somebody deleted it") as caught:
        client.trigger("lute_test", "r1", {})
    assert posts() == 1
    assert 10 <= clock.elapsed_s <= 30, "Airflow may still be at it"
    assert caught.value.next_step == "launch again"


def test_a_run_that_appears_late_is_found(
    client: AirflowClient, airflow: FakeAirflow, clock: FakeClock
) -> None:
    posts = failing(airflow, requests.ReadTimeout("slow"), has_effect=False)
    clock.at_sleep = lambda now_s: airflow.gone.clear() if now_s > 4 else None
    client.trigger("lute_test", "r1", {})
    assert posts() == 1


@pytest.mark.parametrize("failure", [REFUSED, requests.ConnectTimeout("no answer"), 503, 429])
def test_what_had_surely_no_effect_is_asked_again(
    client: AirflowClient, airflow: FakeAirflow, failure: Exception | int
) -> None:
    posts = failing(airflow, failure, failure, has_effect=False)
    client.trigger("lute_test", "r1", {})
    assert (posts(), len(airflow.triggered), airflow.runs_asked_for) == (3, 1, 0)


def test_a_failure_that_airflow_tells_is_asked_again_once_there_is_no_run(
    client: AirflowClient, airflow: FakeAirflow
) -> None:
    posts = failing(airflow, 500, has_effect=False)
    client.trigger("lute_test", "r1", {})
    assert (posts(), len(airflow.triggered)) == (2, 1)


def test_a_failure_for_ever_ends(client: AirflowClient, airflow: FakeAirflow, clock: FakeClock) -> None:
    failing(airflow, *[500] * 100, has_effect=False)
    with pytest.raises(AmbiguousError):
        client.trigger("lute_test", "r1", {})
    assert clock.elapsed_s < client.patience_s + 30


def test_a_refusal_is_told(client: AirflowClient, airflow: FakeAirflow) -> None:
    posts = failing(airflow, 400, has_effect=False)
    with pytest.raises(PermanentError, match="refused"):
        client.trigger("lute_test", "r1", {})
    assert posts() == 1


def test_a_token_that_expires_at_this_moment_is_renewed(client: AirflowClient, airflow: FakeAirflow) -> None:
    client.dag_ids()
    airflow.token_uses_left = 0
    client.trigger("lute_test", "r1", {})
    assert len(airflow.triggered) == 1


def test_in_a_hurry_nothing_is_asked_twice(
    client: AirflowClient, airflow: FakeAirflow, clock: FakeClock
) -> None:
    client.dag_ids()
    client.hurry(5.0)
    with responses.RequestsMock() as mock:
        mock.get(f"{airflow.base}/dags", status=503)
        with pytest.raises(Exception, match="503"):
            client.dag_ids()
    assert clock.elapsed_s == 0
